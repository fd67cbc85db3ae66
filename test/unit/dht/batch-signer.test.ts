import { describe, expect, test } from 'vitest'
import { KIND } from '../../../node/core/index.ts'
import { BatchSigner, type BatchSignerModules, type SignedBody } from '../../../node/dht/signing/batch-signer.ts'
import { VirtualTime } from '../../../node/lab/simulation/virtual-time.ts'
import { positionOf } from '../../../node/statements/index.ts'
import { PARAMS } from './world.ts'

const START_MS = 1_800_000_000_000
const body = (said: number) => Uint8Array.of(said)

/** A signer that writes down what it signed together, and what of it is still under way. */
function desk() {
  const time = new VirtualTime(START_MS)
  const batches: number[][] = []
  const epoch = Math.floor(START_MS / 1000 / PARAMS.epochSeconds)
  const statementSigner = {
    sign: async (_kind: unknown, bodies: readonly Uint8Array[]) => {
      batches.push(bodies.map((body) => body[0] as number))
      return { statement: { position: positionOf(epoch, batches.length - 1) }, leafFrames: () => [...bodies] }
    },
  } as unknown as BatchSignerModules['statementSigner']
  const signer = new BatchSigner(KIND.put, PARAMS, {
    statementSigner,
    clock: time,
    timers: { after: (delayMs, run) => time.after(delayMs, 'timer', run) },
    batchSizes: { observe: () => undefined },
  })
  const ends = new Map<number, () => void>()
  /** Signs and begins work that ends when {@link end} says so. */
  const begin = (said: number) =>
    signer.during(body(said), () => new Promise<void>((resolve) => void ends.set(said, resolve)))
  const end = (...numbers: readonly number[]) => {
    for (const number of numbers) ends.get(number)?.()
  }
  return { time, batches, signer, begin, end }
}

describe('bodies of one kind', () => {
  test('one alone is signed at once', async () => {
    const { begin, batches, time } = desk()
    void begin(1)
    await time.advance(0)
    expect(batches).toEqual([[1]])
  })

  test('those of one turn share a statement', async () => {
    const { begin, batches, time } = desk()
    for (const said of [1, 2, 3]) void begin(said)
    await time.advance(0)
    expect(batches).toEqual([[1, 2, 3]])
  })

  test('beside one that is under way another waits for nobody', async () => {
    const { begin, batches, time } = desk()
    void begin(1)
    await time.advance(0)
    void begin(2)
    await time.advance(0)
    expect(batches).toEqual([[1], [2]])
  })

  test('while more are under way one waits for them, and those that come meanwhile go with it', async () => {
    const { begin, batches, end, time } = desk()
    for (const said of [1, 2, 3]) void begin(said)
    await time.advance(0)
    void begin(4)
    await time.advance(2)
    expect(batches).toHaveLength(1)
    void begin(5)
    end(1, 2)
    await time.advance(0)
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ])
  })

  test('the wait ends by itself: work that never ends holds up nobody', async () => {
    const { begin, batches, time } = desk()
    for (const said of [1, 2, 3]) void begin(said)
    await time.advance(0)
    void begin(4)
    await time.advance(4)
    expect(batches).toHaveLength(1)
    await time.advance(1)
    expect(batches.at(-1)).toEqual([4])
  })

  test('work that fails is over, and its failure reaches its caller', async () => {
    const { batches, signer, time } = desk()
    const failing = [1, 2, 3].map((said) => signer.during(body(said), () => Promise.reject(new Error(`no ${said}`))))
    expect((await Promise.allSettled([...failing, time.advance(0)])).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
    ])
    void signer.sign(body(4))
    await time.advance(0)
    expect(batches.at(-1)).toEqual([4])
  })

  test('what is only signed is never under way', async () => {
    const { batches, signer, time } = desk()
    const signed: Promise<SignedBody>[] = [1, 2, 3].map((said) => signer.sign(body(said)))
    await time.advance(0)
    expect(await Promise.all(signed)).toHaveLength(3)
    void signer.sign(body(4))
    await time.advance(0)
    expect(batches.at(-1)).toEqual([4])
  })
})
