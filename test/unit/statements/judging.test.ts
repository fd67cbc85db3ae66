import { expect, test } from 'vitest'
import { KIND } from '../../../node/core/index.ts'
import { encodeLeafFrame, type Judging, type Verdict, verifyDigest } from '../../../node/statements/index.ts'
import { gossip, say, signerOf, TOPIC, World } from './world.ts'

const liar = signerOf('liar')
const world = () => new World().enrol(liar, 1)
const begin = (w: World, frame: Uint8Array): Judging =>
  w.admission.judging(frame, { kinds: [KIND.gossip], topicHash: TOPIC })

/** Stops where the signature is to be checked, and gives what goes on from there. */
function paused(judging: Judging): () => string {
  const step = judging.next()
  if (step.done) throw new Error(`judged at once: ${step.value.reason}`)
  const { publicKey, digest, signature } = step.value
  return () => {
    const { value } = judging.next(verifyDigest(publicKey, digest, signature))
    const { outcome, reason } = value as Verdict
    return `${outcome} ${reason}`
  }
}

// Break it caught: what was looked up before the check was trusted after it, and both contents were accepted.
test('two contents of one slot that are checked at the same time are an offence', () => {
  const w = world()
  const first = paused(begin(w, say(liar, { bodies: gossip('yes') }).frame))
  const second = paused(begin(w, say(liar, { bodies: gossip('no') }).frame))
  expect(first()).toBe('accept new')
  expect(second()).toBe('ignore conflict')
  expect(w.offences).toHaveLength(1)
})

test('two frames of one statement that are checked at the same time deliver each body once', () => {
  const w = world()
  const bodies = gossip('one', 'two')
  const { frame, signed } = say(liar, { bodies })
  const part = paused(begin(w, encodeLeafFrame(signed, bodies, 1)))
  const whole = paused(begin(w, frame))
  expect(part()).toBe('accept new')
  expect(whole()).toBe('accept new')
  expect(w.gossip(encodeLeafFrame(signed, bodies, 0))).toBe('ignore duplicate')
})

test('a signature that does not hold writes nothing', () => {
  const w = world()
  const { frame } = say(liar, { bodies: gossip('yes') })
  const judging = begin(w, frame)
  judging.next()
  expect(judging.next(false).value).toEqual({ outcome: 'reject', reason: 'signature' })
  expect(w.gossip(frame)).toBe('accept new')
})
