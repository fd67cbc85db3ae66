import { DecodeError, EncodeError } from '../errors.ts'
import { type CellFields, readCell, writeCell } from './cell.ts'
import { BodyReader, BodyWriter } from './packing.ts'
import { KEY_TYPE, type RecordFields, readRecord, recordProblem, writeRecord } from './record.ts'

export { KEY_TYPE } from './record.ts'

/** "Store this." */
export type PutBody =
  | (RecordFields & { readonly keyType: 1 | 2 | 4 })
  | (RecordFields & { readonly keyType: 3; readonly cell: CellFields })

export function encodePut(body: PutBody): Uint8Array {
  const problem = recordProblem(body.keyType, body)
  if (problem) throw new EncodeError('body', ...problem)
  const writer = new BodyWriter()
  writeRecord(writer, body.keyType, body)
  if (body.keyType === KEY_TYPE.cell) writeCell(writer, body.cell)
  return writer.finish()
}

export function decodePut(bytes: Uint8Array): PutBody {
  const reader = new BodyReader(bytes)
  const { keyType, record } = readRecord(reader)
  const body = withKey(keyType, record, reader)
  reader.end()
  const problem = recordProblem(keyType, record)
  if (problem) throw new DecodeError('body', ...problem)
  return body
}

function withKey(keyType: number, record: RecordFields, reader: BodyReader): PutBody {
  switch (keyType) {
    case KEY_TYPE.owner:
    case KEY_TYPE.content:
    case KEY_TYPE.mesh:
      return { ...record, keyType }
    case KEY_TYPE.cell:
      return { ...record, keyType, cell: readCell(reader) }
    default:
      throw new DecodeError('body', 'keyType', `${keyType} is none`)
  }
}
