import type { Hex } from '../../core/index.ts'
import { PAYLOAD_LIMIT_BYTES, TOPIC_LIMIT_BYTES } from '../constants.ts'
import { RequestError } from '../errors.ts'

function bad(field: string, value: unknown, limit: string): RequestError {
  const shown = JSON.stringify(value)?.slice(0, 80) ?? 'missing'
  return new RequestError(400, 'FIELD_INVALID', `${field} is ${shown}; it must be ${limit}`, {
    values: { field, limit },
  })
}

/** @throws RequestError `FIELD_INVALID` */
export function topicOf(value: unknown): string {
  if (typeof value !== 'string' || value.length === 0 || Buffer.byteLength(value) > TOPIC_LIMIT_BYTES) {
    throw bad('topic', value, `a text of 1 to ${TOPIC_LIMIT_BYTES} bytes`)
  }
  return value
}

/** The bytes of a base64 payload. @throws RequestError `FIELD_INVALID` */
export function payloadOf(value: unknown): Uint8Array {
  const base64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
  if (typeof value !== 'string' || !base64.test(value)) throw bad('payload', value, 'base64 with padding')
  const bytes = new Uint8Array(Buffer.from(value, 'base64'))
  if (bytes.length > PAYLOAD_LIMIT_BYTES)
    throw bad('payload', `${bytes.length} bytes`, `at most ${PAYLOAD_LIMIT_BYTES} bytes`)
  return bytes
}

/** @throws RequestError `FIELD_INVALID` */
export function faultIdOf(value: string): Hex {
  if (!/^0x[0-9a-fA-F]{64}$/.test(value)) throw bad('fault id', value, '0x and 64 hex digits')
  return value.toLowerCase() as Hex
}
