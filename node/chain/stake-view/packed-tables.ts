import type { Address, Hex, StakeStatus } from '../../core/index.ts'
import { fromHex, toHex } from '../../core/index.ts'
import type { ChainKey, ChainStake, StakeTables, TableChange } from './reducer.ts'

const STATUSES: readonly StakeStatus[] = ['pending', 'active', 'unbonding', 'withdrawn']
const FLAG_TOMBSTONED = 1
const FLAG_PLACED = 2
const NO_KEY = 0xffff_ffff
const AMOUNT_LOW_BITS = 64n

/** Bytes of one stake: operator 20, placement 32, status, flags, then numbers at 8-byte steps. */
const STAKE_BYTES = 104
const AT = { operator: 0, placement: 20, status: 52, flags: 53, newestKey: 56, amountHigh: 60, amountLow: 64 } as const
const AT_TIMES = { jailedUntil: 72, readyAt: 80, speaksSince: 88 } as const
/** Bytes of one key: address 20, public key 33, previous key, stake id, epochs. */
const KEY_BYTES = 80
const KEY_AT = { address: 0, publicKey: 20, previous: 56, stakeId: 60, from: 64, until: 72 } as const
const FIRST_ROWS = 64

/**
 * All stakes and keys in two flat byte arrays: stakes by id (ids have no gaps), keys by their order of arrival.
 * Rows are built when asked for. 100,000 stakes take 38 MB, index included; as plain objects they took 112 MB.
 */
export class PackedStakeTables implements StakeTables {
  #stakes = new Column(STAKE_BYTES)
  #keys = new Column(KEY_BYTES)
  #keyIndex = new Map<Address, number>()

  get stakeCount(): number {
    return this.#stakes.rows
  }

  get keyCount(): number {
    return this.#keys.rows
  }

