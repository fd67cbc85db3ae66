import { createWalletClient, custom, parseEther } from 'viem'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { SEARCHES_MAX } from '../../../node/chain/challenges/constants.ts'
import {
  answerChallenge,
  type ChainClient,
  ChallengeDesk,
  type ChallengeDeskOptions,
  collectChallenge,
  concludeChallenge,
  openChallenge,
  openCourt,
  openReporter,
  readChallenge,
} from '../../../node/chain/index.ts'
import { type ChunkHolder, type Hex, type Offence, type Table, toHex } from '../../../node/core/index.ts'
import { showChunk } from '../../../node/dht/replica/show-chunk.ts'
import { chunkRoot } from '../../../node/statements/index.ts'
import { countingRandom, MemoryTable, recordingLogger, recordingMetrics } from '../../unit/chain/stand-ins.ts'
import { DEV_PARAMS } from '../contracts/fixture.ts'
import { type ChallengeWorld, clientWith, holderOf, openChallengeWorld, VALUE } from './challenge-world.ts'

const LONG = process.env.SUPRNOVA_LONG === '1'
const STEPS = LONG ? 600 : 80
const REPLICA = 2

let world: ChallengeWorld
beforeAll(async () => {
  world = await openChallengeWorld()
})
afterAll(() => world.close())

/** Each test on a branch of its own. */
let trunk: Awaited<ReturnType<ChallengeWorld['networkHelpers']['takeSnapshot']>>
beforeEach(async () => {
  trunk = await world.networkHelpers.takeSnapshot()
})
afterEach(() => trunk.restore())

interface DeskSetting {
  readonly client?: ChainClient
  readonly account?: Hex
  readonly holder?: ChunkHolder
  readonly options?: Partial<ChallengeDeskOptions>
  readonly own?: number
}

/** The replica's desk. */
function openDesk({ account, client = world.client, holder = holderOf(), options, own = REPLICA }: DeskSetting = {}) {
  const [logger, metrics] = [recordingLogger(), recordingMetrics()]
  const desk = new ChallengeDesk(
    {
      availability: world.deployment.availability,
      deployBlock: 0,
      responseSeconds: DEV_PARAMS.responseSeconds,
      responseBlocks: DEV_PARAMS.responseBlocks,
      separator: world.separator,
      account: account?.toLowerCase() as Hex | undefined,
      maxFeePerGasWei: 10n ** 12n,
      answers: 'own',
      ...options,
    },
    { client, ownStakeId: () => own, logger, metrics },
  )
  desk.use(holder)
  const look = async () => desk.look(await world.head())
  return { desk, logger, metrics, look }
}

/** A desk whose errands a reporter with this gas key sends. */
async function openNode(label: string, setting: Omit<DeskSetting, 'account'> & { readonly table?: Table } = {}) {
  const gasKey = await world.gasKey(label)
  const opened = openDesk({ ...setting, account: gasKey.address })
  const [logger, metrics] = [recordingLogger(), recordingMetrics()]
  const reporter = openReporter(
    { rewardWindowSeconds: DEV_PARAMS.rewardWindowSeconds, maxFeePerGasWei: 10n ** 12n },
    {
      court: openCourt(world.client, world.deployment, gasKey),
      table: setting.table ?? new MemoryTable(),
      stakeView: { stake: () => undefined, onHead: () => () => undefined },
      random: countingRandom(),
      logger,
      metrics,
    },
  )
  reporter.runErrands(() => opened.desk.errands())
  const turn = async () => {
    await opened.look()
    await reporter.look()
  }
  return { ...opened, gasKey, reporter, turn }
}

const statusOf = async (challengeId: Hex) => (await readChallenge(world, challengeId))?.status
const answerFromRich = async (challengeId: Hex, chunkIndex = 0) => {
  const { chunk, path } = showChunk(VALUE, { chunkIndex, valueRoot: chunkRoot(VALUE) })!
  await answerChallenge({ ...world, wallet: world.owner }, { challengeId, chunk, path })
}

