import { type Hex, type Signer, toHex } from '../../../node/core/index.ts'
import {
  computeV,
  DomainSeparator,
  judgeEquivocation,
  judgeOverrun,
  type KeyRecord,
  positionOf,
} from '../../../node/statements/index.ts'
import {
  bytes32,
  columns,
  DOMAIN,
  digestOf,
  hex,
  KEYS,
  NOW,
  NOW_EPOCH,
  PARAMS,
  RECORDS,
  SEPARATOR,
  slotBytes,
  word,
  ZERO_32,
} from './cast.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const SCOPE = bytes32('a mesh scope')

interface Claim {
  signer?: Signer
  kind?: number
  scope?: Uint8Array
  position?: bigint
  separator?: DomainSeparator
}

/** slot, then each content with its EIP-2098 pair, all of it properly signed whatever it says. */
function evidenceOf(contents: readonly string[], claim: Claim): Uint8Array {
  const {
    kind = 2,
    position = positionOf(NOW_EPOCH, 7),
    scope = ZERO_32,
    separator = SEPARATOR,
    signer = KEYS.steady,
  } = claim
  const slot = { signer: signer.address, kind, scope, position }
  const sides = contents.map((text) => {
    const content = bytes32(text)
    const digest = digestOf(slot, content, separator)
    const signature = signer.sign(digest)
    signature[32]! |= computeV(signer.address, digest, signature)! << 7
    return new Uint8Array([...content, ...signature])
  })
  return new Uint8Array(Buffer.concat([slotBytes(slot), ...sides]))
}

const twice = (claim: Claim = {}) => evidenceOf(['said', 'also said'], claim)
const once = (claim: Claim = {}) => evidenceOf(['said'], claim)

function changed(evidence: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const copy = evidence.slice()
  copy.set(bytes, at)
  return copy
}

/** The same signature with s replaced by n - s and the parity turned: what plain ECDSA would also take. */
function malleated(evidence: Uint8Array, at: number): Uint8Array {
  const s = BigInt(toHex(evidence.subarray(at + 32, at + 64)))
  const high = ORDER - (s & ((1n << 255n) - 1n))
  return changed(evidence, at + 32, word(high))
}

type Case = [name: string, faultType: 1 | 2, evidence: Uint8Array, at?: number]

const other = (change: object) => new DomainSeparator({ ...DOMAIN, ...change })

/** What both faults share: F1 from `twice`, F2 from `once` with an index over every limit. */
function shared(faultType: 1 | 2): Case[] {
  const over = (epoch: number) => positionOf(epoch, 5000)
  const make = (claim: Claim = {}) => (faultType === 1 ? twice : once)({ position: over(NOW_EPOCH), ...claim })
  const rows: [string, Uint8Array, number?][] = [
    ['kind 1', make({ kind: 1 })],
    ['kind 2', make({ kind: 2 })],
    ['kind 3', make({ kind: 3 })],
    ['kind 0', make({ kind: 0 })],
    ['kind 0 with a scope', make({ kind: 0, scope: SCOPE })],
    ['kind 8', make({ kind: 8 })],
    ['kind 255 with a scope', make({ kind: 255, scope: SCOPE })],
    ['metered with a scope', make({ scope: SCOPE })],
    ['mesh without a scope', make({ kind: 7 })],
    ['mesh with a scope', make({ kind: 7, scope: SCOPE })],
    ['no stake has the key', make({ signer: KEYS.stranger })],
    ['next epoch', make({ position: over(NOW_EPOCH + 1) })],
    ['the epoch after the next', make({ position: over(NOW_EPOCH + 2) })],
    ['the epoch after the next, a second before it is the next', make({ position: over(NOW_EPOCH + 2) }), NOW + 9],
    ['the epoch after the next, once it is the next', make({ position: over(NOW_EPOCH + 2) }), NOW + 10],
    ['largest position', make({ position: 2n ** 64n - 1n })],
    ['first epoch of the key', make({ position: over(500) })],
    ['the epoch before the key', make({ position: over(499) })],
    ['last epoch of a retired key', make({ signer: KEYS.retired, position: over(989) })],
    ['first epoch after a retired key', make({ signer: KEYS.retired, position: over(990) })],
    ['first epoch of its successor', make({ signer: KEYS.successor, position: over(990) })],
    ['successor before its time', make({ signer: KEYS.successor, position: over(989) })],
    ['old key', make({ signer: KEYS.old, position: over(899) })],
    ['old key at the end of its window', make({ signer: KEYS.old, position: over(899) }), 900 * 10 + 600],
    ['old key a second later', make({ signer: KEYS.old, position: over(899) }), 900 * 10 + 601],
    ['another chain', make({ separator: other({ chainId: 1n }) })],
    ['another registry', make({ separator: other({ verifyingContract: `0x${'11'.repeat(20)}` }) })],
    ['another salt', make({ separator: other({ salt: `0x${'22'.repeat(32)}` }) })],
    ['malleable signature', malleated(make(), 93)],
    ['other parity', changed(make(), 125, Uint8Array.of(make()[125]! ^ 0x80))],
    ['r zero', changed(make(), 93, ZERO_32)],
    ['s zero', changed(make(), 125, ZERO_32)],
    ['r the order', changed(make(), 93, word(ORDER))],
    ['r one below the order', changed(make(), 93, word(ORDER - 1n))],
    ['content changed', changed(make(), 61, bytes32('never said'))],
    ['signed by another', changed(make(), 0, make({ signer: KEYS.successor }).subarray(0, 20))],
    ['empty', new Uint8Array(0)],
    ['one byte short', make().slice(0, -1)],
    ['one byte long', new Uint8Array([...make(), 0])],
    ['evidence of the other fault', faultType === 1 ? once() : twice()],
    ['all zero', new Uint8Array(make().length)],
    ['all ones', new Uint8Array(make().length).fill(0xff)],
  ]
  return rows.map(([name, evidence, at]) => [name, faultType, evidence, at ?? NOW])
}

