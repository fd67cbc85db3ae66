import { type Hex, parseEther, parseEventLogs } from 'viem'
import { availabilityChallengeAbi, type ChainClient } from '../../../node/chain/index.ts'
import type { ChunkHolder, Head } from '../../../node/core/index.ts'
import { showChunk } from '../../../node/dht/replica/show-chunk.ts'
import { DEV_PARAMS, key } from '../contracts/fixture.ts'
import { ownerPut, type Promised, promise, separatorOf, shown, signerFor, valueBytes } from '../contracts/promises.ts'
import { openWorld } from './world.ts'

export const VALUE = valueBytes(5_000)

/** A chain with a writer (stake 1), a replica (stake 2) and another one (stake 3), all active, and challenges to open. */
export async function openChallengeWorld() {
  const world = await openWorld()
  const { contracts, networkHelpers } = world
  for (const index of [0, 1, 2]) {
    await world.register(index)
    const stakeId = BigInt(index + 1)
    const { drawBlock } = await contracts.registry.read.stakeOf([stakeId])
    await networkHelpers.mineUpTo(drawBlock + 1n)
    await contracts.registry.write.activate([stakeId, await world.headerRlp(drawBlock)])
  }
  const separator = separatorOf(world)
  const [writer, replica, other] = [signerFor('node 0'), signerFor('node 1'), signerFor('node 2')]
  let index = 0

  /** A receipt of the replica, or of the other one, at a fresh index. */
  async function promised({ by = replica, name = 'a name' } = {}): Promise<Promised> {
    const epoch = Number(await contracts.registry.read.currentEpoch())
    const speaking = { writer, replica: by, writerStakeId: 1, epoch, index: index++, separator }
    return promise(ownerPut(VALUE, epoch, name), speaking)
  }

  /** Opens a challenge from a rich account. @returns its id */
  async function challenge({ put, receipt }: Promised, chunkIndex = 0, value = parseEther('50')): Promise<Hex> {
    const args = [shown(receipt.frame, separator), shown(put.frame, separator), chunkIndex] as const
    const hash = await contracts.challenges.write.open(args, { value })
    const { logs } = await world.publicClient.getTransactionReceipt({ hash })
    const [opened] = parseEventLogs({ abi: availabilityChallengeAbi, eventName: 'Opened', logs })
    return opened!.args.challengeId
  }

  return {
    ...world,
    separator,
    replica,
    other,
    promised,
    challenge,
    gasAccount: (label: string) => key(`gas ${label}`),
    head: () => headOf(world.client),
    /** Past the window of every challenge there is. */
    async outwait() {
      const { responseBlocks, responseSeconds } = DEV_PARAMS
      await networkHelpers.mine(responseBlocks + 1, { interval: Math.ceil(responseSeconds / responseBlocks) + 1 })
    },
  }
}
export type ChallengeWorld = Awaited<ReturnType<typeof openChallengeWorld>>

export async function headOf(client: ChainClient): Promise<Head> {
  const { hash, number, timestamp } = await client.getBlock()
  return { number: number as bigint, hash: hash as Hex, timestamp: Number(timestamp), seenAtMs: 0 }
}

/** Holds the one value, and later PUTs by hand. */
export function holderOf({ later }: { readonly later?: Uint8Array } = {}): ChunkHolder {
  return {
    find: async (question) => (later === undefined ? showChunk(VALUE, question) : undefined),
    search: async () => undefined,
    laterPut: async () => later,
  }
}

/** A client with some of its methods replaced. */
export function clientWith(client: ChainClient, methods: Partial<Record<keyof ChainClient, unknown>>): ChainClient {
  return new Proxy(client, {
    get: (target, name) => Reflect.get(methods, name) ?? Reflect.get(target, name, target),
  })
}
