import { secp256k1 } from '@noble/curves/secp256k1.js'
import { describe, expect, test } from 'vitest'
import { FAULT, KIND, type SlotEntry } from '../../../node/core/index.ts'
import {
  Admission,
  DomainSeparator,
  encodeBody,
  encodeFrame,
  encodeGossip,
  encodeLeafFrame,
  type JudgeContext,
  judge,
  MAX_FRAME_BYTES,
  verifyDigest,
} from '../../../node/statements/index.ts'
import { bytes32 } from '../../vectors/generators/cast.ts'
import { DOMAIN, gossip, NOW_EPOCH, PARAMS, SEPARATOR, say, signerOf, TOPIC, World, ZERO_32 } from './world.ts'

const honest = signerOf('honest')
const liar = signerOf('liar')
const stranger = signerOf('stranger')
const world = (...args: ConstructorParameters<typeof World>) => new World(...args).enrol(honest, 1).enrol(liar, 2)

function changed(frame: Uint8Array, at: number, to: number): Uint8Array {
  const copy = frame.slice()
  copy[at] = to
  return copy
}

/** The court, a moment after the world's now. */
function court(w: World): JudgeContext {
  return { domain: SEPARATOR, params: PARAMS, key: (address) => w.keys.get(address), at: w.nowMs / 1000 + 1 }
}

test('a good statement is accepted once, with its bodies taken apart', () => {
  const w = world()
  const { digest, frame, signed } = say(honest, { bodies: gossip('one', 'two') })
  const verdict = w.admission.admit(frame, { kinds: [KIND.gossip], topicHash: TOPIC })
  expect(verdict).toMatchObject({ outcome: 'accept', reason: 'new', signed, digest, stakeId: 1 })
  if (verdict.outcome !== 'accept') return
  expect(
    verdict.bodies.map(({ body, leaf }) => [leaf, Buffer.from((body as { payload: Uint8Array }).payload).toString()]),
  ).toEqual([
    [0, 'one'],
    [1, 'two'],
  ])
  expect(w.gossip(frame)).toBe('ignore duplicate')
  expect(w.metrics.counts.get('suprnova_statements_verdicts_total accept new')).toBe(1)
  expect(w.metrics.counts.get('suprnova_statements_verdicts_total ignore duplicate')).toBe(1)
})

describe('rejects what is invalid in itself', () => {
  const frame = say(honest).frame
  const cases: [string, string, Uint8Array][] = [
    ['too long', 'reject size', new Uint8Array(MAX_FRAME_BYTES + 1)],
    ['empty', 'reject undecodable', new Uint8Array(0)],
    ['cut off', 'reject undecodable', frame.slice(0, 100)],
    ['another version', 'reject undecodable', changed(frame, 0, 2)],
    ['a body its kind cannot have', 'reject undecodable', say(honest, { bodies: [new Uint8Array(31)] }).frame],
    ['kind 0', 'reject void', changed(frame, 22, 0)],
    ['kind 8', 'reject void', changed(frame, 22, 8)],
    ['a scope on a metered kind', 'reject void', say(honest, { scope: bytes32('scope') }).frame],
    ['no scope on a mesh kind', 'reject void', say(honest, { kind: 7, bodies: [ZERO_32] }).frame],
    [
      'a kind that does not belong here',
      'reject topic',
      say(honest, { kind: 7, scope: bytes32('s'), bodies: [ZERO_32] }).frame,
    ],
    [
      'another topic',
      'reject topic',
      say(honest, { bodies: [encodeGossip({ topicHash: bytes32('x'), payload: ZERO_32 })] }).frame,
    ],
    ['a broken signature', 'reject signature', changed(frame, 158, frame[158]! ^ 1)],
    [
      'a signature for another registry',
      'reject signature',
      say(honest, { separator: new DomainSeparator({ ...DOMAIN, chainId: 1n }) }).frame,
    ],
    ['a changed body', 'reject path', changed(frame, frame.length - 1, 0)],
    ['an index at the limit', 'reject overrun', say(honest, { index: PARAMS.gossipLimit }).frame],
  ]
  test.each(cases)('%s: %s', (_, wanted, bad) => {
    const w = world()
    expect(w.gossip(bad)).toBe(wanted)
    // Bites: writing to the slot index before the path is checked.
    expect(w.slotIndex.entries.size).toBe(0)
    expect(w.gossip(frame)).toBe('accept new')
  })
})

