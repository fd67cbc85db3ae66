import { describe, expect, test } from 'vitest'
import { ChainError } from '../../../node/chain/errors.ts'
import { type Case, openReporter, type Reporter, type ReporterEvent } from '../../../node/chain/index.ts'
import { type Court, caseCalls } from '../../../node/chain/reporter/court.ts'
import { Outbox } from '../../../node/chain/reporter/outbox.ts'
import type { Address, Hex, Offence, Random, Table } from '../../../node/core/index.ts'
import { fromHex } from '../../../node/core/index.ts'
import { REWARD_WINDOW_SECONDS, SimulatedCourt } from './simulated-court.ts'
import { countingRandom, MemoryTable, recordingLogger, recordingMetrics } from './stand-ins.ts'

const reporterAt = (n: number): Address => `0x${String(n).repeat(40)}`
const US = reporterAt(1)
const EVIDENCE: Hex = `0x${'ee'.repeat(253)}`
const FAULT_ID: Hex = `0x${'fa'.repeat(32)}`
const MAX_FEE = 1_000n

const offence: Offence = {
  faultType: 1,
  stakeId: 7,
  signer: `0x${'5e'.repeat(20)}`,
  slot: `0x${'51'.repeat(32)}`,
  faultId: FAULT_ID,
  evidence: fromHex(EVIDENCE),
  domain: { chainId: 31337n, verifyingContract: `0x${'aa'.repeat(20)}`, salt: `0x${'00'.repeat(32)}` },
}

function chainWithFault(): SimulatedCourt {
  const chain = new SimulatedCourt()
  chain.acceptEvidence(EVIDENCE, FAULT_ID)
  return chain
}

interface Opened {
  readonly reporter: Reporter
  readonly events: ReporterEvent[]
  readonly metrics: ReturnType<typeof recordingMetrics>
  readonly logger: ReturnType<typeof recordingLogger>
}

function open(
  court: Court,
  table: Table = new MemoryTable(),
  tombstoned = () => false,
  maxCases?: number,
  random: Random = countingRandom(),
): Opened {
  const [metrics, logger] = [recordingMetrics(), recordingLogger()]
  const stakeView = {
    stake: () => ({ tombstoned: tombstoned() }) as never,
    onHead: () => () => undefined,
  }
  const reporter = openReporter(
    { rewardWindowSeconds: REWARD_WINDOW_SECONDS, maxFeePerGasWei: MAX_FEE, maxCases },
    { court, table, stakeView, random, logger, metrics },
  )
  const events: ReporterEvent[] = []
  reporter.onEvent((event) => events.push(event))
  return { reporter, events, metrics, logger }
}

/** Somebody else's submission, waiting to be mined. */
async function submitAs(chain: SimulatedCourt, account: Address): Promise<void> {
  const court = chain.courtOf(account)
  const data = caseCalls.submit({ faultType: 1, evidence: EVIDENCE } as Case)
  const fees = { maxFeePerGas: 100n, maxPriorityFeePerGas: 9n }
  await court.send(await court.sign({ nonce: 0, purpose: 'theirs', to: court.address, data, gas: 1n, ...fees }))
}

/** Mines and looks until the case is finished; skips the reward window. */
async function playOut(chain: SimulatedCourt, reporters: readonly Reporter[], maxBlocks = 60): Promise<void> {
  for (let block = 0; block < maxBlocks && reporters.some((reporter) => reporter.cases().length > 0); block++) {
    if (reporters.every((reporter) => reporter.cases().every(({ doing }) => doing === 'wait for window'))) {
      chain.skipSeconds(REWARD_WINDOW_SECONDS)
    } else chain.mine()
    for (const reporter of reporters) await reporter.look()
  }
}

