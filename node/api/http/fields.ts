import type { Hex } from '../../core/index.ts'
import { NAME_LIMIT_BYTES, PAYLOAD_LIMIT_BYTES, TOPIC_LIMIT_BYTES } from '../constants.ts'
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
  return hashOf(value, 'fault id')
}

/** 32 bytes in hex. @throws RequestError `FIELD_INVALID` */
export function hashOf(value: string, field: string): Hex {
  if (!/^0x[0-9a-fA-F]{64}$/.test(value)) throw bad(field, value, '0x and 64 hex digits')
  return value.toLowerCase() as Hex
}

/** The name of a state. @throws RequestError `FIELD_INVALID` */
export function nameOf(value: string | null): string {
  if (value === null || value.length === 0 || Buffer.byteLength(value) > NAME_LIMIT_BYTES) {
    throw bad('key', value, `a name of 1 to ${NAME_LIMIT_BYTES} bytes`)
  }
  return value
}

/** A whole number of the query, when it is given. @throws RequestError `FIELD_INVALID` */
export function wholeOf(query: URLSearchParams, field: string, least: number, most: number): number | undefined {
  const text = query.get(field)
  if (text === null) return undefined
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw bad(field, text, `a whole number from ${least} to ${most}`)
  }
  return value
}

/** One to three numbers, parted by commas. @throws RequestError `FIELD_INVALID` */
export function numbersOf(value: string | null, field: string): number[] {
  const numbers = value === null ? [] : value.split(',').map(Number)
  const areFit = numbers.length >= 1 && numbers.length <= 3 && numbers.every(Number.isFinite)
  if (value === null || value.trim() === '' || !areFit)
    throw bad(field, value, 'one to three numbers, parted by commas')
  return numbers
}