describe('ignores what is of no use, and may be nobody’s fault', () => {
  test('unknown, inactive and quarantined signers', () => {
    const w = world()
    expect(w.gossip(say(stranger).frame)).toBe('ignore unknown')
    w.silent.add(1)
    expect(w.gossip(say(honest).frame)).toBe('ignore inactive')
    w.silent.delete(1)
    w.slotIndex.quarantine(honest.address)
    expect(w.gossip(say(honest).frame)).toBe('ignore quarantined')
  })

  // Bites: `<` for `<=` or a 1 too many at either end of the window.
  test('epochs: two behind, one ahead, no more', () => {
    for (const [epoch, wanted] of [
      [NOW_EPOCH - 3, 'ignore window'],
      [NOW_EPOCH - 2, 'accept new'],
      [NOW_EPOCH + 1, 'accept new'],
      [NOW_EPOCH + 2, 'ignore window'],
      [0xffff_ffff, 'ignore window'],
    ] as const) {
      expect(world().gossip(say(honest, { epoch }).frame), `epoch ${epoch}`).toBe(wanted)
    }
    expect(world({ pastEpochs: 9 }).gossip(say(honest, { epoch: NOW_EPOCH - 9 }).frame)).toBe('accept new')
  })

  test('a metered key outside of its tenure, and a mesh key retired too long', () => {
    const w = new World().enrol(honest, 1, { fromEpoch: NOW_EPOCH, untilEpoch: NOW_EPOCH + 1 })
    expect(w.gossip(say(honest, { epoch: NOW_EPOCH - 1 }).frame)).toBe('ignore tenure')
    expect(w.gossip(say(honest, { epoch: NOW_EPOCH }).frame)).toBe('accept new')
    expect(w.gossip(say(honest, { epoch: NOW_EPOCH + 1 }).frame)).toBe('ignore tenure')
    const vote = (position: bigint) =>
      say(honest, { kind: 7, scope: bytes32('scope'), bodies: [ZERO_32], position }).frame
    const end = (NOW_EPOCH + 1) * PARAMS.epochSeconds + PARAMS.unbondingSeconds
    w.nowMs = end * 1000
    expect(w.any(vote(1n))).toBe('accept new')
    w.nowMs = end * 1000 + 1
    expect(w.any(vote(2n))).toBe('ignore tenure')
  })
})

describe('statements that come in parts', () => {
  const bodies = gossip('a', 'b', 'c', 'd', 'e')
  const { frame, signed } = say(honest, { bodies })
  const leaf = (index: number) => encodeLeafFrame(signed, bodies, index)

  test('each leaf once, in any order, and then nothing more', () => {
    const w = world()
    for (const index of [3, 0, 4, 1, 2]) {
      expect(w.gossip(leaf(index))).toBe('accept new')
      expect(w.gossip(leaf(index))).toBe('ignore duplicate')
    }
    expect(w.gossip(frame)).toBe('ignore duplicate')
  })

  test('the batch after some leaves gives the others, and ends the matter', () => {
    const w = world()
    expect(w.gossip(leaf(1))).toBe('accept new')
    const verdict = w.admission.admit(frame, { kinds: [2] })
    expect(verdict.outcome === 'accept' && verdict.bodies.map((body) => body.leaf)).toEqual([0, 2, 3, 4])
    expect(w.gossip(leaf(2))).toBe('ignore duplicate')
    expect(w.admission.remembered.partialStatements).toBe(0)
  })

  // Bites: marking a leaf as seen before its path is checked: a forged leaf 2 then shadows the true one.
  test('a forged leaf under a known statement is rejected and shadows nothing', () => {
    const w = world()
    expect(w.gossip(leaf(1))).toBe('accept new')
    expect(w.gossip(changed(leaf(2), leaf(2).length - 1, 0))).toBe('reject path')
    expect(w.gossip(changed(leaf(2), 158, leaf(2)[158]! ^ 1))).toBe('reject signature')
    expect(w.gossip(leaf(2))).toBe('accept new')
  })

  test('a duplicate is dropped before its signature is looked at', () => {
    const w = world()
    expect(w.gossip(frame)).toBe('accept new')
    expect(w.gossip(changed(frame, 158, frame[158]! ^ 1))).toBe('ignore duplicate')
  })
})

