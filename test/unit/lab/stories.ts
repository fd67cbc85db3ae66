import type { NodeStatus } from '../../../node/api/index.ts'
import type { Address, Hex } from '../../../node/core/index.ts'
import type { TranscriptEvent, TranscriptLine } from '../../../node/lab/transcript.ts'

export const faultId: Hex = `0x${'f1'.repeat(32)}`
export const scope: Hex = `0x${'00'.repeat(32)}`
export const keyOf = (n: number): Address => `0x${String(n).padStart(40, '0')}`
export const contentOf = (n: number): Hex => `0x${String(n).padStart(64, '0')}`
const EGI = 10n ** 18n

/** Numbers the events by a second each. */
export function told(events: readonly TranscriptEvent[]): TranscriptLine[] {
  return events.map((event, i) => ({ ...event, atMs: i * 1000 }))
}

export const network: TranscriptEvent = {
  type: 'network',
  chainId: 31337,
  registry: keyOf(900),
  court: keyOf(901),
  gossipLimit: 65_536,
  penaltyBps: { equivocation: 500, overrun: 100, unavailability: 1000 },
  rewardBps: 1000,
}

export function actor(name: string, role: 'honest' | 'liar' | 'copier' | 'outsider', n: number): TranscriptEvent {
  return {
    type: 'actor',
    name,
    role,
    key: keyOf(n),
    stakeId: role === 'outsider' ? null : n,
    accounts: [keyOf(100 + n)],
  }
}

export function statement(n: number, position: bigint, content: number): TranscriptEvent {
  return {
    type: 'statement',
    signer: keyOf(n),
    kind: 2,
    scope,
    position: String(position),
    content: contentOf(content),
  }
}

export function said(name: string, text: string, phase: string): TranscriptEvent {
  return { type: 'said', actor: name, text, sent: 3, phase }
}

export function heard(name: string, n: number, text: string): TranscriptEvent {
  return { type: 'heard', actor: name, signer: keyOf(n), text }
}

export function log(name: string, blockNumber: number, args: Record<string, string | boolean>): TranscriptEvent {
  return { type: 'log', name, blockNumber, args }
}

export function money(name: string, when: 'before' | 'after', bond: bigint, credits: bigint): TranscriptEvent {
  return { type: 'money', actor: name, when, bondWei: String(bond * EGI), creditsWei: String(credits * EGI) }
}

export function status(name: string, values: Partial<NodeStatus>): TranscriptEvent {
  return { type: 'status', actor: name, phase: 'end', status: { faults: [], ...values } as NodeStatus }
}

export function call(name: string, made: string, blockNumber: number, succeeded: boolean): TranscriptEvent {
  return {
    type: 'transaction',
    actor: name,
    call: made,
    hash: contentOf(blockNumber),
    blockNumber,
    index: 0,
    succeeded,
  }
}

export function process(name: string, event: 'started' | 'killed' | 'ended', phase: string): TranscriptEvent {
  return { type: 'process', actor: name, event, phase }
}

const seen = {
  faults: [{ faultId, faultType: 1, stakeId: 3, signer: keyOf(3), state: 'slashed' }],
} as Partial<NodeStatus>

/** Two honest nodes, liar 3, bonds of 1000 EGI. */
export function slashStory(faultType: 1 | 2): TranscriptEvent[] {
  const charged = faultType === 1 ? 50n : 10n
  const reward = charged / 10n
  const position = (100n << 32n) | 7n
  const lies =
    faultType === 1
      ? [statement(3, position, 1), statement(3, position, 2)]
      : [statement(3, (100n << 32n) | 65_536n, 1)]
  return [
    network,
    actor('one', 'honest', 1),
    actor('two', 'honest', 2),
    actor('liar', 'liar', 3),
    money('one', 'before', 1000n, 0n),
    money('two', 'before', 1000n, 0n),
    money('liar', 'before', 1000n, 0n),
    statement(1, position, 5),
    statement(2, position, 6),
    ...lies,
    log('Committed', 20, { commitment: contentOf(1) }),
    log('Committed', 20, { commitment: contentOf(2) }),
    log('FaultProven', 21, {
      faultId,
      stakeId: '3',
      faultType: String(faultType),
      submitter: keyOf(101),
      charged: String(charged * EGI),
    }),
    log('Slashed', 21, {
      faultId,
      stakeId: '3',
      charged: String(charged * EGI),
      tombstoned: faultType === 1,
      jailedUntil: faultType === 1 ? '0' : '1700000000',
    }),
    said('liar', 'again', 'after'),
    log('Released', 60, { faultId, beneficiary: keyOf(102), amount: String(reward * EGI) }),
    money('one', 'after', 1000n, 0n),
    money('two', 'after', 1000n, reward),
    money('liar', 'after', 1000n - charged, 0n),
    status('one', seen),
    status('two', seen),
  ]
}

export function unstakedStory(): TranscriptEvent[] {
  const ignores = { messages: { in: 1, out: 1, rejects: {}, ignores: { 'unknown-stake': 3 } } } as Partial<NodeStatus>
  return [
    network,
    actor('one', 'honest', 1),
    actor('two', 'honest', 2),
    actor('stranger', 'outsider', 4),
    actor('leaving', 'outsider', 5),
    actor('early', 'outsider', 6),
    said('one', 'hello', 'control'),
    heard('two', 1, 'hello'),
    statement(1, 100n << 32n, 1),
    said('stranger', 's', 'outside'),
    said('leaving', 'l', 'outside'),
    said('early', 'e', 'outside'),
    said('early', 'now', 'activated'),
    heard('one', 6, 'now'),
    status('one', ignores),
  ]
}

export function stolenStory(): TranscriptEvent[] {
  const story = slashStory(1).map((event) =>
    event.type === 'log' && event.name === 'FaultProven'
      ? { ...event, args: { ...event.args, submitter: keyOf(107) } }
      : event,
  )
  return [
    ...story,
    actor('copier', 'copier', 7),
    money('copier', 'before', 0n, 0n),
    call('copier', 'submit', 21, true),
    call('copier', 'commit', 21, true),
    call('copier', 'claim', 22, false),
    money('copier', 'after', 0n, 0n),
  ]
}

export function restartStory(): TranscriptEvent[] {
  const hurts = ['kill', 'lost-guard', 'restored-backup', 'clock-jump']
  return [
    network,
    ...hurts.flatMap((hurt, i): TranscriptEvent[] => [
      actor(hurt, 'honest', i + 1),
      process(hurt, 'started', hurt),
      said(hurt, `${hurt} 1`, `${hurt}/before`),
      statement(i + 1, 100n << 32n, 1),
      process(hurt, 'killed', hurt),
      process(hurt, 'started', hurt),
      ...(hurt === 'kill' ? [] : [{ type: 'refused', actor: hurt, reason: 'lost', phase: `${hurt}/after` } as const]),
      said(hurt, `${hurt} 2`, `${hurt}/after`),
      statement(i + 1, (100n << 32n) | 1n, 2),
    ]),
  ]
}
