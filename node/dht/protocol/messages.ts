import { DhtError, type RefusalReason } from '../errors.ts'

/** What a request asks for: its first byte. */
export const OP = { store: 1, fetch: 2, list: 3, digest: 4, cells: 5 } as const

/** How an answer begins. */
export const STATUS = { ok: 0, refused: 1, superseded: 2 } as const

const REASONS: readonly RefusalReason[] = [
  'undecodable',
  'invalid',
  'unknown-writer',
  'window',
  'not-mine',
  'quota',
  'full',
  'busy',
  'conflict',
  'draining',
  'unsupported',
  'lacking',
]

const STORE_STAND_IN = 1
const STORE_WITHOUT_VALUE = 2
const FETCH_WITHOUT_VALUES = 1
const FETCH_ONE_ENTRY = 2
const FETCH_AFTER_ENTRY = 4

/** A PUT frame (form 0) and the value it names, when it is carried. */
export interface CarriedPut {
  readonly frame: Uint8Array
  readonly value: Uint8Array | undefined
}

/** "Hold this, and promise it." */
export interface StoreRequest {
  /** The asker knows that this node is none of the replicas, and wants it to stand in for one that is away. */
  readonly standIn: boolean
  readonly frame: Uint8Array
  /** `undefined`: the asker believes that these bytes are there already, and sends them only if it is told otherwise. */
  readonly value: Uint8Array | undefined
}

/** "What do you hold there?" */
export interface FetchRequest {
  readonly recordKey: Uint8Array
  /** Only this entry. */
  readonly entry?: Uint8Array | undefined
  /** Only entries after this one, in byte order: the next page of a set. */
  readonly after?: Uint8Array | undefined
  /** False: PUT frames alone, which is enough to know which version is the newest. */
  readonly values: boolean
}

export type StoreAnswer =
  | { readonly status: 'stored'; readonly receipt: Uint8Array }
  | { readonly status: 'superseded'; readonly current: CarriedPut }
  | { readonly status: 'refused'; readonly reason: RefusalReason; readonly detail: string }

export type FetchAnswer =
  | {
      readonly status: 'found'
      /** The last entry that was looked at, when there are more: the next question's `after`. */
      readonly next: Uint8Array | undefined
      readonly puts: readonly CarriedPut[]
    }
  | { readonly status: 'refused'; readonly reason: RefusalReason; readonly detail: string }

export function encodeStore({ standIn, frame, value }: StoreRequest): Uint8Array {
  const bytes = new Uint8Array(4 + frame.length + (value?.length ?? 0))
  bytes[0] = OP.store
  bytes[1] = (standIn ? STORE_STAND_IN : 0) | (value === undefined ? STORE_WITHOUT_VALUE : 0)
  new DataView(bytes.buffer).setUint16(2, frame.length)
  bytes.set(frame, 4)
  if (value !== undefined) bytes.set(value, 4 + frame.length)
  return bytes
}

/** @throws {DhtError} `DHT_BAD_MESSAGE` */
export function decodeStore(bytes: Uint8Array): StoreRequest {
  if (bytes.length < 4) throw bad('store', 'cut off')
  const frameLength = viewOf(bytes).getUint16(2)
  if (4 + frameLength > bytes.length) throw bad('store', 'cut off in the frame')
  const flags = bytes[1] as number
  if (flags > (STORE_STAND_IN | STORE_WITHOUT_VALUE)) throw bad('store', `flags ${flags} are unknown`)
  const value = bytes.subarray(4 + frameLength)
  const isWithout = (flags & STORE_WITHOUT_VALUE) !== 0
  if (isWithout && value.length > 0) throw bad('store', `${value.length} bytes of a value that is not sent`)
  return {
    standIn: (flags & STORE_STAND_IN) !== 0,
    frame: bytes.subarray(4, 4 + frameLength),
    value: isWithout ? undefined : value,
  }
}

export function encodeFetch({ recordKey, entry, after, values }: FetchRequest): Uint8Array {
  const flags =
    (values ? 0 : FETCH_WITHOUT_VALUES) |
    (entry === undefined ? 0 : FETCH_ONE_ENTRY) |
    (after === undefined ? 0 : FETCH_AFTER_ENTRY)
  return Buffer.concat([Uint8Array.of(OP.fetch, flags), recordKey, entry ?? after ?? new Uint8Array()])
}

/** @throws {DhtError} `DHT_BAD_MESSAGE` */
export function decodeFetch(bytes: Uint8Array): FetchRequest {
  const flags = bytes[1] ?? 0xff
  const selects = flags & (FETCH_ONE_ENTRY | FETCH_AFTER_ENTRY)
  if (flags > 7 || selects === (FETCH_ONE_ENTRY | FETCH_AFTER_ENTRY)) throw bad('fetch', `flags ${flags} are unknown`)
  const length = selects === 0 ? 34 : 66
  if (bytes.length !== length) throw bad('fetch', `${bytes.length} bytes, not ${length}`)
  const entry = bytes.subarray(34)
  return {
    recordKey: bytes.subarray(2, 34),
    ...(selects === FETCH_ONE_ENTRY && { entry }),
    ...(selects === FETCH_AFTER_ENTRY && { after: entry }),
    values: (flags & FETCH_WITHOUT_VALUES) === 0,
  }
}

