import { type Hex, hexToBytes, keccak256 } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  activateStake,
  type ChainStakeView,
  faultCourtAbi,
  openCourt,
  openReporter,
  openStakeView,
  type Reporter,
  type ReporterEvent,
  readCredits,
  readStake,
  registerStake,
  stakeRegistryAbi,
  transferToken,
} from '../../../node/chain/index.ts'
import type { Offence, Random, Table } from '../../../node/core/index.ts'
import { ManualTime, MemoryTable, recordingLogger, recordingMetrics } from '../../unit/chain/stand-ins.ts'
import { DEV_PARAMS, MIN_STAKE } from '../contracts/fixture.ts'
import { addressOf, openWorld, privateKeyOf, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

interface Opened {
  readonly reporter: Reporter
  readonly view: ChainStakeView
  readonly events: ReporterEvent[]
  readonly beneficiary: Hex
}
const opened: Opened[] = []
afterEach(async () => {
  await automine(true)
  for (const { reporter, view } of opened.splice(0)) {
    await reporter.close()
    await view.close()
  }
})

const automine = (on: boolean) => world.provider.request({ method: 'evm_setAutomine', params: [on] })

async function openOne(gasKey: PrivateKeyAccount, table: Table = new MemoryTable()): Promise<Opened> {
  const { client, chainId, genesisHash, deployment } = world
  const [time, logger, metrics] = [new ManualTime(), recordingLogger(), recordingMetrics()]
  const view = await openStakeView(
    {
      chainId,
      genesisHash,
      registry: deployment.registry,
      salt: deployment.salt,
      fromBlock: 0,
      confirmationsBlocks: 0,
      pollMs: 100,
      retainSeconds: DEV_PARAMS.unbondingSeconds,
      skewSeconds: DEV_PARAMS.skewSeconds,
      staleAfterMs: 10_000,
    },
    { client, clock: time, timers: time, logger, metrics },
  )
  const random: Random = { bytes: (length) => hexToBytes(keccak256(gasKey.address)).slice(0, length) }
  const reporter = openReporter(
    { rewardWindowSeconds: DEV_PARAMS.rewardWindowSeconds, maxFeePerGasWei: 10n ** 12n },
    { court: openCourt(client, deployment, gasKey), table, stakeView: view, random, logger, metrics },
  )
  const events: ReporterEvent[] = []
  reporter.onEvent((event) => events.push(event))
  const one = { reporter, view, events, beneficiary: gasKey.address }
  opened.push(one)
  return one
}

/** A staked liar and what convicts it. */
async function liar(index: number, faultType: 1 | 2): Promise<Offence> {
  const wallet = world.wallet(index)
  const modules = { client: world.client, deployment: world.deployment, wallet }
  const owner = { ...modules, wallet: world.owner }
  await transferToken(owner, { to: wallet.account.address, amountWei: MIN_STAKE })
  const nodePrivateKey = privateKeyOf(2 * index)
  const personPrivateKey = privateKeyOf(2 * index + 1)
  const { consequences } = await registerStake(modules, { amountWei: MIN_STAKE, nodePrivateKey, personPrivateKey })
  await world.networkHelpers.mine(1)
  await world.networkHelpers.mine(1)
  await world.networkHelpers.mine(1)
  await activateStake(modules, consequences)
  const { stakeId } = consequences
  const nodeKey = privateKeyToAccount(nodePrivateKey)
  const epoch = await world.client.readContract({
    address: world.deployment.registry,
    abi: stakeRegistryAbi,
    functionName: 'currentEpoch',
  })
  const evidence =
    faultType === 1 ? await world.equivocationEvidence(nodeKey, epoch) : await world.overrunEvidence(nodeKey, epoch)
  const slot = keccak256(evidence.slice(0, 2 + 61 * 2) as Hex)
  const faultId = await world.client.readContract({
    address: world.deployment.court,
    abi: faultCourtAbi,
    functionName: 'faultIdOf',
    args: [faultType, BigInt(stakeId), slot],
  })
  const { chainId, registry, salt } = world.deployment
  const domain = { chainId, verifyingContract: registry, salt }
  return {
    faultType,
    stakeId,
    signer: addressOf(nodePrivateKey),
    slot,
    faultId,
    evidence: hexToBytes(evidence),
    domain,
  }
}

/** One block, then everybody has seen it. */
async function block(all: readonly Opened[]): Promise<void> {
  await world.networkHelpers.mine(1)
  for (const { view, reporter } of all) {
    await view.sync()
    await reporter.look()
  }
}

test('five nodes see one lie: two blocks to the slash, one slash, one reward', async () => {
  const offence = await liar(0, 1)
  const all: Opened[] = []
  for (const label of ['a', 'b', 'c', 'd', 'e']) all.push(await openOne(await world.gasKey(label)))
  await automine(false)
  const seenAt = await world.client.getBlockNumber()
  for (const { reporter } of all) reporter.report(offence)
  for (const { reporter } of all) await reporter.look()
  await block(all)
  expect(all.flatMap(({ events }) => events).map(({ type }) => type)).toEqual(Array(5).fill('committed'))
  await block(all)
  const slashes = all.flatMap(({ events }) => events).filter((event) => event.type === 'slashed')
  expect(slashes.map((event) => Number(event.blockNumber))).toEqual(Array(5).fill(Number(seenAt) + 2))

  await block(all)
  await world.networkHelpers.time.increase(DEV_PARAMS.rewardWindowSeconds)
  for (let more = 0; more < 4; more++) await block(all)
  expect(all.every(({ reporter }) => reporter.cases().length === 0)).toBe(true)
  const outcomes = all.map(({ events }) => (events.at(-1) as { outcome?: string }).outcome).sort()
  expect(outcomes).toEqual(['rewarded', 'slashed', 'slashed', 'slashed', 'slashed'])

  const modules = { client: world.client, deployment: world.deployment }
  expect(await readStake(modules, offence)).toMatchObject({ tombstoned: true, amountWei: (MIN_STAKE * 95n) / 100n })
  const credits = await Promise.all(all.map(({ beneficiary }) => readCredits(modules, beneficiary)))
  expect(credits.filter((credit) => credit > 0n)).toEqual([MIN_STAKE / 200n])
  const proven = await world.client.getContractEvents({
    address: world.deployment.court,
    abi: faultCourtAbi,
    eventName: 'FaultProven',
    fromBlock: 0n,
  })
  expect(proven).toHaveLength(1)
  expect(all[0]?.view.stake(offence.stakeId)).toMatchObject({ tombstoned: true })
})

test('a restart in the middle goes on where the chain is', async () => {
  const offence = await liar(1, 2)
  const table = new MemoryTable()
  const gasKey = await world.gasKey('f')
  const first = await openOne(gasKey, table)
  await automine(false)
  first.reporter.report(offence)
  await first.reporter.look()
  await first.reporter.close()
  await world.networkHelpers.mine(1)
  const second = await openOne(gasKey, table)
  expect(second.reporter.cases()).toMatchObject([{ faultId: offence.faultId, stakeId: offence.stakeId }])
  await second.reporter.look()
  for (let more = 0; more < 3; more++) await block([second])
  await world.networkHelpers.time.increase(DEV_PARAMS.rewardWindowSeconds)
  for (let more = 0; more < 3; more++) await block([second])
  expect(second.events.map(({ type }) => type)).toEqual(['committed', 'slashed', 'finished'])
  expect(second.events.at(-1)).toMatchObject({ outcome: 'rewarded' })
  expect(table.rows.size).toBe(0)
})

test('a reorg of the slash is mended', async () => {
  const offence = await liar(2, 1)
  const one = await openOne(await world.gasKey('g'))
  await automine(false)
  one.reporter.report(offence)
  await one.reporter.look()
  await block([one])
  const beforeSlash = await world.networkHelpers.takeSnapshot()
  await block([one])
  expect(one.view.stake(offence.stakeId)).toMatchObject({ tombstoned: true })
  await beforeSlash.restore()
  await world.networkHelpers.mine(1)
  await world.networkHelpers.mine(1)
  await one.view.sync()
  await one.reporter.look()
  for (let more = 0; more < 5; more++) await block([one])
  await world.networkHelpers.time.increase(DEV_PARAMS.rewardWindowSeconds)
  for (let more = 0; more < 4; more++) await block([one])
  expect(one.view.stake(offence.stakeId)).toMatchObject({ tombstoned: true })
  expect(one.events.at(-1)).toMatchObject({ type: 'finished', outcome: 'rewarded' })
})