test('a node answers a challenge to its receipt at once, and collects what it is paid', async () => {
  const node = await openNode('answers')
  const before = await world.client.getBalance({ address: node.gasKey.address })
  const challengeId = await world.challenge(await world.promised(), 4)
  await node.turn()
  expect(await statusOf(challengeId)).toBe('answered')
  await node.turn()
  expect(await statusOf(challengeId)).toBe('collected')
  await node.turn()
  expect(await node.desk.errands()).toEqual([])
  expect(node.desk.problems()).toEqual([])
  // Seen failing with the answer paid and its collection not: nobody is out of pocket for another's doubt.
  expect(await world.client.getBalance({ address: node.gasKey.address })).toBeGreaterThan(before)
  await node.reporter.close()
})

test('a node that starts again warns of what is open, and of nothing that was answered before', async () => {
  const answered = await world.challenge(await world.promised())
  await answerFromRich(answered)
  const open = await world.challenge(await world.promised())
  const { logger, look, metrics } = openDesk()
  await look()
  const warned = logger.lines.filter(({ message }) => message === 'a receipt of this node is challenged')
  expect(warned.map(({ fields }) => fields?.challengeId)).toEqual([open])
  expect(metrics.values.get('suprnova_chain_challenges_total opened')).toBe(2)
})

// Seen failing with answered challenges remembered for ever, and with events that vanished never undone.
test('an answer that a reorganisation takes back is given again', async () => {
  const node = await openNode('reorganised')
  const challengeId = await world.challenge(await world.promised())
  await node.look()
  const branch = await world.networkHelpers.takeSnapshot()
  await answerFromRich(challengeId)
  await node.look()
  expect(node.desk.open()).toEqual([])
  expect(await node.desk.errands()).toEqual([])
  await branch.restore()
  await world.networkHelpers.mine(3)
  await node.turn()
  expect(await statusOf(challengeId)).toBe('answered')
  await node.reporter.close()
})

test('an own answer that a reorganisation takes back is given again', async () => {
  const node = await openNode('own answer')
  const challengeId = await world.challenge(await world.promised())
  const branch = await world.networkHelpers.takeSnapshot()
  await node.turn()
  expect(await statusOf(challengeId)).toBe('answered')
  await node.look()
  await branch.restore()
  await world.networkHelpers.mine(3)
  expect(await statusOf(challengeId)).toBe('open')
  await node.turn()
  expect(await statusOf(challengeId)).toBe('answered')
  await node.reporter.close()
})

test('a challenge that a reorganisation takes away is gone, and one that it moves has its new deadline', async () => {
  const { desk, look } = openDesk()
  await look()
  const promised = await world.promised()
  const branch = await world.networkHelpers.takeSnapshot()
  const challengeId = await world.challenge(promised)
  await look()
  const [before] = desk.open()
  await branch.restore()
  await world.networkHelpers.mine(5, { interval: 7 })
  await look()
  expect(desk.open()).toEqual([])
  expect(await world.challenge(promised)).toBe(challengeId)
  await look()
  const [after] = desk.open()
  expect(after?.answerableUntil).toBeGreaterThan(before!.answerableUntil)
  expect(after?.answerableUntil).toBe((await readChallenge(world, challengeId))?.answerableUntil)
})

// Seen failing with `isOpen` taken from the newest state alone.
test('bytes are owed until the answer is final, however it was given', async () => {
  let finalNumber = (await world.head()).number
  const client = clientWith(world.client, {
    getBlock: async (args: { blockTag?: string }) =>
      world.client.getBlock(args?.blockTag === 'finalized' ? { blockNumber: finalNumber } : (args as never)),
  })
  const { desk, look } = openDesk({ client })
  const promised = await world.promised()
  const challengeId = await world.challenge(promised)
  await answerFromRich(challengeId)
  await look()
  const { digest } = promised.put
  expect(desk.open()).toEqual([])
  expect(desk.isOpen(digest, 0)).toBe(true)
  expect(desk.isOpen(digest, 1)).toBe(false)
  await world.networkHelpers.mine(30)
  await look()
  expect(desk.isOpen(digest, 0)).toBe(true)
  finalNumber = (await world.head()).number
  await world.networkHelpers.mine(30)
  await look()
  expect(desk.isOpen(digest, 0)).toBe(false)
})

