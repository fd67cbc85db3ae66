import { afterEach, describe, expect, it } from 'vitest'
import { KIND, toHex } from '../../../node/core/index.ts'
import { nameHashOf, PART_BYTES } from '../../../node/dht/index.ts'
import { OP } from '../../../node/dht/protocol/messages.ts'
import { SimulatedDisk } from '../../../node/store/index.ts'
import { bytes32 } from '../../vectors/generators/cast.ts'
import { bytesOf, gather, LIFE_EPOCHS, text, textOf, World } from './world.ts'

const BIG = bytesOf('big', 5 * PART_BYTES + 100)

let world: World
afterEach(() => Promise.all(world.nodes.map(({ dht }) => world.run(dht.stop()))))

/** Bytes that went out with stores since the last call. */
function storeBytes(): () => number {
  let before = world.network.traffic(OP.store).bytes
  return () => {
    const now = world.network.traffic(OP.store).bytes
    const sent = now - before
    before = now
    return sent
  }
}

async function read(by: number, key: string, owner: number) {
  const found = await world.run(world.of(by).dht.states.retrieveState(key, { owner }))
  return found.record === undefined ? undefined : world.run(gather(found.parts))
}

describe('signing a state anew', () => {
  it('lets it live longer, and sends its bytes to nobody who holds them', async () => {
    world = await World.of(4)
    const { states } = world.of(1).dht
    const value = bytesOf('one record', 60_000)
    const stored = await world.run(states.storeState('key', value))
    await world.run(stored.rest)
    await world.epochs(LIFE_EPOCHS - 5)
    const sent = storeBytes()
    const renewed = await world.run(states.renew('key'))
    expect(renewed).toMatchObject({ renewed: true, parts: 0, size: 60_000, expiryEpoch: world.epoch + LIFE_EPOCHS })
    expect(renewed.receipts.length).toBeGreaterThanOrEqual(2)
    await world.epochs(1)
    expect(sent()).toBeLessThan(5_000)
    await world.epochs(LIFE_EPOCHS - 2)
    expect(await read(3, 'key', 1)).toEqual(value)
    await world.epochs(5)
    expect(await read(3, 'key', 1)).toBeUndefined()
  })

  it('sends them to a replica that lacks them', async () => {
    world = await World.of(3)
    await world.run((await world.run(world.of(1).dht.states.storeState('key', text('value')))).rest)
    await world.epochs(30)
    for (const stakeId of [2, 3]) {
      world.kill(stakeId)
      await world.open(stakeId, new SimulatedDisk(() => 0))
    }
    // Alone it cannot know that its own copy is the newest; but who lacks it is mended by the look.
    const refused = await world.run(
      world
        .of(1)
        .dht.states.renew('key')
        .catch((error) => error),
    )
    expect(refused).toMatchObject({ code: 'DHT_NO_QUORUM', exitCode: 75 })
    await world.run(world.of(1).dht.client.idle())
    world.kill(3)
    await world.open(3, new SimulatedDisk(() => 0))
    const renewed = await world.run(world.of(1).dht.states.renew('key'))
    expect(renewed.receipts.length).toBeGreaterThanOrEqual(2)
    await world.time.advance(1_000)
    const third = world.of(3).dht.replica.book
    expect(textOf(third.current({ recordKey: renewed.recordKey, entry: new Uint8Array(32) })?.value())).toBe('value')
  })

  it('signs nothing for a state that lives long already, unless a longer end is asked for', async () => {
    world = await World.of(3)
    const { guard, dht } = world.of(1)
    await world.run(dht.states.storeState('key', text('value')))
    const used = guard.used(KIND.put)
    await world.epochs(1)
    expect(await world.run(dht.states.renew('key'))).toMatchObject({ renewed: false })
    expect(guard.used(KIND.put)).toBe(0)
    expect(used).toBe(1)
    const expiryEpoch = world.epoch + LIFE_EPOCHS
    expect(await world.run(dht.states.renew('key', { expiryEpoch }))).toMatchObject({ renewed: true, expiryEpoch })
  })

  it('renews the parts of a large value with it', async () => {
    world = await World.of(4)
    const { states } = world.of(1).dht
    await world.run((await world.run(states.storeState('big', BIG))).rest)
    await world.epochs(LIFE_EPOCHS - 3)
    const sent = storeBytes()
    const progress: number[] = []
    const renewed = await world.run(states.renew('big', { onProgress: (bytes) => progress.push(bytes) }))
    expect(renewed).toMatchObject({ renewed: true, parts: 6, size: BIG.length })
    expect(progress.at(-1)).toBe(BIG.length)
    await world.epochs(1)
    expect(sent()).toBeLessThan(30_000)
    await world.epochs(LIFE_EPOCHS - 3)
    expect(await read(2, 'big', 1)).toEqual(BIG)
  })

  it('of another stake renews the parts alone, and of its single record nothing', async () => {
    world = await World.of(4)
    const { states } = world.of(1).dht
    await world.run((await world.run(states.storeState('big', BIG))).rest)
    await world.run(states.storeState('small', text('value')))
    await world.epochs(LIFE_EPOCHS - 3)
    const other = world.of(2).dht.states
    expect(await world.run(other.renew('big', { owner: 1 }))).toMatchObject({ parts: 6, receipts: [] })
    const refused = await world.run(other.renew('small', { owner: 1 }).catch((error) => error))
    expect(refused).toMatchObject({ code: 'DHT_NOT_YOURS', values: { owner: 1 } })
    // The manifest ends with its life; the parts are content, and anybody who knows their roots has them.
    await world.run(states.renew('big', { expiryEpoch: world.epoch + 10 }))
    await world.epochs(8)
    expect(await read(3, 'big', 1)).toEqual(BIG)
  })

  it('does not put out a value that is stored at the same time', async () => {
    world = await World.of(3)
    const { states } = world.of(1).dht
    await world.run(states.storeState('key', text('old')))
    await world.epochs(40)
    const renewing = states.renew('key')
    const storing = states.storeState('key', text('new'))
    await world.run(Promise.all([renewing, storing]))
    expect(textOf(await read(2, 'key', 1))).toBe('new')
  })

  it('says that there is nothing when it is over', async () => {
    world = await World.of(3)
    await world.run(world.of(1).dht.states.storeState('key', text('value')))
    await world.epochs(LIFE_EPOCHS + 2)
    const error = await world.run(
      world
        .of(1)
        .dht.states.renew('key')
        .catch((reason) => reason),
    )
    expect(error).toMatchObject({ code: 'DHT_NOTHING_TO_RENEW', exitCode: 75 })
  })
})

