import type { Address, KeyTenure, StakeRow } from '../../core/index.ts'
import { ChainError } from '../errors.ts'
import type { StakeEvent } from './event.ts'

/** A stake with what only the view needs. */
export interface ChainStake extends StakeRow {
  readonly newestKey: Address
  /** Block from which it could speak without a break; `undefined` while it may not. */
  readonly speaksSinceBlock: number | undefined
}

/** A tenure, linked to the key its stake had before. */
export interface ChainKey extends KeyTenure {
  readonly previousKey: Address | undefined
}

/** The tables the reducer reads and the changes it asks for. `undefined` removes. */
export interface StakeTables {
  stake(stakeId: number): ChainStake | undefined
  key(address: Address): ChainKey | undefined
  readonly stakeCount: number
}

export type TableChange =
  | { readonly table: 'stake'; readonly stakeId: number; readonly row: ChainStake | undefined }
  | { readonly table: 'key'; readonly address: Address; readonly row: ChainKey | undefined }

/** Whether the registry's state alone lets a stake speak. */
export function canSpeak(stake: StakeRow): boolean {
  return stake.status === 'active' && stake.jailedUntil === 0 && !stake.tombstoned
}

/**
 * Pure: what `event`, mined in `block`, changes in `tables`.
 * @throws {ChainError} `CHAIN_LOGS_INCOMPLETE` when the event cannot follow from what was seen: an RPC left logs out.
 */
export function reduceStakes(tables: StakeTables, event: StakeEvent, block: number): TableChange[] {
  if (event.type === 'registered') return register(tables, event)
  const before = tables.stake(event.stakeId)
  if (before === undefined) throw incomplete(event, `stake ${event.stakeId} was never registered`)
  const changes: TableChange[] = []
  let after: ChainStake = before
  switch (event.type) {
    case 'activated':
      after = { ...before, status: 'active', placement: event.placement }
      break
    case 'amountChanged':
      after = { ...before, amountWei: event.amountWei }
      break
    case 'unbondingStarted':
      after = { ...before, status: 'unbonding', amountWei: event.amountWei, readyAt: event.readyAt }
      break
    case 'withdrawn':
      after = { ...before, status: 'withdrawn', amountWei: 0n, readyAt: 0 }
      break
    case 'unjailed':
      after = { ...before, jailedUntil: 0 }
      break
    case 'slashed':
      after = {
        ...before,
        amountWei: event.amountWei,
        jailedUntil: event.jailedUntil === 0 ? before.jailedUntil : event.jailedUntil,
        tombstoned: before.tombstoned || event.tombstoned,
      }
      break
    case 'rotated': {
      const retired = tables.key(before.newestKey)
      if (retired === undefined) throw incomplete(event, `key ${before.newestKey} is unknown`)
      changes.push({ table: 'key', address: retired.address, row: { ...retired, untilEpoch: event.fromEpoch } })
      changes.push({ table: 'key', address: event.nodeKey, row: tenureOf(event, before.newestKey) })
      after = { ...before, newestKey: event.nodeKey }
      break
    }
  }
  const since = canSpeak(after) ? (before.speaksSinceBlock ?? block) : undefined
  changes.push({ table: 'stake', stakeId: event.stakeId, row: { ...after, speaksSinceBlock: since } })
  return changes
}

function register(tables: StakeTables, event: StakeEvent & { type: 'registered' }): TableChange[] {
  // Ids run without gaps from 1, so a gap proves that logs are missing.
  if (event.stakeId !== tables.stakeCount + 1) {
    throw incomplete(event, `stake ${event.stakeId} follows stake ${tables.stakeCount}`)
  }
  const row: ChainStake = {
    stakeId: event.stakeId,
    operator: event.operator,
    status: 'pending',
    amountWei: event.amountWei,
    placement: undefined,
    jailedUntil: 0,
    tombstoned: false,
    readyAt: 0,
    newestKey: event.nodeKey,
    speaksSinceBlock: undefined,
  }
  return [
    { table: 'key', address: event.nodeKey, row: tenureOf(event, undefined) },
    { table: 'stake', stakeId: event.stakeId, row },
  ]
}

function tenureOf(event: StakeEvent & { type: 'registered' | 'rotated' }, previousKey: Address | undefined): ChainKey {
  return {
    address: event.nodeKey,
    stakeId: event.stakeId,
    publicKey: event.publicKey,
    fromEpoch: event.fromEpoch,
    untilEpoch: Number.POSITIVE_INFINITY,
    previousKey,
  }
}

function incomplete(event: StakeEvent, what: string): ChainError {
  return new ChainError('CHAIN_LOGS_INCOMPLETE', `the RPC left out events of the registry: ${what}`, {
    values: { event: event.type, stakeId: event.stakeId },
    hint: 'use another RPC; the view is built anew from the chain',
  })
}
