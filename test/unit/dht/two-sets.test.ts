import { afterEach, describe, expect, it } from 'vitest'
import { signerOf, text, textOf, World } from './world.ts'

let world: World
afterEach(() => Promise.all(world.nodes.map(({ dht }) => world.run(dht.stop()))))

const ENTRY = new Uint8Array(32)

/** A world in the first epoch after stake 7 came, placed exactly where the record of stake 1 is. */
async function changed() {
  world = await World.of(6)
  const recordKey = world.of(1).dht.states.keyOf('key')
  const before = world.of(1).dht.tables.setsOf(recordKey, world.epoch, 3).members
  world.chain.register(signerOf(7), recordKey)
  await world.time.advance(1_500)
  await world.open(7)
  const change = async () => {
    while (!world.of(1).dht.tables.changed(world.epoch)) await world.time.advance(500)
  }
  const holds = (stakeId: number) =>
    textOf(world.of(stakeId).dht.replica.book.current({ recordKey, entry: ENTRY })?.value())
  return { recordKey, before, change, holds }
}

describe('in the first epoch after a change', () => {
  it('a store is done when both sets have their quorum', async () => {
    const { before, change, holds, recordKey } = await changed()
    await change()
    const { sets } = world.of(1).dht.tables.setsOf(recordKey, world.epoch, 3)
    expect(sets).toEqual([[7, ...before.slice(0, 2)], before])
    const stored = await world.run(world.of(1).dht.states.storeState('key', text('value')))
    for (const set of sets) expect(set.filter((stakeId) => holds(stakeId) === 'value').length).toBeGreaterThanOrEqual(2)
    expect(stored.receipts.length).toBeGreaterThanOrEqual(2)
  })

  it('two receipts of the old set alone are not enough when the new one has none', async () => {
    const { before, change } = await changed()
    await change()
    // The new stake is away, and so is one of those that are in both sets.
    world.kill(7)
    for (const stakeId of before.slice(0, 2)) if (stakeId !== 1) world.kill(stakeId)
    const storing = world.of(1).dht.states.storeState('key', text('value'))
    const error = await world.run(
      storing.then(
        (stored) => stored,
        (reason) => reason,
      ),
    )
    // Who stands in may save it, and then it says who: never two of the old set by themselves.
    if ('code' in error) expect(error).toMatchObject({ code: 'DHT_TOO_FEW_RECEIPTS' })
    else {
      const receipts: number[] = error.receipts.map(({ stakeId }: { stakeId: number }) => stakeId)
      const fresh = [7, ...before.slice(0, 2)]
      const counted = receipts.filter((stakeId) => fresh.includes(stakeId) || !before.includes(stakeId))
      expect(counted.length).toBeGreaterThanOrEqual(2)
    }
  })

  it('a read finds what was stored a moment before, by nodes of both opinions of the time', async () => {
    const { change } = await changed()
    await world.run((await world.run(world.of(1).dht.states.storeState('key', text('before')))).rest)
    await change()
    for (const [stakeId, skewMs] of [
      [2, 0],
      [3, -9_000],
      [4, 9_000],
    ] as const) {
      world.skewMs.set(stakeId, skewMs)
      const found = await world.run(world.of(stakeId).dht.states.retrieveState('key', { owner: 1 }))
      expect(textOf(found.record?.value), `clock off by ${skewMs} ms`).toBe('before')
      if (found.record !== undefined) expect(found.quorum).toBe(true)
    }
  })

  it('and in the next one the new set alone is asked, and has been given the record', async () => {
    const { change, holds } = await changed()
    await world.run((await world.run(world.of(1).dht.states.storeState('key', text('before')))).rest)
    await change()
    await world.epochs(2)
    expect(holds(7)).toBe('before')
    const found = await world.run(world.of(5).dht.states.retrieveState('key', { owner: 1 }))
    expect(found.record && found.quorum).toBe(true)
  })
})
