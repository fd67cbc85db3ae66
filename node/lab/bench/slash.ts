import { ensureContractsBuilt } from '../build-contracts.ts'
import { ChainLog } from '../network/chain-log.ts'
import { nodeReady, runNode } from '../network/node-process.ts'
import { CHATTER, PrivateNetwork } from '../network/private-network.ts'
import { until } from '../network/until.ts'
import { SpeakerProcess } from '../peers/speaker-process.ts'
import { type Bench, type BenchOptions, type BenchReport, median, thisMachine } from './bench.ts'

const NODES = 3
const ROUNDS = 5
const QUICK_ROUNDS = 1
/** Commit, then slash. */
const AIM_BLOCKS = 2
const SLASHED_WITHIN_MS = 60_000

interface Round {
  readonly blocks: number
  readonly seenMs: number
}

/** Lets one fresh liar lie and measures until its slash is mined. */
async function measure(network: PrivateNetwork, log: ChainLog, name: string): Promise<Round> {
  const liar = network.members.find((member) => member.name === name)
  if (liar === undefined) throw new TypeError(`nobody is called ${name}`)
  const options = { ...network.barePeer(name, liar.node.privateKey), topic: CHATTER, minPeers: NODES }
  const speaker = new SpeakerProcess(name, options, network.processes)
  await speaker.ready()
  await log.next()
  const headAtLie = await network.client.getBlock()
  const { atMs } = await speaker.order('twice', `${name} says white`, `${name} says black`)
  const slash = await until(`${name} is slashed`, SLASHED_WITHIN_MS, async () => {
    const events = await log.next()
    return events.find(({ name: event, args }) => event === 'Slashed' && args.stakeId === String(liar.stakeId))
  })
  const seenMs = Date.now() - atMs
  await speaker.stop()
  return { blocks: slash.blockNumber - Number(headAtLie.number), seenMs }
}

async function run({ quick, log }: BenchOptions): Promise<BenchReport> {
  await ensureContractsBuilt({ log })
  const rounds = quick ? QUICK_ROUNDS : ROUNDS
  const nodes = Array.from({ length: NODES }, (_, i) => `node-${i + 1}`)
  const liars = Array.from({ length: rounds }, (_, i) => `liar-${i + 1}`)
  const signal = new AbortController().signal
  const network = await PrivateNetwork.open({ members: [...nodes, ...liars], log, signal })
  const measured: Round[] = []
  try {
    const honest = network.members.filter(({ name }) => nodes.includes(name))
    const running = honest.map((member) => ({ member, process: runNode(member, network.processes) }))
    for (const { member, process } of running) {
      await nodeReady(member, process, 'is connected', ({ peers }) => peers.length >= NODES - 1)
    }
    const chainLog = new ChainLog(network.client, network.deployment, network.deployment.deployBlock)
    for (const liar of liars) {
      const round = await measure(network, chainLog, liar)
      log(`${liar}: ${round.blocks} blocks, ${round.seenMs} ms`)
      measured.push(round)
    }
  } finally {
    await network.close()
  }
  const blocks = median(measured.map((round) => round.blocks))
  const rows = measured.map(({ blocks, seenMs }, i) => ({ round: String(i + 1), blocks, milliseconds: seenMs }))
  return {
    name: 'slash',
    machine: thisMachine(),
    command: `suprnova bench slash${quick ? ' --quick' : ''}`,
    rows: [...rows, { round: 'median', blocks, milliseconds: median(measured.map(({ seenMs }) => seenMs)) }],
    aims: [
      {
        aim: `from the second conflicting message to the slash mined: ${AIM_BLOCKS} blocks (a block a second)`,
        measured: `${blocks} blocks`,
        met: blocks <= AIM_BLOCKS,
      },
    ],
  }
}

export const bench: Bench = {
  name: 'slash',
  summary: 'From the second conflicting message to the slash mined, in blocks and milliseconds',
  run,
}
