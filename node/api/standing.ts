import type { StakeRow } from '../core/index.ts'

/** Why a stake may not say anything new, in words; `undefined` when it may. */
export type Silence =
  | { readonly reason: 'tombstoned'; readonly words: string }
  | { readonly reason: 'jailed'; readonly words: string }
  | { readonly reason: 'leaving'; readonly words: string }

/**
 * Whether a node must drain: sign nothing new, and serve what it owes. A jail ends by `unjail`, a tombstone never, an
 * exit never. A stake that is not active yet does not drain: it has said nothing.
 */
export function silenceOf(stake: StakeRow | undefined): Silence | undefined {
  if (stake === undefined) return undefined
  const { stakeId } = stake
  if (stake.tombstoned) {
    return {
      reason: 'tombstoned',
      words: `stake ${stakeId} was slashed and is tombstoned: this node signs nothing new, ever; see \`suprnova evidence list\``,
    }
  }
  if (stake.jailedUntil > 0) {
    const until = new Date(stake.jailedUntil * 1000).toISOString()
    return {
      reason: 'jailed',
      words: `stake ${stakeId} was slashed and is jailed: this node signs nothing new until \`suprnova stake unjail\`, possible from ${until}`,
    }
  }
  if (stake.status === 'unbonding' || stake.status === 'withdrawn') {
    return { reason: 'leaving', words: `stake ${stakeId} is ${stake.status}: this node signs nothing new` }
  }
  return undefined
}
