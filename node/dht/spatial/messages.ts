import { bad, decodeRefused, OP, STATUS } from '../protocol/messages.ts'
import { CELLS_PER_REQUEST } from './constants.ts'

/** "What lives in these cells?" */
export interface CellsRequest {
  readonly cells: readonly {
    readonly recordKey: Uint8Array
    /** Only entries after this one, in byte order: the next page. */
    readonly after?: Uint8Array | undefined
  }[]
}

/** The entries of one cell: each a frame and a value, packed as they came. */
export interface CellPage {
  /** The last entry that was looked at, when there are more: the next question's `after`. */
  readonly next: Uint8Array | undefined
  readonly puts: readonly Uint8Array[]
}

export type CellsAnswer =
  | { readonly status: 'found'; readonly cells: readonly CellPage[] }
  | ReturnType<typeof decodeRefused>

/** u8 op | u8 count | count x (u8 has after | record key 32 | after 32, when it has). */
export function encodeCells({ cells }: CellsRequest): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(OP.cells, cells.length)]
  for (const { after, recordKey } of cells) {
    parts.push(Uint8Array.of(after === undefined ? 0 : 1), recordKey)
    if (after !== undefined) parts.push(after)
  }
  return Buffer.concat(parts)
}

/** @throws {DhtError} `DHT_BAD_MESSAGE` */
export function decodeCells(bytes: Uint8Array): CellsRequest {
  const count = bytes[1] ?? 0
  if (count < 1 || count > CELLS_PER_REQUEST) throw bad('cells', `${count} cells, expected 1 to ${CELLS_PER_REQUEST}`)
  const cells = []
  let at = 2
  for (let left = count; left > 0; left--) {
    const flag = bytes[at]
    const end = at + 33 + (flag === 1 ? 32 : 0)
    if ((flag !== 0 && flag !== 1) || end > bytes.length) throw bad('cells', 'cut off or of an unknown form')
    const recordKey = bytes.subarray(at + 1, at + 33)
    cells.push(flag === 1 ? { recordKey, after: bytes.subarray(at + 33, end) } : { recordKey })
    at = end
  }
  if (at !== bytes.length) throw bad('cells', `${bytes.length - at} bytes after the end`)
  return { cells }
}

/** u16 frame length | u16 value length | frame | value. */
export function packPut(frame: Uint8Array, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + frame.length + value.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, frame.length)
  view.setUint16(2, value.length)
  bytes.set(frame, 4)
  bytes.set(value, 4 + frame.length)
  return bytes
}

export function unpackPut(bytes: Uint8Array): { readonly frame: Uint8Array; readonly value: Uint8Array } {
  const frameLength = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0)
  return { frame: bytes.subarray(4, 4 + frameLength), value: bytes.subarray(4 + frameLength) }
}

/** u8 status | u8 count | count x (u8 has next | u16 puts | next 32, when it has | puts). */
export function encodeCellPages(pages: readonly CellPage[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(STATUS.ok, pages.length)]
  for (const { next, puts } of pages) {
    parts.push(Uint8Array.of(next === undefined ? 0 : 1, puts.length >> 8, puts.length & 0xff))
    if (next !== undefined) parts.push(next)
    parts.push(...puts)
  }
  return Buffer.concat(parts)
}

/** @throws {DhtError} `DHT_BAD_MESSAGE` */
export function decodeCellPages(bytes: Uint8Array): CellsAnswer {
  if (bytes[0] === STATUS.refused) return decodeRefused(bytes)
  if (bytes[0] !== STATUS.ok || bytes.length < 2) throw bad('cells answer', 'cut off or of an unknown status')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const cells: CellPage[] = []
  let at = 2
  for (let left = bytes[1] as number; left > 0; left--) {
    if (at + 3 > bytes.length || (bytes[at] === 1 && at + 35 > bytes.length)) throw bad('cells answer', 'cut off')
    const next = bytes[at] === 1 ? bytes.subarray(at + 3, at + 35) : undefined
    const puts: Uint8Array[] = []
    const count = view.getUint16(at + 1)
    at += next === undefined ? 3 : 35
    for (let i = 0; i < count; i++) {
      if (at + 4 > bytes.length) throw bad('cells answer', 'cut off')
      const end = at + 4 + view.getUint16(at) + view.getUint16(at + 2)
      if (end > bytes.length) throw bad('cells answer', 'cut off in an entry')
      puts.push(bytes.subarray(at, end))
      at = end
    }
    cells.push({ next, puts })
  }
  if (at !== bytes.length) throw bad('cells answer', `${bytes.length - at} bytes after the end`)
  return { status: 'found', cells }
}
