import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FAULT } from '../../../node/core/index.ts'
import {
  encodeLeafFrame,
  type Judging,
  type SignatureCheck,
  slotHash,
  type Verdict,
  verifyDigest,
} from '../../../node/statements/index.ts'
import { gossip, NOW_EPOCH, PARAMS, type Said, say, signerOf, World } from './world.ts'

const AMPLE = { perSigner: { burst: 1e9, perSecond: 0 }, overall: { burst: 1e9, perSecond: 0 } }
const [ann, bob] = [signerOf('ann'), signerOf('bob')]
const world = () => new World({ conflictBudget: AMPLE }).enrol(ann, 1).enrol(bob, 2)

/** A frame between two steps. */
interface Pending {
  readonly judging: Judging
  step: IteratorResult<SignatureCheck, Verdict>
}

function begin({ admission }: World, frame: Uint8Array): Pending {
  const judging = admission.judging(frame, { kinds: [2] })
  return { judging, step: judging.next() }
}

/** Answers the check a frame waits for. */
function finish(pending: Pending): Verdict {
  while (!pending.step.done) {
    const { digest, publicKey, signature } = pending.step.value
    pending.step = pending.judging.next(verifyDigest(publicKey, digest, signature))
  }
  return pending.step.value
}

const wordOf = ({ outcome, reason }: Verdict) => `${outcome} ${reason}`

test('frames that wait together for their signatures: the first to come back has the slot', () => {
  const yes = say(ann, { bodies: gossip('yes') })
  const no = say(ann, { bodies: gossip('no') })
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const w = world()
    const waiting = [yes, no].map(({ frame }) => begin(w, frame))
    expect(order.map((i) => wordOf(finish(waiting[i]!)))).toEqual(['accept new', 'ignore conflict'])
    expect(w.offences.length).toBe(1)
  }
})

// Bites: looking the slot up before the signature only: the statement is accepted twice.
test('one statement twice on its way is accepted once', () => {
  const w = world()
  const waiting = [1, 2].map(() => begin(w, say(ann).frame))
  expect(waiting.map((pending) => wordOf(finish(pending)))).toEqual(['accept new', 'ignore duplicate'])
})

// Bites: not asking again after the signature whether the signer was quarantined meanwhile.
test('what a liar has on its way when it is found out is not accepted', () => {
  const w = world()
  const late = begin(w, say(ann, { index: 5 }).frame)
  const third = begin(w, say(ann, { bodies: gossip('maybe') }).frame)
  expect(w.gossip(say(ann, { bodies: gossip('yes') }).frame)).toBe('accept new')
  expect(w.gossip(say(ann, { bodies: gossip('no') }).frame)).toBe('ignore conflict')
  expect([late, third].map((pending) => wordOf(finish(pending)))).toEqual(['ignore quarantined', 'ignore quarantined'])
  expect(w.offences.length).toBe(1)
})

// Bites: the known overruns looked at before the signature only.
test('two overruns on their way are one offence', () => {
  const w = world()
  const waiting = [0, 1].map((more) => begin(w, say(ann, { index: PARAMS.gossipLimit + more }).frame))
  expect(waiting.map((pending) => wordOf(finish(pending)))).toEqual(['reject overrun', 'reject overrun'])
  expect(w.offences.length).toBe(1)
})

test('a judging that is never ended leaves nothing behind', () => {
  const w = world()
  for (let i = 0; i < 50; i++) begin(w, say(ann, { index: i }).frame)
  expect(w.slotIndex.entries.size).toBe(0)
  expect(w.metrics.counts.size).toBe(0)
})

const spoken = new Map<string, Said>()
function saidOf(signer: typeof ann, index: number, texts: readonly string[]): Said {
  const key = [signer.address, index, ...texts].join()
  const said = spoken.get(key) ?? say(signer, { index, epoch: NOW_EPOCH, bodies: gossip(...texts) })
  spoken.set(key, said)
  return said
}

const frames = fc
  .record({
    signer: fc.constantFrom(ann, bob),
    index: fc.constantFrom(0, 1, PARAMS.gossipLimit),
    texts: fc.constantFrom(['a'], ['a', 'b'], ['a', 'c']),
    leaf: fc.option(fc.nat(1)),
    isForged: fc.boolean(),
  })
  .map(({ index, isForged, leaf, signer, texts }) => {
    const said = saidOf(signer, index, texts)
    const frame = leaf === null ? said.frame.slice() : encodeLeafFrame(said.signed, said.bodies, leaf % texts.length)
    if (isForged) frame[158] = frame[158]! ^ 1
    return frame
  })

// Bites: any look-up made before a signature check and trusted after it.
test('however steps interleave, each leaf is accepted once, and each slot has one content', () => {
  const plans = fc.array(fc.record({ frame: frames, finishNow: fc.nat(10) }), { minLength: 2, maxLength: 30 })
  fc.assert(
    fc.property(plans, (plan) => {
      const w = world()
      const contents = new Map<string, string>()
      const leaves = new Set<string>()
      const note = (verdict: Verdict) => {
        if (verdict.outcome !== 'accept') return
        const { signer, statement } = verdict.signed
        const slot = slotHash({ ...statement, signer })
        const content = Buffer.from(statement.content).toString('hex')
        expect(contents.get(slot) ?? content).toBe(content)
        contents.set(slot, content)
        for (const { leaf } of verdict.bodies) {
          expect(leaves.has(`${slot} ${leaf}`)).toBe(false)
          leaves.add(`${slot} ${leaf}`)
        }
      }
      const waiting: Pending[] = []
      for (const { finishNow, frame } of plan) {
        waiting.push(begin(w, frame))
        if (finishNow < waiting.length) note(finish(waiting.splice(finishNow, 1)[0]!))
      }
      for (const pending of waiting.reverse()) note(finish(pending))

      // Whoever is a liar here is one by an order of whole frames too, once all has been heard.
      const plain = world()
      for (const { frame } of [...plan, ...plan]) {
        w.gossip(frame)
        plain.gossip(frame)
      }
      const liars = ({ offences }: World) =>
        new Set(offences.filter(({ faultType }) => faultType === FAULT.equivocation).map(({ signer }) => signer))
      expect(liars(w)).toEqual(liars(plain))
    }),
    { numRuns: process.env.SUPRNOVA_LONG === '1' ? 5000 : 200 },
  )
})
