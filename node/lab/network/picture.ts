import type { NodeStatus } from '../../api/index.ts'
import type { Address } from '../../core/index.ts'

/** One line of the table: the stake as the chain has it, and the node as it says it is while it answers. */
export interface NodeRow {
  readonly name: string
  readonly stake: {
    readonly stakeId: number
    readonly amountWei: bigint
    readonly tombstoned: boolean
    readonly jailed: boolean
  }
  readonly status: NodeStatus | undefined
  /** What takes the place of a node that does not run. */
  readonly instead: string
}

/** All that the live view shows. */
export interface NetworkView {
  readonly seconds: number
  readonly chain: { readonly rpcUrl: string; readonly head: number; readonly epoch: number }
  readonly coordinator: { readonly name: string; readonly address: Address }
  readonly nodes: readonly NodeRow[]
  /** What happened, newest last. */
  readonly events: readonly string[]
  /** Commands to try next, with what they show. */
  readonly commands: readonly { readonly command: string; readonly shows: string }[]
}

const EGI = 10n ** 18n
const HEADERS = [
  'node',
  'stake',
  'EGI',
  'peers',
  'in',
  'out',
  'records',
  'receipts',
  'rejected',
  'faults',
  'state',
] as const
const SHOWN_EVENTS = 8

/** Wei as EGI with at most four decimals. */
export function egi(wei: bigint): string {
  const tenThousandths = (wei * 10_000n) / EGI
  const rest = String(tenThousandths % 10_000n)
    .padStart(4, '0')
    .replace(/0+$/, '')
  return `${tenThousandths / 10_000n}${rest === '' ? '' : `.${rest}`}`
}

/** `signature 2, path 1`, or a dash. */
export function reasons(counts: Readonly<Record<string, number>>): string {
  const named = Object.entries(counts).filter(([, count]) => count > 0)
  return named.length === 0 ? '-' : named.map(([reason, count]) => `${reason} ${count}`).join(', ')
}

function stateOf({ stake, status, instead }: NodeRow): string {
  const marks = [...(stake.tombstoned ? ['TOMBSTONED'] : []), ...(stake.jailed ? ['JAILED'] : [])]
  if (status === undefined) return [instead, ...marks].join(', ')
  if (marks.length > 0) return marks.join(', ')
  if (status.phase !== 'running') return status.phase
  return status.guard.state === 'ready' ? 'ready' : `guard: ${status.guard.state}`
}

function cellsOf(row: NodeRow): string[] {
  const { name, stake, status } = row
  const own = [name, String(stake.stakeId), egi(stake.amountWei)]
  if (status === undefined) return [...own, ...Array<string>(7).fill('-'), stateOf(row)]
  const { dht, faults, messages, peers } = status
  const counts = [peers.length, messages.in, messages.out, dht.records, dht.receipts].map(String)
  return [...own, ...counts, reasons(messages.rejects), String(faults.length), stateOf(row)]
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADERS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map(
    (row) =>
      `  ${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}`,
  )
}

/** The live view as lines of text. */
export function drawNetwork(view: NetworkView): string[] {
  const { chain, coordinator, nodes, events, commands } = view
  const slashes = new Map(nodes.flatMap(({ status }) => status?.slashes ?? []).map((slash) => [slash.faultId, slash]))
  const lines = [
    `Suprnova, a private network on this machine, for ${view.seconds} s`,
    '',
    `  chain        ${chain.rpcUrl}   head ${chain.head}   epoch ${chain.epoch}`,
    `  coordinator  ${coordinator.name} -> ${coordinator.address}`,
    '',
    ...table([HEADERS, ...nodes.map(cellsOf)]),
    '',
    `  slashes      ${slashes.size === 0 ? 'none' : ''}`.trimEnd(),
    ...[...slashes.values()].map(
      ({ stakeId, chargedWei, tombstoned, blockNumber }) =>
        `    stake ${stakeId} lost ${egi(BigInt(chargedWei))} EGI in block ${blockNumber}${tombstoned ? ', for ever silent' : ', jailed'}`,
    ),
  ]
  if (events.length > 0) lines.push('', ...events.slice(-SHOWN_EVENTS).map((event) => `  ${event}`))
  lines.push('', 'Try, in another terminal:')
  lines.push(...commands.map(({ command, shows }) => `  ${command}   # ${shows}`))
  lines.push('', 'Ctrl-C ends everything and leaves nothing behind.')
  return lines
}

/** One plain line that sums the network up, for where there is no terminal. */
export function sumUpNetwork(view: NetworkView): string {
  const statuses = view.nodes.flatMap(({ status }) => status ?? [])
  const sum = (of: (status: NodeStatus) => number) => statuses.reduce((total, status) => total + of(status), 0)
  const rejected = sum(({ messages }) => Object.values(messages.rejects).reduce((a, b) => a + b, 0))
  const slashes = new Set(statuses.flatMap((status) => status.slashes.map(({ faultId }) => faultId)))
  return [
    `head ${view.chain.head}`,
    `nodes ${statuses.length}/${view.nodes.length}`,
    `peers ${sum(({ peers }) => peers.length)}`,
    `in ${sum(({ messages }) => messages.in)}`,
    `out ${sum(({ messages }) => messages.out)}`,
    `records ${sum(({ dht }) => dht.records)}`,
    `receipts ${sum(({ dht }) => dht.receipts)}`,
    `rejected ${rejected}`,
    `faults ${Math.max(0, ...statuses.map(({ faults }) => faults.length))}`,
    `slashes ${slashes.size}`,
  ].join('  ')
}
