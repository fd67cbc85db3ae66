import { type Address, type Domain, fromHex, type Signer, type Statement, toHex } from '../../../node/core/index.ts'
import {
  createSigner,
  DomainSeparator,
  type JudgingParams,
  type KeyRecord,
  keccak256,
  packSlot,
  statementDigest,
} from '../../../node/statements/index.ts'

/** Who and what all vectors are about. */
export const DOMAIN: Domain = {
  chainId: 31_337n,
  verifyingContract: `0x${'5a'.repeat(20)}`,
  salt: `0x${'c3'.repeat(32)}`,
}
export const SEPARATOR = new DomainSeparator(DOMAIN)

/** Limits of three kinds that differ, so that mixing them up shows. Times in seconds. */
export const PARAMS: JudgingParams = {
  epochSeconds: 10,
  putLimit: 100,
  gossipLimit: 200,
  receiptLimit: 300,
  evidenceWindowSeconds: 600,
  unbondingSeconds: 1500,
}

/** The current epoch of evidence vectors, and its first second. */
export const NOW_EPOCH = 1000
export const NOW = NOW_EPOCH * PARAMS.epochSeconds

export const ZERO_32 = new Uint8Array(32)

/** keccak256 of the text: 32 bytes that are the same in every run. */
export function bytes32(text: string): Uint8Array {
  return keccak256(new Uint8Array(Buffer.from(text, 'utf8')))
}

export function privateKey(name: string): Uint8Array {
  return bytes32(`private key of ${name}`)
}

export const KEYS = {
  /** The newest key of stake 1. */
  steady: createSigner(privateKey('steady')),
  /** Retired at epoch 990: inside both windows. */
  retired: createSigner(privateKey('retired')),
  /** Its successor, from 990. */
  successor: createSigner(privateKey('successor')),
  /** Retired at epoch 900: its metered statements are too old, its mesh statements are not. */
  old: createSigner(privateKey('old')),
  /** Retired at epoch 800: all of its statements are too old. */
  ancient: createSigner(privateKey('ancient')),
  /** No stake's. */
  stranger: createSigner(privateKey('stranger')),
} as const satisfies Record<string, Signer>

const OPEN = Number.POSITIVE_INFINITY
export const RECORDS: ReadonlyMap<Address, KeyRecord> = new Map([
  [KEYS.steady.address, { stakeId: 1, fromEpoch: 500, untilEpoch: OPEN }],
  [KEYS.retired.address, { stakeId: 2, fromEpoch: 500, untilEpoch: 990 }],
  [KEYS.successor.address, { stakeId: 2, fromEpoch: 990, untilEpoch: OPEN }],
  [KEYS.old.address, { stakeId: 3, fromEpoch: 500, untilEpoch: 900 }],
  [KEYS.ancient.address, { stakeId: 4, fromEpoch: 500, untilEpoch: 800 }],
])

/** Any slot, void ones too. */
export interface AnySlot {
  readonly signer: Address
  readonly kind: number
  readonly scope: Uint8Array
  readonly position: bigint
}

export function slotBytes(slot: AnySlot): Uint8Array {
  return packSlot(slot as AnySlot & Pick<Statement, 'kind'>)
}

/** The digest of a statement that may be void. */
export function digestOf(slot: AnySlot, content: Uint8Array, separator = SEPARATOR): Uint8Array {
  return statementDigest(separator, { ...(slot as AnySlot & Pick<Statement, 'kind'>), content })
}

export function hex(...parts: readonly Uint8Array[]): string {
  return toHex(new Uint8Array(Buffer.concat(parts)))
}

/** 32 bytes, big-endian. */
export function word(value: bigint): Uint8Array {
  return fromHex(`0x${value.toString(16).padStart(64, '0')}`)
}

/** Rows of a table turned into one array a column: what `vm.parseJson` reads best. */
export function columns<Row extends Record<string, string | number | boolean>>(
  rows: readonly Row[],
): { [Column in keyof Row]: Row[Column][] } {
  const first = rows[0]
  if (first === undefined) throw new RangeError('a vector file needs rows')
  const entries = Object.keys(first).map((column) => [column, rows.map((row) => row[column])])
  return Object.fromEntries(entries)
}