export function encodeStored(receipt: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + receipt.length)
  bytes.set(receipt, 1)
  return bytes
}

export function encodeSuperseded(current: CarriedPut): Uint8Array {
  return Buffer.concat([Uint8Array.of(STATUS.superseded), encodeCarried(current)])
}

export function encodeRefused(reason: RefusalReason, detail = ''): Uint8Array {
  return Buffer.concat([Uint8Array.of(STATUS.refused, REASONS.indexOf(reason)), Buffer.from(detail, 'utf8')])
}

/** @param next the last entry looked at, 32 bytes, when there are more */
export function encodeFound(puts: readonly CarriedPut[], next?: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4)
  head[0] = STATUS.ok
  head[1] = next === undefined ? 0 : 1
  head.writeUInt16BE(puts.length, 2)
  return Buffer.concat([head, next ?? new Uint8Array(), ...puts.map(encodeCarried)])
}

/** @throws {DhtError} `DHT_BAD_MESSAGE` */
export function decodeStoreAnswer(bytes: Uint8Array): StoreAnswer {
  switch (bytes[0]) {
    case STATUS.ok:
      return { status: 'stored', receipt: bytes.subarray(1) }
    case STATUS.superseded: {
      const { carried, end } = decodeCarried(bytes, 1)
      if (end !== bytes.length) throw bad('store answer', `${bytes.length - end} bytes after the end`)
      return { status: 'superseded', current: carried }
    }
    case STATUS.refused:
      return decodeRefused(bytes)
    default:
      throw bad('store answer', `status ${bytes[0]} is unknown`)
  }
}

/** @throws {DhtError} `DHT_BAD_MESSAGE` */
export function decodeFetchAnswer(bytes: Uint8Array): FetchAnswer {
  if (bytes[0] === STATUS.refused) return decodeRefused(bytes)
  if (bytes[0] !== STATUS.ok || bytes.length < 4) throw bad('fetch answer', 'cut off or of an unknown status')
  const isPage = bytes[1] === 1
  if (!isPage && bytes[1] !== 0) throw bad('fetch answer', `flags ${bytes[1]} are unknown`)
  if (isPage && bytes.length < 36) throw bad('fetch answer', 'cut off before the next entry')
  const puts: CarriedPut[] = []
  let at = isPage ? 36 : 4
  for (let left = viewOf(bytes).getUint16(2); left > 0; left--) {
    const { carried, end } = decodeCarried(bytes, at)
    puts.push(carried)
    at = end
  }
  if (at !== bytes.length) throw bad('fetch answer', `${bytes.length - at} bytes after the end`)
  return { status: 'found', next: isPage ? bytes.subarray(4, 36) : undefined, puts }
}

/** u16 frame length | frame | u8 has value | u32 value length | value. */
function encodeCarried({ frame, value }: CarriedPut): Uint8Array {
  const head = 3 + (value === undefined ? 0 : 4)
  const bytes = new Uint8Array(head + frame.length + (value?.length ?? 0))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, frame.length)
  bytes.set(frame, 2)
  if (value === undefined) return bytes
  bytes[2 + frame.length] = 1
  view.setUint32(3 + frame.length, value.length)
  bytes.set(value, 7 + frame.length)
  return bytes
}

function decodeCarried(bytes: Uint8Array, at: number): { carried: CarriedPut; end: number } {
  if (at + 3 > bytes.length) throw bad('answer', 'cut off')
  const view = viewOf(bytes)
  const frameEnd = at + 2 + view.getUint16(at)
  if (frameEnd >= bytes.length) throw bad('answer', 'cut off in a frame')
  const frame = bytes.subarray(at + 2, frameEnd)
  if (bytes[frameEnd] === 0) return { carried: { frame, value: undefined }, end: frameEnd + 1 }
  if (bytes[frameEnd] !== 1 || frameEnd + 5 > bytes.length) throw bad('answer', 'cut off before a value')
  const end = frameEnd + 5 + view.getUint32(frameEnd + 1)
  if (end > bytes.length) throw bad('answer', 'cut off in a value')
  return { carried: { frame, value: bytes.subarray(frameEnd + 5, end) }, end }
}

export function decodeRefused(bytes: Uint8Array): {
  readonly status: 'refused'
  readonly reason: RefusalReason
  readonly detail: string
} {
  const reason = REASONS[bytes[1] ?? 0xff]
  if (reason === undefined) throw bad('refusal', `reason ${bytes[1]} is unknown`)
  return { status: 'refused', reason, detail: Buffer.from(bytes.subarray(2, 258)).toString('utf8') }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function bad(what: string, problem: string): DhtError {
  return new DhtError('DHT_BAD_MESSAGE', `a ${what} that cannot be read: ${problem}`, { values: { what, problem } })
}
