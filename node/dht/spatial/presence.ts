import { DhtError } from '../errors.ts'
import { CAPABILITIES_MAX, CAPABILITY_MAX_CHARS, MOVED_MAX_BYTES, PRESENCE_MAX_BYTES } from './constants.ts'

/** What an agent says of itself: the value of its cell entry. JSON, at most 1 KiB. */
export interface Presence {
  /** What it can do; sorted, each once. */
  readonly capabilities: readonly string[]
  /** Unix milliseconds, by its own clock. */
  readonly timestamp: number
  /** Whatever its application adds. */
  readonly data?: unknown
}

/** What stands in an entry. */
export interface EntryValue extends Presence {
  /** Fixed point. In a cell that its agent left: where it went. */
  readonly at?: readonly bigint[]
}

/** @throws DhtError `DHT_BAD_PRESENCE` */
export function encodePresence({ at, capabilities, data, timestamp }: EntryValue): Uint8Array {
  const sorted = [...new Set(capabilities)].sort()
  const json = JSON.stringify({ capabilities: sorted, timestamp, data, at: at?.map(Number) })
  const bytes = new Uint8Array(Buffer.from(json, 'utf8'))
  if (readPresence(bytes) !== undefined) return bytes
  throw new DhtError(
    'DHT_BAD_PRESENCE',
    `what an agent says of itself is ${bytes.length} bytes and not as it must be`,
    {
      exitCode: 2,
      values: { bytes: bytes.length, limit: PRESENCE_MAX_BYTES, capabilities: sorted.length, most: CAPABILITIES_MAX },
      hint: `at most ${PRESENCE_MAX_BYTES} bytes of JSON, ${CAPABILITIES_MAX} capabilities of ${CAPABILITY_MAX_CHARS} characters, a whole timestamp, no __proto__`,
    },
  )
}

/** Reads what an agent says of itself; `undefined` for anything else. Never throws: anybody may write anything. */
export function readPresence(bytes: Uint8Array): EntryValue | undefined {
  if (bytes.length === 0 || bytes.length > PRESENCE_MAX_BYTES + MOVED_MAX_BYTES) return undefined
  let json: unknown
  try {
    // A program may copy what it is given: no value brings a prototype along.
    json = JSON.parse(Buffer.from(bytes).toString('utf8'), (key, value) => {
      if (key === '__proto__') throw new SyntaxError('__proto__')
      return value
    })
  } catch {
    return undefined
  }
  if (typeof json !== 'object' || json === null) return undefined
  const { at, capabilities, data, timestamp } = json as Record<string, unknown>
  if (at === undefined && bytes.length > PRESENCE_MAX_BYTES) return undefined
  if (!Array.isArray(capabilities) || capabilities.length > CAPABILITIES_MAX) return undefined
  const areFit = capabilities.every((item) => typeof item === 'string' && item.length <= CAPABILITY_MAX_CHARS)
  if (!areFit || typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp) || timestamp < 0) return undefined
  const said = { capabilities, timestamp, ...(data === undefined ? {} : { data }) }
  if (at === undefined) return said
  if (!Array.isArray(at) || at.length > 3 || !at.every((x) => Number.isSafeInteger(x))) return undefined
  return { ...said, at: at.map(BigInt) }
}