describe('one reporter', () => {
  test('commits, slashes in the very next block, claims, waits, releases', async () => {
    const chain = chainWithFault()
    const { reporter, events } = open(chain.courtOf(US))
    reporter.report(offence)
    await reporter.look()
    expect(events).toEqual([])
    chain.mine()
    await reporter.look()
    expect(events.map(({ type }) => type)).toEqual(['committed'])
    chain.mine()
    await reporter.look()
    const [committed, slashed] = events as { blockNumber: number }[]
    expect(slashed?.blockNumber).toBe((committed?.blockNumber as number) + 1)
    await playOut(chain, [reporter])
    expect(chain.state.paid.get(US)).toBe(5n)
    expect(chain.state.reverted).toEqual([])
    expect(events.at(-1)).toEqual({ type: 'finished', faultId: FAULT_ID, outcome: 'rewarded' })
  })

  test('the same fault, reported any number of times, is one case', async () => {
    const chain = chainWithFault()
    const { reporter, metrics } = open(chain.courtOf(US))
    for (let i = 0; i < 5; i++) reporter.report(offence)
    reporter.report({ ...offence, faultId: `0x${'fb'.repeat(32)}` })
    expect(reporter.cases()).toHaveLength(1)
    expect(metrics.values.get('suprnova_chain_offences_dropped_total known')).toBe(4)
    expect(metrics.values.get('suprnova_chain_offences_dropped_total same stake and type')).toBe(1)
    await playOut(chain, [reporter])
    expect(chain.state.slashes).toEqual([FAULT_ID])
  })

  test('the outbox is bounded; what does not fit is counted', () => {
    const { reporter, metrics } = open(chainWithFault().courtOf(US), new MemoryTable(), () => false, 3)
    for (let stakeId = 1; stakeId <= 5; stakeId++) {
      reporter.report({ ...offence, stakeId, faultId: `0x${String(stakeId).repeat(64)}` })
    }
    expect(reporter.cases()).toHaveLength(3)
    expect(metrics.values.get('suprnova_chain_offences_dropped_total full')).toBe(2)
  })

  test('evidence the court does not take costs no transaction and is given up', async () => {
    const chain = new SimulatedCourt()
    const { reporter, events, logger } = open(chain.courtOf(US))
    reporter.report(offence)
    await playOut(chain, [reporter])
    expect(events).toEqual([{ type: 'finished', faultId: FAULT_ID, outcome: 'refused' }])
    expect(chain.state.nonces.size).toBe(0)
    expect(logger.lines.some(({ message }) => message === 'court refuses evidence')).toBe(true)
  })

  test('does not submit when somebody else slashed meanwhile, and still claims: its commit came first', async () => {
    const chain = chainWithFault()
    const { reporter, events } = open(chain.courtOf(US))
    reporter.report(offence)
    await reporter.look()
    chain.mine()
    // Between our commit and our submission somebody else slashes.
    await submitAs(chain, reporterAt(2))
    chain.mine()
    await reporter.look()
    await playOut(chain, [reporter])
    expect(chain.state.reverted).toEqual([])
    expect(chain.state.paid.get(US)).toBe(5n)
    expect(events.at(-1)).toMatchObject({ outcome: 'rewarded' })
  })

  test('a fault of a stake that is tombstoned already is moot', async () => {
    let tombstoned = false
    const chain = chainWithFault()
    const { reporter, events } = open(chain.courtOf(US), new MemoryTable(), () => tombstoned)
    reporter.report(offence)
    tombstoned = true
    await playOut(chain, [reporter])
    expect(events).toEqual([{ type: 'finished', faultId: FAULT_ID, outcome: 'moot' }])
  })
})

// Seen failing without the look at the pending block: four reporters paid for a submission that reverted.
test('five reporters of one fault: one slash, one reward, nobody pays for a revert', async () => {
  const chain = chainWithFault()
  const opened = [1, 2, 3, 4, 5].map((n) => open(chain.courtOf(reporterAt(n))))
  for (const { reporter } of opened) reporter.report(offence)
  for (const { reporter } of opened) await reporter.look()
  await playOut(
    chain,
    opened.map(({ reporter }) => reporter),
  )
  const { slashes, paid, reverted } = chain.state
  expect(slashes).toEqual([FAULT_ID])
  expect([...paid.values()]).toEqual([5n])
  // Seen failing when claims did not yield to what waits: of equal ones the first is paid, and four paid for nothing.
  expect(reverted).toEqual([])
  expect(opened.map(({ events }) => (events.at(-1) as { outcome: string }).outcome).sort()).toEqual([
    'rewarded',
    'slashed',
    'slashed',
    'slashed',
    'slashed',
  ])
})

