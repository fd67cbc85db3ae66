import type { Command } from './command.ts'

/** A line of the table: a command and where its code is. Nothing of it is loaded before it is asked for. */
export interface Entry {
  /** Its words: `['stake', 'register']`. */
  readonly path: readonly [string] | readonly [string, string]
  /** One sentence without a full stop. */
  readonly summary: string
  readonly load: () => Promise<{ readonly command: Command }>
}

/** What the first word of two-word commands is about. */
export const GROUPS: Readonly<Record<string, string>> = {
  chain: 'A local chain, and contracts on any chain',
  key: 'Encrypted keystores',
  token: 'EGI balances and payments',
  coordinator: 'What the ENS name points to',
  stake: 'The life of a stake',
  node: 'A running node',
  gossip: 'Say and hear messages through a running node',
  dht: 'Records held by replicas, through a running node',
  evidence: 'Proofs that somebody lied, and challenges',
  guard: 'The signing guard, moved safely from machine to machine',
}

function entry(words: string, summary: string, load: Entry['load']): Entry {
  return { path: words.split(' ') as unknown as Entry['path'], summary, load }
}

/** Every command there is, in the order in which the help shows them. */
export const COMMANDS: readonly Entry[] = [
  entry('start', 'Run a whole network on this machine and watch it', () => import('./commands/start.ts')),
  entry('init', 'Make keys, config and data directory for one operator', () => import('./commands/init.ts')),

  entry('chain start', "Run Hardhat's chain on 127.0.0.1", () => import('./commands/chain-start.ts')),
  entry(
    'chain deploy',
    'Deploy contracts and ENS name, write a deployment file',
    () => import('./commands/chain-deploy.ts'),
  ),
  entry(
    'chain status',
    'Show the head of the chain and the state of the contracts',
    () => import('./commands/chain-status.ts'),
  ),

  entry('key new', 'Make a new key', () => import('./commands/key-new.ts')),
  entry('key import', 'Take in a raw key or a keystore of another program', () => import('./commands/key-import.ts')),
  entry('key list', 'List the keys of the data directory', () => import('./commands/key-list.ts')),
  entry(
    'key export',
    'Write a keystore, or the raw key, out of the data directory',
    () => import('./commands/key-export.ts'),
  ),

  entry('token balance', 'Show EGI and gas of an account', () => import('./commands/token-balance.ts')),
  entry('token transfer', 'Pay EGI to somebody', () => import('./commands/token-transfer.ts')),
  entry(
    'token faucet',
    'Take EGI and gas from the faucet of a local chain',
    () => import('./commands/token-faucet.ts'),
  ),

  entry(
    'coordinator show',
    'Show the coordinator and everything it points to',
    () => import('./commands/coordinator-show.ts'),
  ),
  entry(
    'coordinator snapshot',
    'Write down the registry for readers without a chain',
    () => import('./commands/coordinator-snapshot.ts'),
  ),

  entry('stake register', 'Bond EGI behind a node key', () => import('./commands/stake-register.ts')),
  entry('stake activate', 'Draw the placement of a registered stake', () => import('./commands/stake-activate.ts')),
  entry('stake topup', 'Add EGI to a stake', () => import('./commands/stake-topup.ts')),
  entry('stake rotate', 'Replace the node key', () => import('./commands/stake-rotate.ts')),
  entry('stake unbond', 'Begin to leave', () => import('./commands/stake-unbond.ts')),
  entry(
    'stake withdraw',
    'Settle what is open, then pay an unbonded stake out',
    () => import('./commands/stake-withdraw.ts'),
  ),
  entry('stake unjail', 'End a jail that has run its time', () => import('./commands/stake-unjail.ts')),
  entry(
    'stake credits',
    'Show, or pay out, what the registry owes an account',
    () => import('./commands/stake-credits.ts'),
  ),
  entry('stake status', 'Show a stake', () => import('./commands/stake-status.ts')),

  entry('node run', 'Run a node until Ctrl-C', () => import('./commands/node-run.ts')),
  entry('node stop', 'Stop the running node', () => import('./commands/node-stop.ts')),
  entry('node status', 'Show what the running node sees', () => import('./commands/node-status.ts')),

  entry('gossip pub', 'Publish a message', () => import('./commands/gossip-pub.ts')),
  entry('gossip sub', 'Print messages as they come', () => import('./commands/gossip-sub.ts')),

  entry('dht put', 'Store a value under a name', () => import('./commands/dht-put.ts')),
  entry('dht get', 'Read what a stake stored under a name', () => import('./commands/dht-get.ts')),
  entry('dht renew', 'Sign a state anew before its end', () => import('./commands/dht-renew.ts')),
  entry('dht closest', 'Show which stakes hold a name', () => import('./commands/dht-closest.ts')),
  entry('dht peers', 'Walk the routing table towards a name', () => import('./commands/dht-peers.ts')),
  entry('dht query', 'Find the agents near a position', () => import('./commands/dht-query.ts')),
  entry('dht announce', 'Say where an agent is', () => import('./commands/dht-announce.ts')),
  entry('dht receipts', 'List the receipts this node was given', () => import('./commands/dht-receipts.ts')),

  entry('evidence list', 'List the offences that the running node knows', () => import('./commands/evidence-list.ts')),
  entry('evidence show', 'Show what an evidence file says', () => import('./commands/evidence-show.ts')),
  entry('evidence verify', 'Judge an evidence file off line', () => import('./commands/evidence-verify.ts')),
  entry(
    'evidence submit',
    'Take an evidence file to the court and slash',
    () => import('./commands/evidence-submit.ts'),
  ),
  entry('evidence claim', 'Claim the reward of a proven fault', () => import('./commands/evidence-claim.ts')),

  entry(
    'evidence challenge',
    'Challenge a replica to show what it promised',
    () => import('./commands/evidence-challenge.ts'),
  ),
  entry('evidence answer', 'Answer a challenge', () => import('./commands/evidence-answer.ts')),

  entry('guard export', 'Write what the signing guard has given out', () => import('./commands/guard-export.ts')),
  entry(
    'guard declare-lost',
    'Say that somebody else may have signed with the node key',
    () => import('./commands/guard-declare-lost.ts'),
  ),
  entry('guard import', 'Merge such a file into the signing guard', () => import('./commands/guard-import.ts')),

  entry('scenario', 'Play one story on a private network and judge it', () => import('./commands/scenario.ts')),
  entry('bench', 'Measure, and compare with the aims', () => import('./commands/bench.ts')),
]

/** The words of a command as one writes them. */
export function nameOf(entry: Entry): string {
  return entry.path.join(' ')
}

/** The commands of a group. */
export function commandsOf(group: string): readonly Entry[] {
  return COMMANDS.filter((entry) => entry.path.length === 2 && entry.path[0] === group)
}
