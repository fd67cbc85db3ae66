import { DhtError } from '../errors.ts'
import { CAPABILITIES_MAX, CAPABILITY_MAX_CHARS, PRESENCE_MAX_BYTES } from './constants.ts'

/** What an agent says of itself: the value of its cell entry. Canonical JSON, at most 1 KiB. */
export interface Presence {
  /** What it can do; sorted, each once. */
  readonly capabilities: readonly string[]
  /** Unix milliseconds, by its own clock. */
  readonly timestamp: number
  /** Whatever its application adds. */
  readonly data?: unknown
}

/** @throws DhtError `DHT_BAD_PRESENCE` */
export function encodePresence({ capabilities, data, timestamp }: Presence): Uint8Array {
  const sorted = [...new Set(capabilities)].sort()
  const bytes = new Uint8Array(Buffer.from(JSON.stringify({ capabilities: sorted, timestamp, data }), 'utf8'))
  if (readPresence(bytes) !== undefined) return bytes
  throw new DhtError(
    'DHT_BAD_PRESENCE',
    `what an agent says of itself is ${bytes.length} bytes and not as it must be`,
    {
      exitCode: 2,
      values: { bytes: bytes.length, limit: PRESENCE_MAX_BYTES, capabilities: sorted.length, most: CAPABILITIES_MAX },
      hint: `at most ${PRESENCE_MAX_BYTES} bytes of JSON, ${CAPABILITIES_MAX} capabilities of ${CAPABILITY_MAX_CHARS} characters, a whole timestamp`,
    },
  )
}

/** Reads what an agent says of itself; `undefined` for anything else. Never throws: anybody may write anything. */
export function readPresence(bytes: Uint8Array): Presence | undefined {
  if (bytes.length === 0 || bytes.length > PRESENCE_MAX_BYTES) return undefined
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof json !== 'object' || json === null) return undefined
  const { capabilities, data, timestamp } = json as Record<string, unknown>
  if (!Array.isArray(capabilities) || capabilities.length > CAPABILITIES_MAX) return undefined
  const areFit = capabilities.every((item) => typeof item === 'string' && item.length <= CAPABILITY_MAX_CHARS)
  if (!areFit || typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp)) return undefined
  return { capabilities, timestamp, ...(data === undefined ? {} : { data }) }
}