describe('crashes', () => {
  class Crash extends Error {}

  /** Lets `budget` effects through, then nothing any more: the process is gone. */
  function mortal(
    court: Court,
    table: MemoryTable,
    budget: number,
    half: 'before' | 'after',
  ): { court: Court; table: Table; dead: () => boolean } {
    let used = 0
    let dead = false
    const effect = async <T>(when: 'before' | 'after', run: () => Promise<T>): Promise<T> => {
      if (dead) throw new Crash('gone')
      used++
      if (used === budget && when === 'before') {
        dead = true
        throw new Crash('gone before the effect')
      }
      const result = await run()
      if (used === budget) {
        dead = true
        throw new Crash('gone after the effect')
      }
      return result
    }
    return {
      court: {
        ...court,
        send: (transaction) => effect(half, () => court.send(transaction)),
        position: () => (dead ? Promise.reject(new Crash('gone')) : court.position()),
      },
      table: {
        get: (key) => table.get(key),
        range: (start, end) => table.range(start, end),
        write: (writes) => effect(half, () => table.write(writes)),
      },
      dead: () => dead,
    }
  }

  // Meant to catch cases written by the next look: the fault was lost, and its signer quarantined for good.
  test('a case is durable although the look under way hangs in the RPC', async () => {
    const chain = chainWithFault()
    const table = new MemoryTable()
    const hanging: Court = { ...chain.courtOf(US), position: () => new Promise(() => undefined) }
    const { reporter } = open(hanging, table)
    reporter.report({ ...offence, stakeId: 8, faultId: `0x${'fb'.repeat(32)}` })
    await new Promise((resolve) => setImmediate(resolve))
    reporter.report(offence)
    await new Promise((resolve) => setImmediate(resolve))
    const after = open(chain.courtOf(US), table).reporter
    expect(after.cases().map(({ stakeId }) => stakeId)).toEqual([7, 8])
  })

  // Meant to catch the failed write remembered: the case stayed in memory alone, for as long as the process lived.
  test('a write that fails is told, and repeated by the next look', async () => {
    const chain = chainWithFault()
    const table = new MemoryTable()
    let full = true
    const disk: Table = {
      get: (key) => table.get(key),
      range: (start, end) => table.range(start, end),
      write: (writes) => (full ? Promise.reject(new Error('no space left')) : table.write(writes)),
    }
    const { reporter } = open(chain.courtOf(US), disk)
    reporter.report(offence)
    await reporter.look()
    expect(reporter.health().lastError).toBe('no space left')
    expect(chain.poolSize).toBe(0)
    full = false
    await reporter.look()
    expect(reporter.health().lastError).toBeUndefined()
    await playOut(chain, [reporter])
    expect(chain.state.paid.get(US)).toBe(5n)
  })

  // Seen failing with a case that is not durable before its commit is sent: its salt was lost, and it committed twice.
  test.each([
    [1, 'before'],
    [1, 'after'],
    [2, 'before'],
    [2, 'after'],
  ] as const)('%i in a row, %s every effect: one commit, one slash, one reward, no revert', async (crashes, half) => {
    // An untroubled run has fewer effects: the case in and out, and four transactions in, sent and out.
    for (let at = 1; at <= 16; at++) {
      const chain = chainWithFault()
      const table = new MemoryTable()
      const random = countingRandom()
      let life = mortal(chain.courtOf(US), table, at, half)
      let opened = open(life.court, life.table, undefined, undefined, random)
      opened.reporter.report(offence)
      await opened.reporter.look()
      let crashesLeft = crashes
      for (let block = 0; block < 60 && (life.dead() || opened.reporter.cases().length > 0); block++) {
        if (life.dead()) {
          await opened.reporter.close()
          life = mortal(chain.courtOf(US), table, --crashesLeft > 0 ? at : Number.POSITIVE_INFINITY, half)
          opened = open(life.court, life.table, undefined, undefined, random)
          // Lost before it was durable: whoever saw the fault reports it again.
          if (opened.reporter.cases().length === 0 && chain.state.slashes.length === 0) opened.reporter.report(offence)
        } else if (opened.reporter.cases()[0]?.doing === 'wait for window') chain.skipSeconds(REWARD_WINDOW_SECONDS)
        else chain.mine()
        await opened.reporter.look()
      }
      const { commits, slashes, paid, reverted } = chain.state
      const ended = { commits: commits.size, slashes: slashes.length, paid: paid.get(US), reverted }
      expect({ at, ...ended }).toEqual({ at, commits: 1, slashes: 1, paid: 5n, reverted: [] })
    }
  })
})