describe('a state that is kept', () => {
  it('outlives many lives, also of a node that was restarted, and ends when it is let go', async () => {
    world = await World.of(3)
    await world.run(world.of(1).dht.states.storeState('key', text('value'), { keep: true }))
    await world.epochs(2 * LIFE_EPOCHS)
    expect(textOf(await read(2, 'key', 1))).toBe('value')
    world.kill(1)
    await world.epochs(10)
    const { states } = (await world.open(1)).dht
    expect(states.keeper?.list()).toHaveLength(1)
    await world.epochs(2 * LIFE_EPOCHS)
    expect(textOf(await read(2, 'key', 1))).toBe('value')
    // What was signed last is what it knows: else it would look for a newer end in every epoch.
    expect(states.keeper?.list()[0]?.expiryEpoch).toBeGreaterThan(world.epoch)
    const nameHash = new Uint8Array(Buffer.from(states.keeper?.list()[0]?.nameHash.slice(2) ?? '', 'hex'))
    expect(await states.keeper?.letGo(nameHash)).toBe(true)
    await world.epochs(LIFE_EPOCHS + 1)
    expect(await read(2, 'key', 1)).toBeUndefined()
    expect(states.keeper?.list()).toEqual([])
    world.kill(1)
    expect((await world.open(1)).dht.states.keeper?.list()).toEqual([])
  })

  it('stays let go when that was said while it was signed anew', async () => {
    world = await World.of(3)
    const { states } = world.of(1).dht
    await world.run(states.storeState('key', text('value'), { keep: true }))
    world.network.partition([[world.of(1).signer.address]])
    await world.epochs(40)
    world.network.heal()
    const looking = states.keeper?.look()
    expect(await states.keeper?.letGo(nameHashOf('key'))).toBe(true)
    await world.run(looking as Promise<void>)
    expect(world.of(1).metrics.of('suprnova_dht_renewals_total', 'renewed')).toBe(1)
    expect(states.keeper?.list()).toEqual([])
  })

  it('is kept by as many replicas as it was stored with', async () => {
    world = await World.of(6)
    const { receipts, states } = world.of(1).dht
    await world.run(states.storeState('key', text('value'), { keep: true, replicas: 5, quorum: 4 }))
    await world.epochs(LIFE_EPOCHS)
    const kept = [...receipts.list({ recordKey: toHex(states.keyOf('key')) })]
    const newest = kept.filter(({ put }) => toHex(put) === toHex(kept[0]?.put as Uint8Array))
    expect(new Set(newest.map(({ stakeId }) => stakeId)).size).toBe(5)
    expect(kept.length).toBeGreaterThan(newest.length)
  })

  it('is kept with its newest value, parts and all', async () => {
    world = await World.of(3)
    const { states } = world.of(1).dht
    await world.run(states.storeState('key', text('small'), { keep: true }))
    await world.run(states.storeState('key', BIG))
    await world.epochs(2 * LIFE_EPOCHS)
    expect(await read(2, 'key', 1)).toEqual(BIG)
  })

  it('that is over when the node comes back is told and kept no more', async () => {
    world = await World.of(3)
    await world.run(world.of(1).dht.states.storeState('key', text('value'), { keep: true }))
    world.kill(1)
    await world.epochs(LIFE_EPOCHS + 5)
    const node = await world.open(1)
    await world.epochs(2)
    expect(node.dht.states.keeper?.list()).toEqual([])
    expect(node.metrics.of('suprnova_dht_renewals_total', 'over')).toBe(1)
  })

  it('waits for its replicas while they are away', async () => {
    world = await World.of(4)
    const { dht, metrics } = world.of(1)
    await world.run(dht.states.storeState('key', text('value'), { keep: true }))
    world.network.partition([[world.of(1).signer.address]])
    await world.epochs(40)
    expect(metrics.of('suprnova_dht_renewals_total', 'failed')).toBeGreaterThan(0)
    world.network.heal()
    await world.epochs(LIFE_EPOCHS)
    expect(textOf(await read(2, 'key', 1))).toBe('value')
  })

  it('has no end of its own', async () => {
    world = await World.of(3)
    const storing = world.of(1).dht.states.storeState('key', text('v'), { keep: true, expiryEpoch: world.epoch + 3 })
    expect(await world.run(storing.catch((error) => error))).toMatchObject({ code: 'DHT_BAD_KEEP' })
  })
})

