import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStakes } from '../../../node/chain/actions/readStake.ts'
import {
  type ActionModules,
  activateStake,
  type ChainClient,
  type ChainStakeView,
  type CompletePin,
  openStakeView,
  parseRegistrySnapshot,
  type ReadModules,
  RegistryReader,
  registerStake,
  registrySnapshotToJson,
  rotateKey,
  SnapshotView,
  snapshotOfView,
  submitEvidence,
  topUp,
  transferToken,
  unbond,
  unjail,
  withdraw,
} from '../../../node/chain/index.ts'
import type { ChainKey, ChainStake } from '../../../node/chain/stake-view/reducer.ts'
import type { StakeRow } from '../../../node/core/index.ts'
import { ManualTime, recordingLogger, recordingMetrics } from '../../unit/chain/stand-ins.ts'
import { DEV_PARAMS, MIN_STAKE } from '../contracts/fixture.ts'
import { openWorld, privateKeyOf, type World } from './world.ts'

const LONG = process.env.SUPRNOVA_LONG === '1'
const STEPS = LONG ? 2_000 : 120
const READER_STEPS = LONG ? 400 : 40
const OPERATORS = 8
const LAG_SECONDS = 5

let world: World
beforeAll(async () => {
  world = await openWorld()
  const owner = { ...modulesOf(0), wallet: world.owner }
  for (let index = 0; index < OPERATORS; index++) {
    await transferToken(owner, { to: world.wallet(index).account.address, amountWei: MIN_STAKE * 1_000n })
  }
})
afterAll(() => world.close())

const modulesOf = (index: number): ActionModules => ({
  client: world.client,
  deployment: world.deployment,
  wallet: world.wallet(index),
})

interface Opened {
  readonly view: ChainStakeView
  readonly time: ManualTime
  readonly logger: ReturnType<typeof recordingLogger>
  readonly metrics: ReturnType<typeof recordingMetrics>
}

/** A view that walks only when told to. */
async function open(
  options: { confirmationsBlocks?: number; snapshotFile?: string; client?: ChainClient } = {},
): Promise<Opened> {
  const { chainId, genesisHash, deployment } = world
  const [time, logger, metrics] = [new ManualTime(), recordingLogger(), recordingMetrics()]
  const view = await openStakeView(
    {
      chainId,
      genesisHash,
      registry: deployment.registry,
      salt: deployment.salt,
      fromBlock: deployment.deployBlock,
      confirmationsBlocks: options.confirmationsBlocks ?? 0,
      pollMs: 1_000,
      retainSeconds: DEV_PARAMS.unbondingSeconds,
      skewSeconds: DEV_PARAMS.skewSeconds,
      staleAfterMs: 10_000,
      ...(options.snapshotFile === undefined ? {} : { snapshotFile: options.snapshotFile }),
    },
    { client: options.client ?? world.client, clock: time, timers: time, logger, metrics },
  )
  return { view, time, logger, metrics }
}

/** What the lens and the view must agree on. */
async function expectSameAsLens(view: ChainStakeView): Promise<void> {
  const details = await readStakes(world as ReadModules, 1, 1_000)
  for (const stake of details) {
    const row = view.stake(stake.stakeId)
    expect(row).toMatchObject({
      operator: stake.operator,
      status: stake.status,
      amountWei: stake.amountWei,
      jailedUntil: stake.jailedUntil,
      tombstoned: stake.tombstoned,
      readyAt: stake.readyAt,
    })
    expect(row?.placement ?? `0x${'00'.repeat(32)}`).toBe(stake.placement)
    expect(view.key(stake.nodeKey)).toMatchObject({ stakeId: stake.stakeId, fromEpoch: stake.keyFromEpoch })
    const mayListenTo = stake.status === 'active' && !stake.tombstoned && stake.jailedUntil === 0
    expect(view.maySpeak(stake.stakeId)).toBe(mayListenTo)
  }
  expect(view.stake(details.length + 1)).toBeUndefined()
}

