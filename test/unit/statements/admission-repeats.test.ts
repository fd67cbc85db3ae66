import { describe, expect, test } from 'vitest'
import { KIND } from '../../../node/core/index.ts'
import { encodeLeafFrame } from '../../../node/statements/index.ts'
import { gossip, NOW_EPOCH, say, signerOf, World } from './world.ts'

const honest = signerOf('honest')
const liar = signerOf('liar')
const world = () => new World().enrol(honest, 1).enrol(liar, 2)
const reading = { kinds: [KIND.gossip], repeats: 'accept' } as const

describe('where repeats are taken', () => {
  const bodies = gossip('a', 'b', 'c')
  const { frame, signed } = say(honest, { bodies })

  test('a statement seen before gives all its bodies again, and says so', () => {
    const w = world()
    expect(w.admission.admit(frame, reading)).toMatchObject({ outcome: 'accept', reason: 'new' })
    const again = w.admission.admit(frame, reading)
    expect(again.outcome === 'accept' && again.bodies.map(({ leaf }) => leaf)).toEqual([0, 1, 2])
    expect(again.reason).toBe('known')
  })

  // Bites: noting the leaf of a statement known whole, which makes its other leaves look missing.
  test('reading a leaf of a statement known whole opens no door to gossip', () => {
    const w = world()
    expect(w.gossip(frame)).toBe('accept new')
    expect(w.admission.admit(encodeLeafFrame(signed, bodies, 1), reading).reason).toBe('known')
    expect(w.gossip(encodeLeafFrame(signed, bodies, 2))).toBe('ignore duplicate')
  })

  test('a known statement with another signature or a wrong path is refused all the same', () => {
    const w = world()
    const leaf = encodeLeafFrame(signed, bodies, 1)
    expect(w.admission.admit(leaf, reading).outcome).toBe('accept')
    const forged = leaf.slice()
    forged[158] = forged[158]! ^ 1
    expect(w.admission.admit(forged, reading).reason).toBe('signature')
    const misled = leaf.slice()
    misled[misled.length - 1] = misled[misled.length - 1]! ^ 1
    expect(w.admission.admit(misled, reading).reason).toBe('path')
  })

  test('a second content is an offence there too', () => {
    const w = world()
    expect(w.admission.admit(say(liar, { bodies: gossip('yes') }).frame, reading).outcome).toBe('accept')
    expect(w.admission.admit(say(liar, { bodies: gossip('no') }).frame, reading).reason).toBe('conflict')
    expect(w.offences).toHaveLength(1)
  })

  test('the window is what the place says', () => {
    const w = world()
    const old = say(honest, { epoch: NOW_EPOCH - 5 }).frame
    expect(w.admission.admit(old, reading).reason).toBe('window')
    expect(w.admission.admit(old, { ...reading, pastEpochs: 5 }).outcome).toBe('accept')
    const ahead = say(honest, { epoch: NOW_EPOCH + 2 }).frame
    expect(w.admission.admit(ahead, { ...reading, pastEpochs: 5 }).reason).toBe('window')
  })
})
