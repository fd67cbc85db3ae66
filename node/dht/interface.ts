import type { Address } from '../core/index.ts'
import type { PutBody } from '../statements/index.ts'

/** Which record, and which entry of a record that holds a set. */
export interface EntryId {
  /** 32 bytes, see `recordKeyOf`. */
  readonly recordKey: Uint8Array
  /**
   * 32 bytes: in a cell keccak256(agent id || u8 1 for a stake or 3 for a mesh || authority, 32 bytes), so that nobody
   * can write over the entry of an agent by naming another authority; the writer's stake id (big-endian, left-padded)
   * for content, which anyone may sign anew; zero for owner and mesh records, which hold one.
   */
  readonly entry: Uint8Array
}

/** Where a version stands among those of its entry. Compared by `compareVersions`: rank, position, leaf. */
export interface Version {
  /** The lease number of a cell entry, the certificate's rank of a mesh record; else 0. */
  readonly rank: bigint
  /** Position of the PUT statement. */
  readonly position: bigint
  /** Leaf of the body in it. */
  readonly leaf: number
}

/** A PUT that was verified, without the value. */
export interface SignedPut extends EntryId {
  /** The wire frame, form 0. */
  readonly frame: Uint8Array
  readonly put: PutBody
  readonly version: Version
  readonly signer: Address
  readonly writerStakeId: number
  /** 32 bytes: EIP-712 digest of the PUT statement, as receipts name it. */
  readonly putDigest: Uint8Array
}

/** A verified PUT with the value its root was recomputed from. */
export interface DhtRecord extends SignedPut {
  readonly value: Uint8Array
}

/** Stakes by XOR distance of their placements to keys, as one epoch has them. */
export interface ReplicaTable {
  readonly epoch: number
  readonly size: number
  has(stakeId: number): boolean
  /** The `count` stakes closest to `key` (32 bytes), closest first; fewer when there are fewer. */
  closest(key: Uint8Array, count: number): readonly number[]
  placement(stakeId: number): Uint8Array | undefined
  stakes(): Iterable<number>
}

/** The replica sets of a key at a moment. */
export interface ReplicaSets {
  /**
   * One set, or two in the first epoch after a change: the new one first. A quorum must hold in each of them.
   * Each is closest first.
   */
  readonly sets: readonly (readonly number[])[]
  /** All of them, each stake once: those of the new set first. */
  readonly members: readonly number[]
  /** The next closest stakes of the new table, closest first, none of them a member. */
  readonly standIns: readonly number[]
}

/** Replica tables by epoch. A local computation on the registry: nobody is asked. */
export interface ReplicaTables {
  /** The table of an epoch, or `undefined` while the registry was not read yet. */
  table(epoch: number): ReplicaTable | undefined
  /** @param replicas R */
  setsOf(key: Uint8Array, epoch: number, replicas: number): ReplicaSets
  /** Whether the table of `epoch` has other stakes or placements than the one before. */
  changed(epoch: number): boolean
}

/** What the chain says of challenges. */
export interface ChallengeView {
  /** Whether the bytes of this PUT are still owed to a challenge that was read. */
  isOpen(putDigest: Uint8Array, leaf: number): boolean
  /** Unix seconds of the chain: every challenge opened until then was read. `undefined`: none was, so nothing may go. */
  readUntilSeconds(): number | undefined
}

/** Makes a mesh record valid and gives its order; none is taken without it. */
export interface MeshRecordJudge {
  /** @returns the rank of the certificate in `value`: larger is newer; `undefined` when it is not valid */
  rank(meshId: Uint8Array, value: Uint8Array): bigint | undefined
}