/** A reader of the registry by RPC, as one without a view has it. */
function registryReader(): RegistryReader {
  const { chainId, coordinator, deployment, genesisHash } = world
  const { deployBlock, lens, registry, salt } = deployment
  const described = { name: 'x.eth', chainId, genesisHash, coordinator, registry, salt, params: DEV_PARAMS }
  return new RegistryReader(world.client, {
    deployment: { ...described, lens, deployBlock },
    ...{ confirmationsBlocks: 0, lagSeconds: LAG_SECONDS, bootstrap: [] },
  })
}

/** What a reader by RPC, a node's snapshot and the view must agree on: stakes, keys, and places of the epochs around now. */
async function expectSameAsReader(view: ChainStakeView, reader: RegistryReader): Promise<void> {
  const epoch = Math.floor((view.head()?.timestamp ?? 0) / DEV_PARAMS.epochSeconds)
  const { deployment, genesisHash } = world
  const pin = { ...deployment, name: 'x.eth', genesisHash, codeHash: '0x', coordinatorNode: '0x', params: DEV_PARAMS }
  const own = snapshotOfView(view, pin as CompletePin, { epoch, lagSeconds: LAG_SECONDS, bootstrap: [] })
  const read = await reader.read(epoch)
  for (const snapshot of [read, own, parseRegistrySnapshot(JSON.parse(JSON.stringify(registrySnapshotToJson(own))))]) {
    const reading = new SnapshotView(snapshot, { nowMs: () => 0 })
    expect(reading.head()).toMatchObject({ number: view.head()?.number, hash: view.head()?.hash })
    for (let stakeId = 1; view.stake(stakeId) !== undefined; stakeId++) {
      const { newestKey, speaksSinceBlock: _, ...row } = view.stake(stakeId) as ChainStake
      expect(reading.stake(stakeId)).toEqual(row)
      expect(reading.maySpeak(stakeId)).toBe(view.maySpeak(stakeId))
      const { previousKey: __, ...tenure } = view.key(newestKey) as ChainKey
      expect(reading.key(newestKey)).toEqual(tenure)
      for (const at of [epoch - 1, epoch, epoch + 1, epoch + 2]) {
        expect(reading.keyAt(stakeId, at)?.address).toBe(view.keyAt(stakeId, at)?.address)
      }
    }
    const placedAt = (
      from: { atTime(seconds: number): { stakes(): Iterable<StakeRow> } | undefined },
      seconds: number,
    ) =>
      [...(from.atTime(seconds)?.stakes() ?? [])]
        .filter(({ jailedUntil, placement, status, tombstoned }) => {
          return status === 'active' && placement !== undefined && jailedUntil === 0 && !tombstoned
        })
        .map(({ stakeId }) => stakeId)
    for (const tableEpoch of [epoch - 1, epoch, epoch + 1]) {
      const cutOff = tableEpoch * DEV_PARAMS.epochSeconds - LAG_SECONDS
      if (reading.isExact(tableEpoch)) expect(placedAt(reading, cutOff)).toEqual(placedAt(view, cutOff))
    }
    expect(reading.isExact(epoch)).toBe(true)
    expect(reading.isExact(epoch + 3)).toBe(false)
  }
}