function equivocations(): Case[] {
  const mesh = (signer: Signer) => twice({ signer, kind: 6, scope: SCOPE, position: 12n })
  const both = twice()
  return [
    ['contents in the other order', 1, evidenceOf(['also said', 'said'], {})],
    ['the same content twice', 1, evidenceOf(['said', 'said'], {})],
    ['the same content twice in a void slot', 1, evidenceOf(['said', 'said'], { kind: 0 })],
    ['second signature broken', 1, changed(both, 189 + 10, Uint8Array.of(both[199]! ^ 1))],
    ['second signature malleable', 1, malleated(both, 189)],
    ['mesh slot 0', 1, twice({ kind: 5, scope: SCOPE, position: 0n })],
    ['mesh kind 4', 1, twice({ kind: 4, scope: SCOPE, position: 2n ** 64n - 1n })],
    ['mesh, retired key', 1, mesh(KEYS.retired)],
    ['mesh, old key', 1, mesh(KEYS.old)],
    ['mesh, old key at the end of the unbonding period', 1, mesh(KEYS.old), 900 * 10 + 1500],
    ['mesh, old key a second later', 1, mesh(KEYS.old), 900 * 10 + 1501],
    ['mesh, ancient key', 1, mesh(KEYS.ancient)],
  ]
}

function overruns(): Case[] {
  const limits = { 1: PARAMS.putLimit, 2: PARAMS.gossipLimit, 3: PARAMS.receiptLimit }
  const rows: Case[] = []
  for (const kind of [1, 2, 3] as const) {
    const at = (index: number) => once({ kind, position: positionOf(NOW_EPOCH, index) })
    rows.push([`kind ${kind}, last index allowed`, 2, at(limits[kind] - 1)])
    rows.push([`kind ${kind}, first index over`, 2, at(limits[kind])])
    rows.push([`kind ${kind}, last index there is`, 2, at(0xffff_ffff)])
  }
  rows.push(['kind 0 under the limit of RECEIPT', 2, once({ kind: 0, position: positionOf(NOW_EPOCH, 299) })])
  rows.push(['kind 0 at the limit of RECEIPT', 2, once({ kind: 0, position: positionOf(NOW_EPOCH, 300) })])
  return rows
}

const NO_SLOT: Hex = `0x${'00'.repeat(32)}`

/** Evidence, the time as of which to judge it, and the verdict: "Proven", or the name of the error. */
export function evidenceVectors() {
  const rows = [...shared(1), ...equivocations(), ...shared(2), ...overruns()].map(
    ([name, faultType, evidence, at]) => {
      const key = (address: Hex): KeyRecord | undefined => RECORDS.get(address)
      const judge = faultType === 1 ? judgeEquivocation : judgeOverrun
      const verdict = judge(evidence, { domain: SEPARATOR, params: PARAMS, key, at: at ?? NOW })
      return {
        name: `F${faultType}: ${name}`,
        faultType,
        evidence: toHex(evidence),
        at: at ?? NOW,
        verdict: verdict.proven ? 'Proven' : verdict.error,
        stakeId: verdict.proven ? verdict.stakeId : 0,
        slot: verdict.proven ? verdict.slot : NO_SLOT,
      }
    },
  )
  const keys = [...RECORDS].map(([key, { fromEpoch, stakeId, untilEpoch }]) => ({
    key,
    keyStakeId: stakeId,
    keyFromEpoch: fromEpoch,
    keyUntilEpoch: Number.isFinite(untilEpoch) ? untilEpoch : 0,
  }))
  return {
    chainId: Number(DOMAIN.chainId),
    registry: DOMAIN.verifyingContract,
    salt: DOMAIN.salt,
    separator: hex(SEPARATOR.bytes),
    ...PARAMS,
    ...columns(keys),
    ...columns(rows),
  }
}
