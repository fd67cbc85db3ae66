import fc from 'fast-check'
import { expect, test } from 'vitest'
import { equalBytes, FAULT, type Signer, type Slot, type SlotEntry } from '../../../node/core/index.ts'
import {
  contentOf,
  decodeFrame,
  encodeLeafFrame,
  type Frame,
  judge,
  MAX_BUDGETED_SIGNERS,
  nobleSecp256k1,
  slotHash,
  statementDigest,
  verifyDigest,
} from '../../../node/statements/index.ts'
import { mutate, mutations } from './arbitraries.ts'
import { gossip, NOW_EPOCH, PARAMS, PlainSlotIndex, type Said, SEPARATOR, say, signerOf, World } from './world.ts'

const LONG = process.env.SUPRNOVA_LONG === '1'
const AMPLE = { perSigner: { burst: 1e9, perSecond: 0 }, overall: { burst: 1e9, perSecond: 0 } }

const signers = ['ann', 'bob', 'cat'].map(signerOf)
const stranger = signerOf('stranger')

/** What signers say: few slots and few contents, so that lies, repeats and overruns are common. */
const sayings = fc.record({
  signer: fc.constantFrom(...signers, stranger),
  epoch: fc.constantFrom(NOW_EPOCH - 3, NOW_EPOCH - 2, NOW_EPOCH, NOW_EPOCH + 1, NOW_EPOCH + 2),
  index: fc.constantFrom(0, 1, PARAMS.gossipLimit - 1, PARAMS.gossipLimit, 0xffff_ffff),
  texts: fc.constantFrom(['a'], ['b'], ['a', 'b', 'c'], ['a', 'b', 'd']),
})

/** A frame of one of them: whole or a leaf, sound or damaged. */
const deliveries = fc.record({
  saying: sayings,
  leaf: fc.option(fc.nat(2)),
  damage: fc.option(mutations, { freq: 4 }),
})

const spoken = new Map<string, Said>()
/** Signing is slow and the sayings repeat. */
function saidOf({
  epoch,
  index,
  signer,
  texts,
}: {
  epoch: number
  index: number
  signer: Signer
  texts: readonly string[]
}): Said {
  const key = [signer.address, epoch, index, ...texts].join()
  const said = spoken.get(key) ?? say(signer, { epoch, index, bodies: gossip(...texts) })
  spoken.set(key, said)
  return said
}

function frameOf({ damage, leaf, saying }: typeof deliveries extends fc.Arbitrary<infer D> ? D : never): Uint8Array {
  const said = saidOf(saying)
  const frame = leaf === null ? said.frame : encodeLeafFrame(said.signed, said.bodies, leaf % said.bodies.length)
  return damage === null ? frame : mutate(frame, damage)
}

/** A slot index that takes nothing it cannot verify by itself, with the other library. */
class DistrustfulSlotIndex extends PlainSlotIndex {
  override put(slot: Slot, entry: SlotEntry): void {
    const signer = signers.find(({ address }) => address === slot.signer)
    expect(signer).toBeDefined()
    expect(entry.digest).toEqual(statementDigest(SEPARATOR, { ...slot, content: entry.content }))
    expect(verifyDigest(signer!.publicKey, entry.digest, entry.signature, nobleSecp256k1)).toBe(true)
    super.put(slot, entry)
  }
}

function node(): World {
  const slotIndex = new DistrustfulSlotIndex()
  const world = new World({ conflictBudget: AMPLE }, { slotIndex })
  signers.forEach((signer, i) => {
    world.enrol(signer, i + 1)
  })
  return world
}

/** The rules again, plainly: what each frame of a sequence must come to. */
class Model {
  readonly contents = new Map<string, Uint8Array>()
  readonly leaves = new Map<string, Set<number>>()
  readonly liars = new Set<string>()
  readonly overrun = new Set<string>()

  outcome(raw: Uint8Array): string {
    let frame: Frame
    try {
      frame = decodeFrame(raw)
    } catch {
      return 'reject'
    }
    const { signature, signer, statement } = frame.signed
    const epoch = Number(statement.position >> 32n)
    const inWindow = epoch >= NOW_EPOCH - 2 && epoch <= NOW_EPOCH + 1
    const speaker = signers.find(({ address }) => address === signer)
    if (statement.kind !== 2 || statement.scope.some((byte) => byte !== 0)) return 'reject'
    if (frame.bodies.some(({ bytes }) => !equalBytes(bytes.subarray(0, 32), gossip('')[0]!.subarray(0, 32))))
      return 'reject'
    if (!inWindow || this.liars.has(signer) || speaker === undefined) return 'ignore'
    if (Number(statement.position & 0xffffffffn) >= PARAMS.gossipLimit) return 'reject'

    const slot = slotHash({ ...statement, signer })
    const known = this.contents.get(slot)
    const same = known !== undefined && equalBytes(known, statement.content)
    const seen = this.leaves.get(slot)
    if (same && frame.bodies.every(({ leaf }) => seen!.has(leaf))) return 'ignore'
    const digest = statementDigest(SEPARATOR, statement)
    if (!verifyDigest(speaker.publicKey, digest, signature, nobleSecp256k1)) return 'reject'
    if (known && !same) {
      this.liars.add(signer)
      return 'ignore'
    }
    if (!equalBytes(contentOf(frame), statement.content)) return 'reject'
    this.contents.set(slot, statement.content)
    const all = frame.whole ? Array.from({ length: 64 }, (_, leaf) => leaf) : frame.bodies.map(({ leaf }) => leaf)
    this.leaves.set(slot, new Set([...(seen ?? []), ...all]))
    return 'accept'
  }
}