/** Numbers that are the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state >>> 8
  }
}

describe('against the real registry', () => {
  let keysMade = 0

  /** One random action; refusals of the registry are part of the game. */
  async function act(random: () => number): Promise<void> {
    const index = random() % OPERATORS
    const modules = modulesOf(index)
    const stakes = await readStakes(modules, 1, 1_000)
    const mine = stakes
      .filter(
        ({ operator, status }) => operator === modules.wallet.account.address.toLowerCase() && status !== 'withdrawn',
      )
      .at(-1)
    const stakeId = mine?.stakeId ?? 0
    const fresh = () => privateKeyOf(10_000 + keysMade++)
    if (mine === undefined) {
      return void (await registerStake(modules, {
        amountWei: MIN_STAKE,
        nodePrivateKey: fresh(),
        personPrivateKey: fresh(),
      }))
    }
    switch (random() % 8) {
      case 0:
      case 1:
        return void (await activateStake(modules, { stakeId }))
      case 2:
        return void (await topUp(modules, { stakeId, amountWei: BigInt(1 + (random() % 1_000)) }))
      case 3:
        return void (await rotateKey(modules, { stakeId, newPrivateKey: fresh() }))
      case 4:
        return void (await unbond(modules, { stakeId }))
      case 5:
        return void (await withdraw(modules, { stakeId, to: modules.wallet.account.address }))
      case 6:
        return void (await unjail(modules, { stakeId }))
      default: {
        const nodeKey = privateKeyToAccount(keysByAddress.get(mine.nodeKey) ?? privateKeyOf(1))
        const epoch = BigInt(Math.floor(Number((await world.client.getBlock()).timestamp) / DEV_PARAMS.epochSeconds))
        const overruns = random() % 3 > 0
        const evidence = overruns
          ? await world.overrunEvidence(nodeKey, epoch, 65_536n + BigInt(random() % 1_000))
          : await world.equivocationEvidence(nodeKey, epoch, BigInt(random() % 1_000))
        return void (await submitEvidence(modules, { faultType: overruns ? 2 : 1, evidence }))
      }
    }
  }

  const keysByAddress = new Map<string, `0x${string}`>()
  beforeEach(() => {
    for (let n = 10_000; n < 10_000 + STEPS * 2 + 200; n++) {
      if (keysByAddress.size > STEPS * 2) break
      const privateKey = privateKeyOf(n)
      keysByAddress.set(privateKeyToAccount(privateKey).address.toLowerCase(), privateKey)
    }
  })

  // Seen failing with `Slashed` not setting the jail, and with reorgs not undone.
  test('random actions with reorgs between them: the view equals the lens, and a view from scratch', async () => {
    const generator = numbers(7)
    const random = () => generator.next().value
    const { view, metrics } = await open()
    let [done, refused] = [0, 0]
    for (let step = 0; step < STEPS; step++) {
      const reorg = step % 10 === 9 ? await world.networkHelpers.takeSnapshot() : undefined
      for (let i = 0; i < (reorg === undefined ? 1 : 3); i++) {
        try {
          await act(random)
          done++
        } catch (error) {
          if (!(error as { code?: string }).code?.match(/^(CONTRACT|STAKE)_/)) throw error
          refused++
        }
        await world.networkHelpers.mine(1 + (random() % 3))
      }
      if (random() % 6 === 0) await world.networkHelpers.time.increase(random() % 1_000)
      await view.sync()
      if (reorg !== undefined) {
        await reorg.restore()
        // The other branch: longer, and different from its first block on.
        await world.networkHelpers.mine(20, { interval: 2 + (step % 3) })
        await view.sync()
      }
      if (step % 5 === 4) await expectSameAsLens(view)
    }
    expect(done).toBeGreaterThan(STEPS / 4)
    expect(refused).toBeGreaterThan(0)
    expect(metrics.values.get('suprnova_chain_reorgs_total') ?? 0).toBe(Math.floor(STEPS / 10))

    const fresh = await open()
    await expectSameAsLens(fresh.view)
    const head = view.head()?.number as bigint
    for (let id = 1; view.stake(id) !== undefined; id++) expect(fresh.view.stake(id)).toEqual(view.stake(id))
    expect(fresh.view.at(head).stake(1)).toEqual(view.at(head).stake(1))
    await view.close()
    await fresh.view.close()
  })

  // Block by block: of blocks mined in bulk this chain has no states to ask for. Seen failing with retired keys without an
  // end, and with the places of one epoch taken for those of the next.
  test('random actions: a reader by RPC and a snapshot of the view know what the view knows', async () => {
    const generator = numbers(11)
    const random = () => generator.next().value
    const { view } = await open()
    const reader = registryReader()
    const mine = async (blocks: number) => {
      for (let i = 0; i < blocks; i++) await world.networkHelpers.mine()
    }
    await mine(3 * DEV_PARAMS.epochSeconds)
    let compared = 0
    for (let step = 0; step < READER_STEPS; step++) {
      try {
        await act(random)
      } catch (error) {
        if (!(error as { code?: string }).code?.match(/^(CONTRACT|STAKE)_/)) throw error
      }
      await mine(1 + (random() % 4))
      if (step % 4 !== 3) continue
      await view.sync()
      await expectSameAsReader(view, reader)
      compared++
    }
    expect(compared).toBe(READER_STEPS / 4)
    await view.close()
  })

  test('rights wait for their confirmations, silence does not', async () => {
    const index = OPERATORS + 1
    const owner = { ...modulesOf(0), wallet: world.owner }
    const modules = modulesOf(index)
    await transferToken(owner, { to: modules.wallet.account.address, amountWei: MIN_STAKE * 2n })
    const { view } = await open({ confirmationsBlocks: 2 })
    const changes: number[][] = []
    view.onChange((stakeIds) => changes.push([...stakeIds]))
    const nodePrivateKey = privateKeyOf(90_001)
    const registered = await registerStake(modules, {
      amountWei: MIN_STAKE,
      nodePrivateKey,
      personPrivateKey: privateKeyOf(90_002),
    })
    const { stakeId } = registered.consequences
    await world.networkHelpers.mine(3)
    await activateStake(modules, { stakeId })
    await view.sync()
    expect(view.stake(stakeId)?.status).toBe('active')
    expect(view.maySpeak(stakeId)).toBe(false)
    await world.networkHelpers.mine(1)
    await view.sync()
    expect(view.maySpeak(stakeId)).toBe(false)
    changes.length = 0
    await world.networkHelpers.mine(1)
    await view.sync()
    expect(view.maySpeak(stakeId)).toBe(true)
    expect([...view.speakers()].map((row) => row.stakeId)).toContain(stakeId)
    expect(changes).toEqual([[stakeId]])
    expect(view.keyAt(stakeId, registered.consequences.fromEpoch)?.address).toBe(registered.consequences.nodeKey)

    await unbond(modules, { stakeId })
    await view.sync()
    expect(view.maySpeak(stakeId)).toBe(false)
    const { number } = view.head() as { number: bigint }
    expect(view.at(number - 1n).stake(stakeId)?.status).toBe('active')
    await view.close()
  })
})

