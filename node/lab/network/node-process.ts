import type { NodeConfigInput, NodeStatus } from '../../api/index.ts'
import { SuprnovaError } from '../../core/index.ts'
import { programPath } from '../program.ts'
import { type Member, type MemberSettings, PRIVATE_PASSWORD } from './member.ts'
import type { Processes, Running } from './processes.ts'
import { until } from './until.ts'

/** A node loads libp2p, LMDB and viem; five at once on two cores take their time. */
const READY_WITHIN_MS = 60_000

const CLI = programPath('cli/main')
const FORGETFUL_NODE = programPath('lab/programs/forgetful-node')
const SHIFTED_NODE = programPath('lab/programs/shifted-node')

/** Begins the program that people run, on the data directory of a member. */
export function runNode(member: Member, processes: Processes): Running {
  const args = [CLI, 'node', 'run', '--data-dir', member.dataDir]
  return processes.start({ name: member.name, args })
}

/** Begins the same node on a clock that is off, and can be moved. */
export function runShiftedNode(member: Member, settings: MemberSettings, processes: Processes, offsetMs = 0): Running {
  return runProgram(SHIFTED_NODE, member, settings, processes, { more: [String(offsetMs)] })
}

/** Begins the same node with a store that can be told to forget what it promised. */
export function runForgetfulNode(
  member: Member,
  settings: MemberSettings,
  processes: Processes,
  onLine?: (line: string) => void,
): Running {
  return runProgram(FORGETFUL_NODE, member, settings, processes, onLine === undefined ? {} : { onLine })
}

/** Begins a program of the lab around a real node. */
function runProgram(
  program: string,
  member: Member,
  settings: MemberSettings,
  processes: Processes,
  { more = [], ...lines }: { readonly more?: readonly string[]; readonly onLine?: (line: string) => void },
): Running {
  const config: NodeConfigInput = {
    dataDir: member.dataDir,
    coordinator: settings.coordinator,
    rpcUrls: [settings.rpcUrl],
    ensRegistry: settings.ensRegistry,
    keystore: { path: member.node.path, password: PRIVATE_PASSWORD },
    gasKeystore: { path: member.gas.path, password: PRIVATE_PASSWORD },
    listen: [settings.listen],
    topics: settings.topics,
    ...(settings.answers === undefined ? {} : { answers: settings.answers }),
    ...(settings.maxRecordBytes === undefined ? {} : { maxRecordBytes: settings.maxRecordBytes }),
  }
  return processes.start({ name: member.name, args: [program, JSON.stringify(config), ...more], ...lines })
}

/**
 * What a node says of itself, or `undefined` while it does not answer yet.
 * @throws SuprnovaError `LAB_NODE_ENDED` with its last words when it ended
 */
export async function statusOf(member: Member, running: Running): Promise<NodeStatus | undefined> {
  if (!running.alive()) {
    throw new SuprnovaError('LAB_NODE_ENDED', `${member.name} ended:\n${running.lastWords().join('\n')}`)
  }
  return askStatus(member)
}

/** What a node says of itself, or `undefined` when none answers. */
export async function askStatus(member: Member): Promise<NodeStatus | undefined> {
  try {
    return await member.client.status()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'NODE_NOT_RUNNING' || code === 'NODE_SILENT' || code === 'ECONNRESET') return undefined
    throw error
  }
}

/** Waits until a node answers and `condition` holds of its status. */
export function nodeReady(
  member: Member,
  running: Running,
  what: string,
  condition: (status: NodeStatus) => boolean,
): Promise<NodeStatus> {
  return until(`${member.name} ${what}`, READY_WITHIN_MS, async () => {
    const status = await statusOf(member, running)
    return status !== undefined && condition(status) ? status : undefined
  })
}