describe('a hostile chain', () => {
  test.each([
    ['the mempool keeps what is dropped', false],
    ['the mempool forgets', true],
  ])('a reorg after every single block: %s', async (_, losesMempool) => {
    const rewards: (bigint | undefined)[] = []
    for (let after = 1; after <= 6; after++) {
      for (let depth = 1; depth <= after; depth++) {
        const chain = chainWithFault()
        chain.losesMempool = losesMempool
        chain.finalDepth = 6
        const { reporter } = open(chain.courtOf(US))
        reporter.report(offence)
        await reporter.look()
        for (let block = 0; block < after; block++) {
          chain.mine()
          await reporter.look()
        }
        chain.reorg(depth)
        await reporter.look()
        await playOut(chain, [reporter])
        const { slashes, paid, commits, faults } = chain.state
        // A reorg may mine commit and submission, both already sent, in one block: slashed all the same, but no reward.
        const inOneBlock = [...commits.values()][0] === faults.get(FAULT_ID)?.slashedBlock
        const reward = inOneBlock ? undefined : 5n
        expect({ after, depth, slashes, paid: paid.get(US) }).toEqual({
          after,
          depth,
          slashes: [FAULT_ID],
          paid: reward,
        })
        rewards.push(reward)
        expect(reporter.cases()).toEqual([])
      }
    }
    expect(rewards.filter((reward) => reward !== undefined).length).toBeGreaterThan(rewards.length / 2)
  })

  // Seen failing with cases finished before their end was final.
  test('somebody else slashes first, and a reorg takes it back: the case is still open, and goes on', async () => {
    const chain = chainWithFault()
    chain.losesMempool = true
    chain.finalDepth = 6
    const { reporter } = open(chain.courtOf(US))
    reporter.report(offence)
    await reporter.look()
    await submitAs(chain, reporterAt(2))
    chain.mine()
    await reporter.look()
    expect(reporter.cases()).toMatchObject([{ doing: 'wait for finality' }])
    chain.reorg(1)
    await reporter.look()
    expect(chain.state.slashes).toEqual([])
    await playOut(chain, [reporter])
    expect(chain.state.slashes).toEqual([FAULT_ID])
    expect(chain.state.paid.get(US)).toBe(5n)
  })

  // Seen failing with replacements switched off: the commit waited for ever.
  test('a fee spike: replaced at a higher price, never above the cap', async () => {
    const chain = chainWithFault()
    const { reporter } = open(chain.courtOf(US))
    reporter.report(offence)
    await reporter.look()
    chain.baseFee = 200n
    for (let block = 0; block < 4; block++) {
      chain.mine()
      await reporter.look()
    }
    expect(chain.pool[0]?.maxFeePerGas).toBe(400n)
    chain.baseFee = 50_000n
    for (let block = 0; block < 20; block++) {
      expect(chain.pool.every(({ maxFeePerGas }) => maxFeePerGas <= MAX_FEE)).toBe(true)
      chain.mine()
      await reporter.look()
    }
    chain.baseFee = 20n
    await playOut(chain, [reporter])
    expect(chain.state.paid.get(US)).toBe(5n)
  })

  // Seen failing when gas was estimated with what waits: whoever lied kept a report in the mempool that nobody mined.
  test("somebody else's submission that never comes to be mined does not keep ours back", async () => {
    const chain = chainWithFault()
    const { reporter } = open(chain.courtOf(US))
    chain.baseFee = 200n
    await submitAs(chain, reporterAt(2))
    reporter.report(offence)
    await reporter.look()
    await playOut(chain, [reporter])
    expect(chain.state.paid.get(US)).toBe(5n)
  })

  test('a mempool that forgets is told again', async () => {
    const chain = chainWithFault()
    const { reporter } = open(chain.courtOf(US))
    reporter.report(offence)
    await reporter.look()
    chain.dropMempool()
    await playOut(chain, [reporter])
    expect(chain.state.paid.get(US)).toBe(5n)
  })

  test('a nonce that nothing uses is filled, since all above it wait for it', async () => {
    const chain = chainWithFault()
    const table = new MemoryTable()
    const fees = { maxFeePerGas: 20n, maxPriorityFeePerGas: 1n }
    const court = chain.courtOf(US)
    const stuck = await court.sign({ nonce: 1, purpose: 'older', to: court.address, data: '0x', gas: 1n, ...fees })
    await new Outbox(table).putTransaction(stuck)
    const { reporter } = open(court, table)
    await reporter.look()
    chain.mine()
    await reporter.look()
    expect(chain.state.nonces.get(US)).toBe(2)
    expect(chain.poolSize).toBe(0)
  })

  test('somebody else uses the gas key: the case goes on with the next nonce', async () => {
    const chain = chainWithFault()
    const court = chain.courtOf(US)
    const { reporter } = open(court)
    reporter.report(offence)
    await reporter.look()
    const fees = { maxFeePerGas: 100n, maxPriorityFeePerGas: 50n }
    await court.send(await court.sign({ nonce: 0, purpose: 'theirs', to: court.address, data: '0x', gas: 1n, ...fees }))
    await playOut(chain, [reporter])
    expect(chain.state.paid.get(US)).toBe(5n)
  })

  test('an RPC that is gone holds the case, says why, and takes nothing back', async () => {
    const chain = chainWithFault()
    const court = chain.courtOf(US)
    let gone = true
    const flaky: Court = { ...court, position: () => (gone ? Promise.reject(new Error('no RPC')) : court.position()) }
    const { reporter } = open(flaky)
    reporter.report(offence)
    await reporter.look()
    expect(reporter.health()).toEqual({ openCases: 1, lastError: 'no RPC' })
    gone = false
    await playOut(chain, [reporter])
    expect(reporter.health()).toEqual({ openCases: 0, lastError: undefined })
    expect(chain.state.paid.get(US)).toBe(5n)
  })
})