describe('equivocation', () => {
  const first = say(liar, { bodies: gossip('yes') })
  const second = say(liar, { bodies: gossip('no') })

  test.each([
    ['yes, then no', first, second],
    ['no, then yes', second, first],
  ])('%s: one offence that the court proves, and the key is quarantined', (_, a, b) => {
    const w = world()
    expect(w.gossip(a.frame)).toBe('accept new')
    expect(w.gossip(b.frame)).toBe('ignore conflict')
    expect(w.gossip(b.frame)).toBe('ignore quarantined')
    expect(w.offences.length).toBe(1)
    const [offence] = w.offences
    expect(offence).toMatchObject({ faultType: FAULT.equivocation, stakeId: 2, signer: liar.address, domain: DOMAIN })
    expect(judge(FAULT.equivocation, offence!.evidence, court(w))).toMatchObject({
      proven: true,
      stakeId: 2,
      slot: offence!.slot,
    })
  })

  test('holds for votes in a mesh', () => {
    const w = world()
    const vote = (block: string) =>
      say(liar, { kind: 6, scope: bytes32('scope'), bodies: [bytes32(block)], position: 9n }).frame
    expect([w.any(vote('a')), w.any(vote('b'))]).toEqual(['accept new', 'ignore conflict'])
    expect(judge(FAULT.equivocation, w.offences[0]!.evidence, court(w)).proven).toBe(true)
  })

  // Bites: reporting before verifying: anyone could have an honest stake accused.
  test('a forged second content accuses nobody', () => {
    const w = world()
    expect(w.gossip(first.frame)).toBe('accept new')
    expect(w.gossip(changed(second.frame, 158, second.frame[158]! ^ 1))).toBe('reject signature')
    const forged = { ...second.signed, signature: stranger.sign(second.digest) }
    expect(w.gossip(encodeFrame(forged, second.bodies))).toBe('reject signature')
    expect(w.offences).toEqual([])
    expect(w.slotIndex.quarantined.size).toBe(0)
  })

  test('a second content whose path is wrong convicts all the same', () => {
    const w = world()
    expect(w.gossip(first.frame)).toBe('accept new')
    expect(w.gossip(changed(second.frame, second.frame.length - 1, 0))).toBe('ignore conflict')
    expect(w.offences.length).toBe(1)
  })

  // Bites: two signatures over one content taken for two contents.
  test('two signatures over one content are no lie', () => {
    const w = world()
    const bodies = gossip('a', 'b')
    const { digest, signed } = say(honest, { bodies })
    const again = secp256k1.sign(digest, bytes32('private key of honest'), { prehash: false, extraEntropy: ZERO_32 })
    const other = { ...signed, signature: again }
    expect(again).not.toEqual(signed.signature)
    expect(w.gossip(encodeLeafFrame(signed, bodies, 0))).toBe('accept new')
    expect(verifyDigest(honest.publicKey, digest, other.signature)).toBe(true)
    expect(w.gossip(encodeLeafFrame(other, bodies, 1))).toBe('accept new')
    expect(w.offences).toEqual([])
  })
})

describe('overrun', () => {
  test('is an offence once verified, once an epoch, at the first index not allowed', () => {
    const w = world()
    expect(w.gossip(say(liar, { index: PARAMS.gossipLimit - 1 }).frame)).toBe('accept new')
    expect(w.gossip(say(liar, { index: PARAMS.gossipLimit }).frame)).toBe('reject overrun')
    expect(w.gossip(say(liar, { index: PARAMS.gossipLimit + 1 }).frame)).toBe('reject overrun')
    expect(w.offences.map(({ faultType }) => faultType)).toEqual([FAULT.overrun])
    expect(judge(FAULT.overrun, w.offences[0]!.evidence, court(w)).proven).toBe(true)
    w.gossip(say(liar, { index: PARAMS.gossipLimit, epoch: NOW_EPOCH + 1 }).frame)
    expect(w.offences.length).toBe(2)
    expect(w.slotIndex.entries.size).toBe(1)
  })

  // Bites: the limit of one kind used for all.
  test('each kind has its own limit', () => {
    const value = { valueRoot: bytes32('root'), size: 1 }
    const put = encodeBody(KIND.put, { ...value, keyType: 1, keyPreimage: bytes32('name'), expiryEpoch: 1060n })
    const receipt = encodeBody(KIND.receipt, {
      ...value,
      putDigest: bytes32('put'),
      leaf: 0,
      recordKey: bytes32('key'),
      untilEpoch: 1060n,
      publisherStakeId: 1n,
    })
    for (const [kind, limit, bodies] of [
      [KIND.put, PARAMS.putLimit, [put]],
      [KIND.gossip, PARAMS.gossipLimit, gossip('x')],
      [KIND.receipt, PARAMS.receiptLimit, [receipt]],
    ] as const) {
      const w = world()
      expect(w.any(say(liar, { kind, bodies, index: limit - 1 }).frame), `kind ${kind}`).toBe('accept new')
      expect(w.any(say(liar, { kind, bodies, index: limit }).frame), `kind ${kind}`).toBe('reject overrun')
      expect(judge(FAULT.overrun, w.offences[0]!.evidence, court(w)).proven).toBe(true)
    }
  })

  test('a forged one accuses nobody', () => {
    const w = world()
    const said = say(liar, { index: PARAMS.gossipLimit })
    const forged = encodeFrame({ ...said.signed, signature: stranger.sign(said.digest) }, said.bodies)
    expect(w.gossip(forged)).toBe('reject signature')
    expect(w.offences).toEqual([])
  })
})

