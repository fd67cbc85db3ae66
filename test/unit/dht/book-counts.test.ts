import { afterEach, expect, test } from 'vitest'
import { text, World } from './world.ts'

let world: World
afterEach(() => Promise.all(world.nodes.map(({ dht }) => world.run(dht.stop()))))

test('a book that is opened again holds and owes what it did', async () => {
  world = await World.of(3)
  for (const value of ['older', 'newer']) {
    await world.run((await world.run(world.of(1).dht.states.storeState('key', text(value)))).rest)
  }
  const before = world.of(2).dht.replica.book.stats()
  expect(before).toMatchObject({ records: 1, older: 1, writers: 1 })
  expect(before.promisedUntilEpoch).toBeGreaterThan(world.epoch)
  world.kill(2)
  const { book } = (await world.open(2)).dht.replica
  expect(book.stats()).toEqual(before)
  expect(book.usage(1)).toEqual({ records: 2, bytes: before.bytes })
})