describe('an answer that the own stake owes', () => {
  const answer = { purpose: 'answer 0x01', to: US, data: '0x' } as const

  test('is priced anew when the account could not pay for it in a fee spike', async () => {
    const chain = new SimulatedCourt()
    const court = chain.courtOf(US)
    const balance = 1_000n
    const poor: Court = {
      ...court,
      send: async (sent) => {
        if (sent.maxFeePerGas > balance) throw new ChainError('CHAIN_NO_GAS_MONEY', 'insufficient funds')
        await court.send(sent)
      },
    }
    chain.baseFee = 5_000n
    const { reporter } = open(poor)
    reporter.runErrands(async () => [answer])
    await reporter.look()
    expect(reporter.health().lastError).toBe('insufficient funds')
    expect(chain.poolSize).toBe(0)
    chain.baseFee = 100n
    await reporter.look()
    expect(chain.pool.map(({ purpose, maxFeePerGas }) => [purpose, maxFeePerGas])).toEqual([['answer 0x01', 200n]])
  })

  // Whoever lets an answer of their own wait, at a price nobody mines or to change its mind on the chain, needs no bytes.
  test('is sent although another answer waits in the mempool', async () => {
    const chain = new SimulatedCourt()
    const gasFor: Court['gasFor'] = async (_, at) => {
      if (at === 'pending') throw new ChainError('CHAIN_REFUSED', 'answered already, as it seems')
      return 100_000n
    }
    const { reporter } = open({ ...chain.courtOf(US), gasFor })
    reporter.runErrands(async () => [answer, { ...answer, purpose: 'help 0x02' }])
    await reporter.look()
    expect(chain.pool.map(({ purpose }) => purpose)).toEqual(['answer 0x01'])
  })

  test('rises with the market although the disk is full, and so does what it waits for', async () => {
    const chain = new SimulatedCourt()
    const table = new MemoryTable()
    let full = false
    const disk: Table = {
      get: (key) => table.get(key),
      range: (start, end) => table.range(start, end),
      write: (writes) => (full ? Promise.reject(new Error('no space left')) : table.write(writes)),
    }
    const { reporter } = open(chain.courtOf(US), disk)
    reporter.runErrands(async () => [{ ...answer, purpose: 'help 0x02' }, answer])
    await reporter.look()
    full = true
    chain.baseFee = 200n
    for (let block = 0; block < 4; block++) {
      chain.mine()
      await reporter.look()
    }
    expect(chain.pool.map(({ maxFeePerGas }) => maxFeePerGas)).toEqual([400n, 400n])
  })
})