describe('a large value whose store failed', () => {
  it('is stored anew without signing or sending the parts that are there', async () => {
    world = await World.of(5)
    const { dht, guard } = world.of(1)
    let given = 0
    async function* breaking() {
      for (let at = 0; at < BIG.length; at += PART_BYTES) {
        if (++given > 4) throw new Error('the source broke')
        yield BIG.subarray(at, at + PART_BYTES)
      }
    }
    await expect(world.run(dht.states.storeState('big', breaking()))).rejects.toThrow('the source broke')
    await world.epochs(1)
    expect(guard.used(KIND.put)).toBe(0)
    const sent = storeBytes()
    const stored = await world.run(dht.states.storeState('big', BIG))
    await world.run(stored.rest)
    await world.time.advance(1_000)
    expect(stored).toMatchObject({ parts: 6, size: BIG.length, expiryEpoch: world.epoch - 1 + LIFE_EPOCHS })
    // Parts 5 and 6 to the replicas that are not this node itself, and the manifest.
    expect(sent()).toBeLessThan(3 * 1.2 * PART_BYTES + 10_000)
    expect(await read(3, 'big', 1)).toEqual(BIG)
  })

  it('with a byte changed is another value', async () => {
    world = await World.of(3)
    const { states } = world.of(1).dht
    await world.run(states.storeState('big', BIG))
    const other = BIG.slice()
    other[3 * PART_BYTES] = (other[3 * PART_BYTES] as number) ^ 1
    await world.run(states.storeState('big', other))
    expect(toHex((await read(2, 'big', 1)) ?? bytes32(''))).toBe(toHex(other))
  })
})