// Bites: any check of `Admission` left out or moved behind a write.
test('every frame of every sequence comes to what the rules say', () => {
  fc.assert(
    fc.property(fc.array(deliveries, { minLength: 1, maxLength: 40 }), (sequence) => {
      const [world, model] = [node(), new Model()]
      for (const delivery of sequence) {
        const raw = frameOf(delivery)
        expect(world.gossip(raw).split(' ')[0]).toBe(model.outcome(raw))
      }
      const accused = world.offences.filter(({ faultType }) => faultType === FAULT.equivocation)
      expect(new Set(accused.map(({ signer }) => signer))).toEqual(model.liars)
    }),
    { numRuns: LONG ? 5000 : 150 },
  )
})

test('every offence is one that the court proves', () => {
  fc.assert(
    fc.property(fc.array(deliveries, { minLength: 10, maxLength: 40 }), (sequence) => {
      const world = node()
      for (const delivery of sequence) world.gossip(frameOf(delivery))
      for (const { evidence, faultType, slot, stakeId } of world.offences) {
        const context = { domain: SEPARATOR, params: PARAMS, at: world.nowMs / 1000, key: world.modules.stakeView.key }
        expect(judge(faultType as 1 | 2, evidence, context)).toMatchObject({ proven: true, stakeId, slot })
      }
    }),
    { numRuns: LONG ? 2000 : 60 },
  )
})

// Bites: keeping a frame whose path is wrong: it then decides what comes after it.
test('the order of arrival does not decide who is found out', () => {
  const shuffled = fc
    .array(deliveries, { minLength: 2, maxLength: 30 })
    .chain((sequence) => fc.tuple(fc.constant(sequence), fc.shuffledSubarray(sequence, { minLength: sequence.length })))
  fc.assert(
    fc.property(shuffled, ([one, other]) => {
      const offenders = [one, other].map((sequence) => {
        const world = node()
        // Twice: in the second round everything has been there before, so only order differs.
        for (const delivery of [...sequence, ...sequence]) world.gossip(frameOf(delivery))
        const accused = world.offences.filter(({ faultType }) => faultType === FAULT.equivocation)
        return accused.map(({ signer }) => signer).sort()
      })
      expect(offenders[0]).toEqual(offenders[1])
    }),
    { numRuns: LONG ? 2000 : 60 },
  )
})

// Two nodes that accepted different things for one slot hold what convicts.
test('what two nodes accepted, the court can punish', () => {
  fc.assert(
    fc.property(fc.array(deliveries, { minLength: 20, maxLength: 60 }), (sequence) => {
      const nodes = [node(), node()] as const
      sequence.forEach((delivery, i) => {
        nodes[i % 2]!.gossip(frameOf(delivery))
      })
      const [a, b] = nodes.map(({ modules }) => (modules.slotIndex as PlainSlotIndex).entries) as [
        Map<string, SlotEntry>,
        Map<string, SlotEntry>,
      ]
      for (const [slot, entry] of a) {
        const against = b.get(slot)
        if (against === undefined || equalBytes(against.content, entry.content)) continue
        const third = node()
        const frames = sequence.map(frameOf)
        for (const raw of frames) third.gossip(raw)
        expect(third.offences.some(({ faultType }) => faultType === FAULT.equivocation)).toBe(true)
      }
    }),
    { numRuns: LONG ? 1000 : 30 },
  )
})

// Bites: remembering a signer, a slot or a leaf before its signature was checked.
test('hostile frames cost bounded memory and leave nothing behind', () => {
  const world = new World()
  const ann = signers[0]!
  world.enrol(ann, 1)
  const template = saidOf({ signer: ann, epoch: NOW_EPOCH, index: 0, texts: ['a', 'b', 'c'] })
  const frame = encodeLeafFrame(template.signed, template.bodies, 1)
  const view = new DataView(frame.buffer)
  const frames = LONG ? 1_000_000 : 60_000
  for (let i = 0; i < frames; i++) {
    view.setUint32(2, i) // a new signer each time
    world.gossip(frame)
  }
  // Of known signers, forged: new slots, second contents, overruns.
  const others = LONG ? MAX_BUDGETED_SIGNERS + 500 : 300
  for (let i = 0; i < others; i++) {
    const address = `0x${i.toString(16).padStart(40, '0')}` as const
    world.enrol({ ...ann, address }, i + 2)
    frame.set(Buffer.from(address.slice(2), 'hex'), 2)
    view.setUint32(59, i % 2 ? i % PARAMS.gossipLimit : 0xffff_0000 + i)
    world.gossip(frame)
  }
  expect(world.slotIndex.entries.size).toBe(0)
  expect(world.offences).toEqual([])
  expect(world.admission.remembered).toMatchObject({ partialStatements: 0, overruns: 0 })
  expect(world.admission.remembered.budgetedSigners).toBeLessThanOrEqual(MAX_BUDGETED_SIGNERS)
  expect(world.gossip(template.frame)).toBe('accept new')
})