  stake(stakeId: number): ChainStake | undefined {
    if (!Number.isInteger(stakeId) || stakeId < 1 || stakeId > this.#stakes.rows) return undefined
    const { view, bytes } = this.#stakes
    const at = (stakeId - 1) * STAKE_BYTES
    const flags = view.getUint8(at + AT.flags)
    const since = view.getFloat64(at + AT_TIMES.speaksSince)
    return {
      stakeId,
      operator: hexAt(bytes, at + AT.operator, 20),
      status: STATUSES[view.getUint8(at + AT.status)] as StakeStatus,
      amountWei: (BigInt(view.getUint32(at + AT.amountHigh)) << AMOUNT_LOW_BITS) | view.getBigUint64(at + AT.amountLow),
      placement: (flags & FLAG_PLACED) === 0 ? undefined : hexAt(bytes, at + AT.placement, 32),
      jailedUntil: view.getFloat64(at + AT_TIMES.jailedUntil),
      tombstoned: (flags & FLAG_TOMBSTONED) !== 0,
      readyAt: view.getFloat64(at + AT_TIMES.readyAt),
      newestKey: this.#addressOf(view.getUint32(at + AT.newestKey)),
      speaksSinceBlock: since < 0 ? undefined : since,
    }
  }

  /** {@link ChainStake.speaksSinceBlock} without building the row: this is asked for every message. */
  speaksSinceBlock(stakeId: number): number | undefined {
    if (!Number.isInteger(stakeId) || stakeId < 1 || stakeId > this.#stakes.rows) return undefined
    const since = this.#stakes.view.getFloat64((stakeId - 1) * STAKE_BYTES + AT_TIMES.speaksSince)
    return since < 0 ? undefined : since
  }

  key(address: Address): ChainKey | undefined {
    const index = this.#keyIndex.get(address)
    if (index === undefined) return undefined
    const { view, bytes } = this.#keys
    const at = index * KEY_BYTES
    const previous = view.getUint32(at + KEY_AT.previous)
    return {
      address,
      stakeId: view.getUint32(at + KEY_AT.stakeId),
      publicKey: bytes.subarray(at + KEY_AT.publicKey, at + KEY_AT.publicKey + 33),
      fromEpoch: view.getFloat64(at + KEY_AT.from),
      untilEpoch: view.getFloat64(at + KEY_AT.until),
      previousKey: previous === NO_KEY ? undefined : this.#addressOf(previous),
    }
  }

  /** Applies one change and returns the one that takes it back. Rows are added, and taken back, at the end only. */
  apply(change: TableChange): TableChange {
    if (change.table === 'stake') {
      const before = this.stake(change.stakeId)
      if (change.row === undefined) this.#stakes.pop(change.stakeId - 1)
      else this.#writeStake(change.row)
      return { table: 'stake', stakeId: change.stakeId, row: before }
    }
    const found = this.key(change.address)
    const before = found === undefined ? undefined : { ...found, publicKey: found.publicKey.slice() }
    if (change.row === undefined) {
      this.#keys.pop(this.#keyIndex.get(change.address) ?? -1)
      this.#keyIndex.delete(change.address)
    } else {
      this.#writeKey(change.row)
    }
    return { table: 'key', address: change.address, row: before }
  }

  /** The rows as they lie in memory, for a snapshot. */
  dump(): { stakes: Uint8Array; keys: Uint8Array } {
    return { stakes: this.#stakes.used(), keys: this.#keys.used() }
  }

  /** @throws {RangeError} when the lengths are not whole rows. */
  static load(dump: { stakes: Uint8Array; keys: Uint8Array }): PackedStakeTables {
    const tables = new PackedStakeTables()
    tables.#stakes.fill(dump.stakes)
    tables.#keys.fill(dump.keys)
    for (let index = 0; index < tables.#keys.rows; index++) tables.#keyIndex.set(tables.#addressOf(index), index)
    return tables
  }

  #addressOf(keyIndex: number): Address {
    return hexAt(this.#keys.bytes, keyIndex * KEY_BYTES + KEY_AT.address, 20)
  }

  #writeStake(row: ChainStake): void {
    const at = this.#stakes.place(row.stakeId - 1)
    const { view, bytes } = this.#stakes
    bytes.set(fromHex(row.operator), at + AT.operator)
    bytes.fill(0, at + AT.placement, at + AT.placement + 32)
    if (row.placement !== undefined) bytes.set(fromHex(row.placement), at + AT.placement)
    view.setUint8(at + AT.status, STATUSES.indexOf(row.status))
    view.setUint8(
      at + AT.flags,
      (row.tombstoned ? FLAG_TOMBSTONED : 0) | (row.placement === undefined ? 0 : FLAG_PLACED),
    )
    view.setUint32(at + AT.newestKey, this.#keyIndex.get(row.newestKey) ?? NO_KEY)
    view.setUint32(at + AT.amountHigh, Number(row.amountWei >> AMOUNT_LOW_BITS))
    view.setBigUint64(at + AT.amountLow, BigInt.asUintN(64, row.amountWei))
    view.setFloat64(at + AT_TIMES.jailedUntil, row.jailedUntil)
    view.setFloat64(at + AT_TIMES.readyAt, row.readyAt)
    view.setFloat64(at + AT_TIMES.speaksSince, row.speaksSinceBlock ?? -1)
  }

  #writeKey(row: ChainKey): void {
    const index = this.#keyIndex.get(row.address) ?? this.#keys.rows
    const at = this.#keys.place(index)
    this.#keyIndex.set(row.address, index)
    const { view, bytes } = this.#keys
    bytes.set(fromHex(row.address), at + KEY_AT.address)
    bytes.set(row.publicKey, at + KEY_AT.publicKey)
    const previous = row.previousKey === undefined ? undefined : this.#keyIndex.get(row.previousKey)
    view.setUint32(at + KEY_AT.previous, previous ?? NO_KEY)
    view.setUint32(at + KEY_AT.stakeId, row.stakeId)
    view.setFloat64(at + KEY_AT.from, row.fromEpoch)
    view.setFloat64(at + KEY_AT.until, row.untilEpoch)
  }
}

/** Rows of one size in one growing buffer. */
class Column {
  readonly rowBytes: number
  rows = 0
  bytes: Uint8Array
  view: DataView

  constructor(rowBytes: number) {
    this.rowBytes = rowBytes
    this.bytes = new Uint8Array(FIRST_ROWS * rowBytes)
    this.view = new DataView(this.bytes.buffer)
  }

  /** The offset of row `index`, which exists or is the next one. */
  place(index: number): number {
    if (index > this.rows) throw new RangeError(`row ${index} lies past the ${this.rows} there are`)
    if (index === this.rows) this.#grow(this.rows + 1)
    return index * this.rowBytes
  }

  pop(index: number): void {
    if (index !== this.rows - 1) throw new RangeError(`row ${index} is not the last of ${this.rows}`)
    this.rows = index
  }

  used(): Uint8Array {
    return this.bytes.subarray(0, this.rows * this.rowBytes)
  }

  fill(rows: Uint8Array): void {
    if (rows.length % this.rowBytes !== 0) throw new RangeError(`${rows.length} bytes are not rows of ${this.rowBytes}`)
    this.#grow(rows.length / this.rowBytes)
    this.bytes.set(rows)
  }

  #grow(rows: number): void {
    this.rows = rows
    if (rows * this.rowBytes <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(rows, Math.ceil((this.bytes.length / this.rowBytes) * 1.5)) * this.rowBytes)
    grown.set(this.bytes)
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }
}

function hexAt(bytes: Uint8Array, at: number, length: number): Hex {
  return toHex(bytes.subarray(at, at + length))
}