test('random challenges with reorgs between them: what the desk has open is what the chain has', async () => {
  let state = 11
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % below
  }
  const { desk, look } = openDesk({ account: world.owner.account.address })
  const chunks = new Map<Hex, number>()
  let [done, reorgs] = [0, 0]
  let promised = await world.promised()
  const act = async (isBranch: boolean) => {
    const ids = [...chunks.keys()]
    const challengeId = ids[random(Math.max(1, ids.length))]
    const modules = { ...world, wallet: world.owner }
    switch (random(5)) {
      case 0:
        promised = await world.promised(random(2) === 0 ? {} : { by: world.other })
        return
      case 1:
        if (challengeId !== undefined) await answerFromRich(challengeId, chunks.get(challengeId))
        return
      case 2:
        // A branch stays shorter than what this chain calls final.
        if (challengeId !== undefined && !isBranch && random(3) === 0) {
          await world.outwait()
          await concludeChallenge(modules, { challengeId })
        }
        return
      case 3:
        if (challengeId !== undefined) await collectChallenge(modules, { challengeId })
        return
      default: {
        const chunkIndex = random(5)
        chunks.set(await world.challenge(promised, chunkIndex), chunkIndex)
      }
    }
  }
  const attempt = async (isBranch = false) => {
    try {
      await act(isBranch)
      done++
    } catch (error) {
      // Refusals of the contract are part of the game.
      const { code, message } = error as { code?: string; message: string }
      if (!/reverted|^CONTRACT_/m.test(`${code}\n${message}`)) {
        throw error
      }
    }
  }
  for (let step = 0; step < STEPS; step++) {
    const branch = step % 6 === 5 ? await world.networkHelpers.takeSnapshot() : undefined
    for (let i = 0; i < (branch === undefined ? 1 : 3); i++) await attempt(branch !== undefined)
    await look()
    if (branch !== undefined) {
      reorgs++
      await branch.restore()
      await world.networkHelpers.mine(1 + random(4), { interval: 1 + random(3) })
      await attempt()
      await look()
    }
    const open: Hex[] = []
    for (const challengeId of chunks.keys()) if ((await statusOf(challengeId)) === 'open') open.push(challengeId)
    const known = desk.open().filter(({ challengeId }) => chunks.has(challengeId))
    expect(known.map(({ challengeId }) => challengeId).sort()).toEqual(open.sort())
    for (const { answerableUntil, challengeId } of known) {
      expect(answerableUntil).toBe((await readChallenge(world, challengeId))?.answerableUntil)
    }
    expect(desk.problems().filter((problem) => problem.includes('followed'))).toEqual([])
    expect(desk.readUntilSeconds()).toBe((await world.head()).timestamp)
  }
  expect(done).toBeGreaterThan(STEPS / 2)
  expect(reorgs).toBeGreaterThan(10)
  expect(chunks.size).toBeGreaterThan(10)
})

test('a challenge opened while the node was away is found by time, whatever the number of blocks since', async () => {
  const challengeId = await world.challenge(await world.promised())
  await world.networkHelpers.mine(400, { interval: 0 })
  const { desk, look } = openDesk()
  await look()
  expect(desk.open().map((seen) => seen.challengeId)).toEqual([challengeId])
})

