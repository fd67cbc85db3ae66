import type { NodeStatus } from '../../api/index.ts'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { egi } from '../network/action.ts'
import { facts, moment, table } from '../text.ts'

export const command = defineCommand({
  description: ['Asks the node of the data directory through its socket.'],
  options: {},
  examples: ['suprnova node status', 'suprnova node status --data-dir ./node-1 --json'],
  exits: { [EXIT.tryAgain]: 'no node runs on this data directory' },
  async run(values) {
    const { NodeClient } = await import('../../api/index.ts')
    const status = await new NodeClient(values.dataDir).status()
    return { data: status, text: describe(status) }
  },
})

function describe(status: NodeStatus): string {
  const { chain, coordinator, dht, guard, messages, stake } = status
  const sections = [
    facts({
      phase: status.phase,
      key: status.key,
      'peer id': status.peerId,
      process: status.processId,
      'up since': moment(Math.floor(status.startedAtMs / 1_000)),
      listens: status.multiaddrs.join(' '),
      coordinator: `${coordinator.name} -> ${coordinator.address}`,
      'name now says': coordinator.nameNowSays ?? undefined,
      stake: stake === null ? 'none' : `${stake.stakeId}, ${stake.status}, ${egi(BigInt(stake.amountWei))}`,
      'may speak': stake === null ? 'no' : stake.maySpeak ? 'yes' : 'no',
      'jailed until': stake !== null && stake.jailedUntil > 0 ? moment(stake.jailedUntil) : undefined,
      tombstoned: stake?.tombstoned === true ? 'for ever' : undefined,
      'signing guard': guard.state,
      head: `${chain.head} (${chain.ageMs < 0 ? 'none seen' : `${Math.round(chain.ageMs / 1_000)} s ago`}), epoch ${chain.epoch}`,
      stakes: `${chain.stakes}, of which ${chain.speakers} may speak`,
      peers: status.peers.length,
      messages: `${messages.in} in, ${messages.out} out`,
      records: `${dht.records} held for others and itself, ${dht.bytes} bytes`,
      receipts: `${dht.receipts} given to this node`,
      rejected: counts(messages.rejects),
      ignored: counts(messages.ignores),
    }),
  ]
  if (status.faults.length > 0) {
    sections.push(
      `Faults seen:\n${table(status.faults.map((fault) => [`  ${fault.faultId}`, `stake ${fault.stakeId}`, fault.state]))}`,
    )
  }
  if (status.slashes.length > 0) {
    const rows = status.slashes.map((slash) => [
      `  stake ${slash.stakeId}`,
      egi(BigInt(slash.chargedWei)),
      `block ${slash.blockNumber}`,
    ])
    sections.push(`Slashes:\n${table(rows)}`)
  }
  if (status.problems.length > 0)
    sections.push(`Problems:\n${status.problems.map((problem) => `  ${problem}`).join('\n')}`)
  return sections.join('\n\n')
}

function counts(byReason: Readonly<Record<string, number>>): string {
  const parts = Object.entries(byReason).map(([reason, count]) => `${reason} ${count}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}
