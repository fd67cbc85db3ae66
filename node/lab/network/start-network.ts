import { relative } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readStakes } from '../../chain/index.ts'
import { EXIT, SuprnovaError } from '../../core/index.ts'
import { ensureContractsBuilt } from '../build-contracts.ts'
import { LiveView } from './live-view.ts'
import { askStatus, nodeReady, runNode } from './node-process.ts'
import type { NetworkView } from './picture.ts'
import { CHATTER, PrivateNetwork, type StakedMember } from './private-network.ts'
import type { Running } from './processes.ts'
import type { Terminal } from './screen.ts'
import { Trial } from './trial.ts'

/** Least and most nodes of a network on one machine. */
export const NODES_LEAST = 2
export const NODES_MOST = 64
const LOOK_EVERY_MS = 1_000

/** The same file in a clone and in the published package. */
const PROGRAM = fileURLToPath(new URL('../../../node/cli/suprnova.mjs', import.meta.url))

export interface StartNetworkOptions {
  readonly nodes: number
  /** One node equivocates once all are connected. */
  readonly lie: boolean
  readonly terminal: Terminal
  /** Ends everything. */
  readonly signal: AbortSignal
}

/**
 * Runs a private network and shows it until `signal` aborts, then ends every process and takes every file away.
 * @throws SuprnovaError `LAB_NODES` and what building, chain or nodes throw; nothing stays behind then either
 */
export async function startNetwork(options: StartNetworkOptions): Promise<void> {
  const { nodes, terminal, signal } = options
  if (!Number.isInteger(nodes) || nodes < NODES_LEAST || nodes > NODES_MOST) {
    throw new SuprnovaError('LAB_NODES', `a network has ${NODES_LEAST} to ${NODES_MOST} nodes, not ${nodes}`, {
      exitCode: EXIT.usage,
      values: { nodes, least: NODES_LEAST, most: NODES_MOST },
    })
  }
  const view = new LiveView(terminal)
  try {
    await showNetwork(options, view)
  } catch (error) {
    // The end was asked for: what broke off on the way there is no failure.
    if (!signal.aborted) throw error
  } finally {
    view.end()
  }
}

async function showNetwork({ nodes, lie, terminal, signal }: StartNetworkOptions, view: LiveView): Promise<void> {
  const log = (line: string) => void terminal.write(`${line}\n`)
  await ensureContractsBuilt({ log })
  const members = Array.from({ length: nodes }, (_, i) => `node-${i + 1}`)
  const network = await PrivateNetwork.open({ members, log, signal })
  const onAbort = () => void network.processes.stop()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    const running = new Map(network.members.map((member) => [member, runNode(member, network.processes)]))
    for (const [member, node] of running) {
      await nodeReady(member, node, 'may speak', ({ phase, guard }) => phase === 'running' && guard.state === 'ready')
      log(`${member.name} runs`)
    }
    await live(network, running, { lie, signal, view })
  } finally {
    signal.removeEventListener('abort', onAbort)
    view.end()
    log('ending')
    await network.close()
    log('everything is ended, nothing is left behind')
  }
}

interface Live {
  readonly lie: boolean
  readonly signal: AbortSignal
  readonly view: LiveView
}

async function live(
  network: PrivateNetwork,
  running: Map<StakedMember, Running>,
  { lie, signal, view }: Live,
): Promise<void> {
  const startedAt = performance.now()
  const trial = lie ? new Trial(network, (line) => view.tell(line)) : undefined
  for (let round = 0; !signal.aborted; round++) {
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    const picture = await look(network, view, seconds, trial?.liar)
    if (trial?.liar === undefined && allConnected(picture)) trial?.begin(running, signal)
    await trial?.follow()
    view.show(picture)
    await chat(network, round, trial?.liar)
    await pause(LOOK_EVERY_MS, undefined, { signal })
  }
}

/** How a call ends whose node dies while it answers. */
const CUT_OFF: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE'])

/** Somebody says something now and then, so that the numbers move. */
async function chat(network: PrivateNetwork, round: number, silent: StakedMember | undefined): Promise<void> {
  const talkers = network.members.filter((member) => member !== silent)
  const talker = talkers[round % talkers.length]
  try {
    await talker?.client.publish(CHATTER, new Uint8Array(Buffer.from(`round ${round}`)))
  } catch (error) {
    // A node that was ended by hand, or that refuses to sign, is shown as it is; the others go on.
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (!(error instanceof SuprnovaError) && !CUT_OFF.has(code)) throw error
  }
}

function allConnected({ nodes }: NetworkView): boolean {
  const wanted = Math.min(nodes.length - 1, 4)
  return nodes.every(({ status }) => status !== undefined && status.peers.length >= wanted)
}

async function look(
  network: PrivateNetwork,
  view: LiveView,
  seconds: number,
  liar?: StakedMember,
): Promise<NetworkView> {
  const { client, deployment, members } = network
  const [stakes, head, ...statuses] = await Promise.all([
    readStakes({ client, deployment }, 1, members.length),
    client.getBlockNumber({ cacheTime: 0 }),
    ...members.map(askStatus),
  ])
  const nodes = members.map((member, i): NetworkView['nodes'][number] => {
    const { stakeId } = member
    const stake = stakes.find((row) => row.stakeId === stakeId)
    const { amountWei = 0n, tombstoned = false, jailedUntil = 0 } = stake ?? {}
    const shown = { stakeId, amountWei, tombstoned, jailed: jailedUntil > 0 }
    return { name: member.name, stake: shown, status: statuses[i], instead: member === liar ? 'lying' : 'not running' }
  })
  const { coordinator, ensName } = deployment
  return {
    seconds,
    chain: { rpcUrl: network.chain.rpcUrl, head: Number(head), epoch: statuses[0]?.chain.epoch ?? 0 },
    coordinator: { name: ensName, address: coordinator },
    nodes,
    events: view.events,
    commands: commandsOf(network),
  }
}

function commandsOf({ members }: PrivateNetwork): NetworkView['commands'] {
  const program = `node ${relative(process.cwd(), PROGRAM)}`
  const [one, two] = members
  const dataDir = `--data-dir ${one?.dataDir}`
  return [
    { command: `${program} dht put greeting --value hello ${dataDir}`, shows: 'store a record with three replicas' },
    {
      command: `${program} dht get greeting --owner ${one?.stakeId} --data-dir ${two?.dataDir}`,
      shows: 'read it through another node',
    },
    { command: `${program} dht receipts ${dataDir}`, shows: 'who promised to keep it' },
    { command: `${program} node status ${dataDir}`, shows: 'what a node sees' },
    { command: `${program} gossip sub ${CHATTER} ${dataDir}`, shows: 'what the nodes say' },
    { command: `${program} gossip pub ${CHATTER} hello ${dataDir}`, shows: 'say something' },
    { command: `${program} stake status ${dataDir}`, shows: 'what is at stake' },
    { command: `${program} evidence list ${dataDir}`, shows: 'faults and how far they came' },
    { command: `${program} coordinator show ${dataDir}`, shows: 'where the name leads' },
  ]
}