// Seen failing with the count of the contract not asked for: the node stayed silent, and thought all was well.
test('an RPC that leaves logs out is noticed, nothing is dropped meanwhile, and what was missed is found', async () => {
  let isHiding = true
  const client = clientWith(world.client, {
    getLogs: async (args: never) => (isHiding ? [] : world.client.getLogs(args)),
  })
  const { desk, logger, look } = openDesk({ client, account: world.owner.account.address })
  await look()
  expect(desk.readUntilSeconds()).toBeDefined()
  const challengeId = await world.challenge(await world.promised())
  await look()
  expect(desk.problems()).toEqual([
    'challenges cannot be followed: the chain counts 1 open challenges to this node, its logs show 0',
  ])
  expect(desk.readUntilSeconds()).toBeUndefined()
  // Far behind where a node begins to read.
  await world.networkHelpers.mine(200)
  await look()
  isHiding = false
  await world.networkHelpers.mine(4)
  await look()
  expect(desk.status()).toMatchObject({ against: 1, readUntilSeconds: (await world.head()).timestamp })
  expect(desk.open().map((seen) => seen.challengeId)).toEqual([challengeId])
  expect(logger.lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(0)
})

test('an RPC that is gone is said, and an answer is given once it is back', async () => {
  let isGone = false
  const gone = () => Promise.reject(new Error('connection refused'))
  const client = clientWith(world.client, {
    getLogs: (args: never) => (isGone ? gone() : world.client.getLogs(args)),
  })
  const node = await openNode('away', { client })
  await node.look()
  const seconds = node.desk.readUntilSeconds()
  isGone = true
  const challengeId = await world.challenge(await world.promised())
  await node.turn()
  expect(node.desk.problems()).toEqual(['challenges cannot be followed: connection refused'])
  expect(node.desk.readUntilSeconds()).toBe(seconds)
  isGone = false
  await node.turn()
  expect(node.desk.problems()).toEqual(['1 challenges to receipts of this node are open'])
  expect(await statusOf(challengeId)).toBe('answered')
  await node.reporter.close()
})

test('a gas key that runs low is said before it is needed, and so is one that cannot pay', async () => {
  const { provider } = world
  const node = await openNode('poor')
  const setBalance = (wei: bigint) =>
    provider.request({ method: 'hardhat_setBalance', params: [node.gasKey.address, `0x${wei.toString(16)}`] })
  await node.look()
  expect(node.desk.problems()).toEqual([])
  const price = await world.client.getGasPrice()
  const tenAnswers = 10n * 90_000n * price
  await setBalance(tenAnswers / 2n)
  await world.networkHelpers.mine(1)
  await node.look()
  const words = /^the gas key 0x[0-9a-f]{40} has \d+ wei, ten answers to challenges cost \d+: send it some$/
  expect(node.desk.problems()).toEqual([expect.stringMatching(words)])
  await world.networkHelpers.mine(1)
  await node.look()
  expect(node.logger.lines.filter(({ message }) => message === 'the gas key runs low')).toHaveLength(1)

  await setBalance(0n)
  const challengeId = await world.challenge(await world.promised())
  await node.turn()
  expect(await statusOf(challengeId)).toBe('open')
  expect(node.reporter.health().lastError).toMatch(/funds|balance/)
  await setBalance(parseEther('1'))
  await world.networkHelpers.mine(1)
  await node.turn()
  expect(await statusOf(challengeId)).toBe('answered')
  await world.networkHelpers.mine(1)
  await node.turn()
  expect(node.desk.problems()).toEqual([])
  await node.reporter.close()
})

test('without a gas key an open challenge is a problem', async () => {
  const { desk, look } = openDesk()
  await world.challenge(await world.promised())
  await look()
  expect(desk.problems()).toEqual([
    '1 challenges to receipts of this node are open',
    'challenges are open and there is no gas key to answer with',
  ])
  expect(await desk.errands()).toEqual([])
})

test('bytes that are not here, and an answer that the chain refuses, are said; a later PUT answers too', async () => {
  const promised = await world.promised()
  let bytes: Uint8Array | undefined
  let later: Uint8Array | undefined
  const holder: ChunkHolder = {
    find: async (question) =>
      bytes === undefined ? undefined : showChunk(bytes, { ...question, valueRoot: chunkRoot(bytes) }),
    search: async () => undefined,
    laterPut: async () => later,
  }
  const node = await openNode('forgetful', { holder })
  const challengeId = await world.challenge(promised)
  await node.turn()
  const open = '1 challenges to receipts of this node are open'
  expect(node.desk.problems()).toEqual([open, `the bytes that challenge ${challengeId} asks for are not here`])

  bytes = new Uint8Array(VALUE.length)
  await world.networkHelpers.mine(1)
  await node.turn()
  expect(node.desk.problems()).toEqual([
    open,
    expect.stringMatching(`^the chain refuses the answer to challenge ${challengeId}: .*`),
  ])
  bytes = undefined
  later = (await world.promised()).put.frame
  await world.networkHelpers.mine(1)
  await node.turn()
  expect(await statusOf(challengeId)).toBe('answered')
  await node.reporter.close()
})

// Seen failing before: a fault that could not be noted, a nonce that could not be forgotten, and an answer that could not
// be written down, each kept every answer back for as long as the disk was full.
test('a disk that is full keeps no answer back', async () => {
  let isFull = false
  const memory = new MemoryTable()
  const table: Table = {
    get: (key) => memory.get(key),
    range: (from, to) => memory.range(from, to),
    write: (rows) => (isFull ? Promise.reject(new Error('no space left')) : memory.write(rows)),
  }
  const node = await openNode('full disk', { table })
  const first = await world.challenge(await world.promised())
  await node.turn()
  expect(await statusOf(first)).toBe('answered')
  isFull = true
  const offence: Offence = {
    ...{ faultType: 1, stakeId: 3, signer: world.other.address, evidence: new Uint8Array(253) },
    ...{ slot: `0x${'51'.repeat(32)}`, faultId: `0x${'fa'.repeat(32)}`, domain: world.separator.domain },
  }
  node.reporter.report(offence)
  // The nonce of the first one is final, and to be forgotten.
  await world.networkHelpers.mine(30)
  const second = await world.challenge(await world.promised())
  await node.turn()
  expect(await statusOf(second)).toBe('answered')
  expect(node.reporter.health().lastError).toBe('no space left')
  // What the disk did not take is remembered as long as the node runs: nothing is sent twice.
  const sent = await world.client.getTransactionCount({ address: node.gasKey.address })
  await node.turn()
  await node.turn()
  expect(await statusOf(second)).toBe('collected')
  expect(await world.client.getTransactionCount({ address: node.gasKey.address })).toBeLessThanOrEqual(sent + 2)
  await node.reporter.close()
})

// Seen failing with searches awaited before anything is sent: ten silent stakes are asked for three seconds each, and an
// answer that lay ready came after its window. So one challenge that nobody could answer cost others theirs.
test('an answer that is here waits for no search, and bytes that others have are shown once they came', async () => {
  const [lost, here, gone] = [await world.promised(), await world.promised(), await world.promised()]
  const isOf = ({ put }: typeof lost, digest: Uint8Array) => toHex(put.digest) === toHex(digest)
  const brings: (() => void)[] = []
  const holder: ChunkHolder = {
    async find(question) {
      if (isOf(gone, question.putDigest)) throw new Error('a row that cannot be read')
      return isOf(here, question.putDigest) ? showChunk(VALUE, question) : undefined
    },
    search: (question) =>
      new Promise((resolve) => {
        brings.push(() => resolve(showChunk(VALUE, question)))
      }),
    laterPut: async () => undefined,
  }
  const node = await openNode('patient', { holder })
  const unreadable = await world.challenge(gone)
  const absent = await world.challenge(lost)
  const ready = await world.challenge(here)
  await node.turn()
  expect(await Promise.all([unreadable, absent, ready].map(statusOf))).toEqual(['open', 'open', 'answered'])
  expect(node.desk.problems()).toContain(`the bytes that challenge ${absent} asks for are not here`)
  expect(node.desk.problems()).toContain(`the bytes that challenge ${unreadable} asks for are not here`)
  for (const bring of brings) bring()
  await node.desk.idle()
  await world.networkHelpers.mine(1)
  await node.turn()
  // Seen failing for a row that cannot be read: only one that is not there was searched for.
  expect(await Promise.all([unreadable, absent].map(statusOf))).toEqual(['answered', 'answered'])
  await node.reporter.close()
})

// Seen failing with one bound for all: challenges to others took every place.
test('searches are bounded, and those for others leave half of the places to the own', async () => {
  const asked: Hex[] = []
  const holder: ChunkHolder = {
    find: async () => undefined,
    search: (question) => {
      asked.push(toHex(question.putDigest))
      return new Promise(() => undefined)
    },
    laterPut: async () => undefined,
  }
  const desk = openDesk({ account: world.owner.account.address, own: 3, options: { answers: 'all' }, holder })
  const others = []
  for (let i = 0; i < 6; i++) others.push(await world.challenge(await world.promised()))
  const { answerableUntil } = (await readChallenge(world, others.at(-1) as Hex))!
  await world.networkHelpers.time.increaseTo(Math.ceil(answerableUntil - DEV_PARAMS.responseSeconds / 4))
  await desk.look()
  await desk.desk.errands()
  expect(asked).toHaveLength(SEARCHES_MAX / 2)
  const own = await world.promised({ by: world.other })
  await world.challenge(own)
  await desk.look()
  await desk.desk.errands()
  expect(asked).toHaveLength(SEARCHES_MAX / 2 + 1)
  expect(asked.at(-1)).toBe(toHex(own.put.digest))
  await world.networkHelpers.mine(1)
  await desk.look()
  await desk.desk.errands()
  expect(asked).toHaveLength(SEARCHES_MAX / 2 + 1)
})

test('co-replicas answer from half of the window on, and not before', async () => {
  const node = await openNode('co-replica', { own: 3, options: { answers: 'all' } })
  const idle = await openNode('idle', { own: 3 })
  const challengeId = await world.challenge(await world.promised())
  await node.turn()
  expect(await statusOf(challengeId)).toBe('open')
  const { answerableUntil } = (await readChallenge(world, challengeId))!
  await world.networkHelpers.time.increaseTo(answerableUntil - DEV_PARAMS.responseSeconds / 2 - 1)
  await node.turn()
  expect(await statusOf(challengeId)).toBe('open')
  // From three quarters on, whatever its place in the queue.
  await world.networkHelpers.time.increaseTo(Math.ceil(answerableUntil - DEV_PARAMS.responseSeconds / 4))
  await idle.turn()
  expect(await statusOf(challengeId)).toBe('open')
  await node.turn()
  expect(await statusOf(challengeId)).toBe('answered')
  await node.reporter.close()
  await idle.reporter.close()
})

test('who opened a challenge that nobody answers concludes it and has the bond back', async () => {
  const opener = await openNode('opener', { own: 1 })
  const { put, receipt } = await world.promised()
  const wallet = createWalletClient({ account: opener.gasKey, transport: custom(world.provider, { retryCount: 0 }) })
  const { consequences } = await openChallenge(
    { ...world, wallet },
    { receipt: receipt.frame, put: put.frame, chunkIndex: 0, separator: world.separator },
  )
  const { challengeId } = consequences
  await opener.turn()
  expect(await opener.desk.errands()).toEqual([])
  await world.outwait()
  await opener.turn()
  expect(await statusOf(challengeId)).toBe('concluded')
  await opener.turn()
  expect(await statusOf(challengeId)).toBe('collected')
  await opener.reporter.close()
})
