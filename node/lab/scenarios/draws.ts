import { fromHex } from '../../core/index.ts'
import { SortedReplicaTable } from '../../dht/index.ts'
import { keccak256 } from '../../statements/index.ts'

/** What drawing placements at random gave. */
export interface Draws {
  readonly keys: number
  /** Keys whose replicas are all attackers. */
  readonly hidden: number
}

/**
 * Draws placements for `stakes` stakes, the first `attackers` of them an attacker's, `rounds` times, and counts the keys
 * whose replicas are all the attacker's. Seeded: the same numbers each time.
 */
export function drawPlacements(options: {
  readonly seed: number
  readonly rounds: number
  readonly stakes: number
  readonly attackers: number
  readonly replicas: number
  readonly keysPerRound: number
}): Draws {
  const { seed, rounds, stakes, attackers, replicas, keysPerRound } = options
  let hidden = 0
  for (let round = 0; round < rounds; round++) {
    const table = new SortedReplicaTable(
      round,
      Array.from({ length: stakes }, (_, index) => ({
        stakeId: index + 1,
        placement: drawn('stake', seed, round, index),
      })),
    )
    for (let key = 0; key < keysPerRound; key++) {
      const holders = table.closest(drawn('key', seed, round, key), replicas)
      if (holders.every((stakeId) => stakeId <= attackers)) hidden++
    }
  }
  return { keys: rounds * keysPerRound, hidden }
}

/** The chance that `replicas` different stakes drawn at random are all the attacker's. */
export function chanceOfAll(stakes: number, attackers: number, replicas: number): number {
  let chance = 1
  for (let drawnBefore = 0; drawnBefore < replicas; drawnBefore++) {
    chance *= (attackers - drawnBefore) / (stakes - drawnBefore)
  }
  return Math.max(0, chance)
}

/** Keys of `keys` whose `replicas` closest placements are all the attacker's. */
export function hiddenKeys(
  placements: ReadonlyMap<number, `0x${string}`>,
  attackers: ReadonlySet<number>,
  keys: readonly Uint8Array[],
  replicas: number,
): number {
  const table = new SortedReplicaTable(
    0,
    [...placements].map(([stakeId, placement]) => ({ stakeId, placement: fromHex(placement) })),
  )
  return keys.filter((key) => table.closest(key, replicas).every((stakeId) => attackers.has(stakeId))).length
}

function drawn(what: string, ...numbers: readonly number[]): Uint8Array {
  return keccak256(new Uint8Array(Buffer.from(`${what} ${numbers.join(' ')}`, 'utf8')))
}