describe('the budget for conflicts', () => {
  const budget = { perSigner: { burst: 2, perSecond: 1 }, overall: { burst: 3, perSecond: 1 } }
  const forgery = (signer = honest, text = 'forged') => {
    const said = say(signer, { bodies: gossip(text) })
    return encodeFrame({ ...said.signed, signature: stranger.sign(said.digest) }, said.bodies)
  }

  // Bites: the budget left out: every forgery costs a verification.
  test('forgeries in one slot are verified only so often, for one signer and for all', () => {
    const w = world({ conflictBudget: budget })
    expect(w.gossip(say(honest).frame)).toBe('accept new')
    expect(w.gossip(say(liar).frame)).toBe('accept new')
    const verdicts = [forgery(), forgery(), forgery(), forgery(liar), forgery(liar)].map((frame) => w.gossip(frame))
    expect(verdicts).toEqual([
      'reject signature',
      'reject signature',
      'ignore budget',
      'reject signature',
      'ignore budget',
    ])
    w.nowMs += 1000
    expect(w.gossip(forgery())).toBe('reject signature')
    expect(w.gossip(forgery())).toBe('ignore budget')
  })

  test('a clock set back fills nothing and takes nothing, and what is new needs no budget', () => {
    const w = world({ conflictBudget: budget })
    expect(w.gossip(say(honest).frame)).toBe('accept new')
    for (let i = 0; i < 3; i++) w.gossip(forgery())
    w.nowMs -= 5000
    expect(w.gossip(forgery())).toBe('ignore budget')
    w.nowMs += 1000
    expect(w.gossip(forgery())).toBe('reject signature')
    expect(w.gossip(say(honest, { index: 1 }).frame)).toBe('accept new')
  })

  test('an overrun past the budget is rejected unverified', () => {
    const w = world({ conflictBudget: { ...budget, perSigner: { burst: 0, perSecond: 0 } } })
    expect(w.gossip(say(liar, { index: PARAMS.gossipLimit }).frame)).toBe('reject overrun')
    expect(w.offences).toEqual([])
  })
})

describe('statements of my own key', () => {
  function mine() {
    const seen: string[] = []
    const guard = { observeOwn: (statement: { position: bigint }) => seen.push(`${statement.position}`) > 0 }
    const own = { address: honest.address, publicKey: honest.publicKey, guard }
    return { w: new World({}, { own }).enrol(honest, 1).enrol(liar, 2), seen }
  }

  test('go to the guard once they are verified, are never passed on and never reported', () => {
    const { seen, w } = mine()
    const said = say(honest)
    expect(w.gossip(changed(said.frame, 158, said.frame[158]! ^ 1))).toBe('reject signature')
    expect(seen).toEqual([])
    expect(w.gossip(said.frame)).toBe('ignore own')
    expect(w.gossip(said.frame)).toBe('ignore duplicate')
    expect(w.gossip(say(honest, { bodies: gossip('not mine') }).frame)).toBe('ignore own')
    expect(w.gossip(say(honest, { index: PARAMS.gossipLimit }).frame)).toBe('ignore own')
    expect(seen.length).toBe(3)
    expect(w.offences).toEqual([])
    expect(w.slotIndex.quarantined.size).toBe(0)
  })

  test('are looked at even while the own stake may not speak', () => {
    const { seen, w } = mine()
    w.silent.add(1)
    expect(w.gossip(say(honest).frame)).toBe('ignore own')
    expect(seen.length).toBe(1)
  })
})

test('what is remembered does not hold on to the frame it came in', () => {
  const w = world()
  const { frame } = say(honest)
  w.gossip(frame)
  const [entry] = w.slotIndex.entries.values() as Iterable<SlotEntry>
  for (const part of [entry!.content, entry!.digest, entry!.signature]) expect(part.buffer).not.toBe(frame.buffer)
})

test('a plain domain does as well as a separator', () => {
  const w = world()
  const admission = new Admission({ domain: DOMAIN, params: PARAMS }, w.modules)
  expect(admission.admit(say(honest).frame, { kinds: [2] }).outcome).toBe('accept')
})