describe('the shell', () => {
  test('opens from its snapshot while the chain is out of reach, and catches up later', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'suprnova-view-'))
    const snapshotFile = join(dir, 'stakes.snapshot')
    const first = await open({ snapshotFile })
    await first.view.close()
    let gone = true
    const client = new Proxy(world.client, {
      get: (target, name) =>
        name === 'getBlock' && gone
          ? () => Promise.reject(new Error('connection refused'))
          : Reflect.get(target, name, target),
    })
    const second = await open({ snapshotFile, client })
    expect(second.view.stake(1)).toEqual(first.view.stake(1))
    expect(second.view.maySpeak(1)).toBe(first.view.maySpeak(1))
    expect(second.view.head()).toBeUndefined()
    expect(second.view.health()).toMatchObject({ stale: true, lastError: 'connection refused' })
    gone = false
    await second.view.sync()
    expect(second.view.health()).toMatchObject({ stale: false, lastError: undefined })
    expect(second.view.head()?.hash).toBe((await world.client.getBlock()).hash)
    second.time.advance(10_001)
    expect(second.view.health().stale).toBe(true)
    expect(second.view.chainReference()).toBeUndefined()
    await second.view.close()

    await writeFile(snapshotFile, 'rubbish')
    const third = await open({ snapshotFile })
    expect(third.logger.lines[0]?.message).toMatch(/unusable/)
    await expectSameAsLens(third.view)
    await third.view.close()
    await rm(dir, { recursive: true })
  })

  test('polls by itself, one timer at a time, and stops when closed', async () => {
    const { view, time } = await open()
    const heads: bigint[] = []
    const walked = new Promise<void>((resolve) => {
      view.onHead(({ number }) => {
        heads.push(number)
        resolve()
      })
    })
    await world.networkHelpers.mine(1)
    expect(time.waiting).toBe(1)
    time.advance(1_000)
    await walked
    expect(heads).toEqual([await world.client.getBlockNumber()])
    await view.close()
    expect(time.waiting).toBe(0)
  })

  test('an RPC that leaves logs out is noticed', async () => {
    const first = `0x${'1'.padStart(64, '0')}`
    const client = new Proxy(world.client, {
      get: (target, name) =>
        name === 'getLogs'
          ? async (args: never) => (await target.getLogs(args)).filter(({ topics }) => topics[1] !== first)
          : Reflect.get(target, name, target),
    })
    await expect(open({ client })).rejects.toMatchObject({ code: 'CHAIN_LOGS_INCOMPLETE' })
  })

  // Seen failing with the ledger emptied and refilled in place: until all was read, every key was unknown.
  test('while it is built anew, what was known stays known, and a tombstone stays one', async () => {
    let hidden: string | undefined
    let during: (() => void) | undefined
    let lag = 0n
    const client = new Proxy(world.client, {
      get: (target, name) => {
        if (name === 'getBlock') {
          return async (args: { blockTag?: string }) =>
            args?.blockTag === 'latest' && lag > 0n
              ? target.getBlock({ blockNumber: (await target.getBlock()).number - lag })
              : target.getBlock(args as never)
        }
        if (name !== 'getLogs') return Reflect.get(target, name, target)
        return async (args: never) => {
          during?.()
          return (await target.getLogs(args)).filter(({ topics }) => topics[1] !== hidden)
        }
      },
    })
    const { view, logger } = await open({ client })
    const index = OPERATORS + 2
    const modules = modulesOf(index)
    await transferToken(
      { ...modulesOf(0), wallet: world.owner },
      { to: modules.wallet.account.address, amountWei: MIN_STAKE },
    )
    const dead = [...Array(100).keys()].find((stakeId) => view.stake(stakeId)?.tombstoned === true)
    expect(dead).toBeDefined()
    const known = view.stake(dead as number)
    const count = (await readStakes(world as ReadModules, 1, 1_000)).length
    hidden = `0x${(count + 1).toString(16).padStart(64, '0')}`
    await registerStake(modules, {
      amountWei: MIN_STAKE,
      nodePrivateKey: privateKeyOf(91_001),
      personPrivateKey: privateKeyOf(91_002),
    })
    await view.sync()
    hidden = undefined
    await world.networkHelpers.mine(3)
    await activateStake(modules, { stakeId: count + 1 })
    await expect(view.sync()).rejects.toMatchObject({ code: 'CHAIN_LOGS_INCOMPLETE' })
    const shown: unknown[] = []
    during = () => shown.push(view.stake(dead as number))
    lag = 5n
    await expect(view.sync()).rejects.toMatchObject({ code: 'CHAIN_BEHIND' })
    lag = 0n
    expect(view.stake(dead as number)).toEqual(known)
    await view.sync()
    expect(shown.length).toBeGreaterThan(0)
    expect(new Set(shown.map((stake) => (stake as { tombstoned: boolean } | undefined)?.tombstoned))).toEqual(
      new Set([true]),
    )
    expect(logger.lines.filter(({ message }) => message === 'stake view is built anew')).toHaveLength(1)
    await expectSameAsLens(view)
    await view.close()
  })

  test('an RPC that lags behind takes nothing back', async () => {
    let lag = 0n
    const client = new Proxy(world.client, {
      get: (target, name) =>
        name === 'getBlock'
          ? async (args: { blockTag?: string }) => {
              const head = await target.getBlock()
              return args?.blockTag === 'latest'
                ? target.getBlock({ blockNumber: head.number - lag })
                : target.getBlock(args as never)
            }
          : Reflect.get(target, name, target),
    })
    const { view, metrics } = await open({ client })
    await world.networkHelpers.mine(3)
    await view.sync()
    const head = view.head()
    lag = 3n
    await view.sync()
    expect(view.head()).toEqual(head)
    expect(metrics.values.get('suprnova_chain_reorgs_total')).toBeUndefined()
    await view.close()
  })
})
