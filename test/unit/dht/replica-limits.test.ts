import { describe, expect, it } from 'vitest'
import { encodeStore } from '../../../node/dht/index.ts'
import { decodeStoreAnswer } from '../../../node/dht/protocol/messages.ts'
import { FORGERY_CHARGE_REQUESTS } from '../../../node/dht/replica/constants.ts'
import { signerOf, text, World } from './world.ts'

const storeOf = ({ frame, value }: { readonly frame: Uint8Array; readonly value: Uint8Array }) =>
  encodeStore({ standIn: false, frame, value })

/** Asks the replica of `world` as stake 2, and says what it answered and what it charged. */
async function ask(world: World, request: Uint8Array) {
  const charged: number[] = []
  const from = { address: signerOf(2).address, stakeId: 2, charge: (requests: number) => void charged.push(requests) }
  const answer = decodeStoreAnswer(await world.run(world.of(1).dht.replica.handle(request, from)))
  return { said: answer.status === 'refused' ? answer.reason : answer.status, charged }
}

describe('what a replica charges', () => {
  // Seen to fail before: a forgery cost its sender one request and the node a look at the signature.
  it('is much for a forged signature or value, and nothing for what an honest node may send', async () => {
    const world = await World.of(3)
    await world.epochs(1)
    const record = world.put(2, { value: text('mine') })
    const forged = record.frame.slice()
    // Within the signature.
    forged[2 + 20 + 73 + 10] = (forged[2 + 20 + 73 + 10] as number) ^ 1
    expect(await ask(world, storeOf({ ...record, frame: forged }))).toEqual({
      said: 'invalid',
      charged: [FORGERY_CHARGE_REQUESTS],
    })
    expect(await ask(world, storeOf({ ...record, value: text('your') }))).toEqual({
      said: 'invalid',
      charged: [FORGERY_CHARGE_REQUESTS],
    })
    expect(await ask(world, storeOf(record))).toEqual({ said: 'stored', charged: [] })
    // Of an epoch that is over, by clocks that differ or a repair that came late.
    const old = world.put(2, { epoch: world.epoch - 100, index: 5 })
    expect(await ask(world, storeOf(old))).toMatchObject({ said: 'window', charged: [] })
  })
})

describe('a disk without room for records', () => {
  it('takes no record, says so, and takes them again by itself', async () => {
    let hasRoom = true
    const world = await World.of(3, { hasRoom: () => hasRoom })
    await world.epochs(1)
    expect(await ask(world, storeOf(world.put(2, { index: 1 })))).toMatchObject({ said: 'stored' })
    hasRoom = false
    expect(await ask(world, storeOf(world.put(3, { index: 2 })))).toMatchObject({ said: 'full', charged: [] })
    expect(world.of(1).dht.stats()).toMatchObject({ full: true, records: 1 })
    hasRoom = true
    expect(await ask(world, storeOf(world.put(3, { index: 2 })))).toMatchObject({ said: 'stored' })
    expect(world.of(1).dht.stats()).toMatchObject({ full: false, records: 2 })
  })

  it('gives no receipt when its guard finds no room for a mark, and names the disk', async () => {
    const world = await World.of(3)
    await world.epochs(1)
    world.of(1).guard.refusal = 'full'
    expect(await ask(world, storeOf(world.put(2, { index: 1 })))).toMatchObject({ said: 'full' })
    world.of(1).guard.refusal = 'skew'
    expect(await ask(world, storeOf(world.put(2, { index: 2 })))).toMatchObject({ said: 'draining' })
  })
})
