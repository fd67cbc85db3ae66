import { type Address, type Clock, equalBytes, KIND, type ProtocolParams, type StakeView } from '../../core/index.ts'
import {
  type Admission,
  AUTHORITY,
  type CellFields,
  chunkRoot,
  epochAt,
  epochOf,
  KEY_TYPE,
  keccak256,
  type PutBody,
  recordKeyOf,
} from '../../statements/index.ts'
import { CELL_VALUE_MAX_BYTES } from '../constants.ts'
import type { RefusalReason } from '../errors.ts'
import type { DhtRecord, MeshRecordJudge, SignedPut } from '../interface.ts'
import type { LeaseCheck } from './lease-check.ts'

export type PutReading = SignedPut | { readonly refused: RefusalReason; readonly detail: string }

export interface PutReaderModules {
  readonly admission: Pick<Admission, 'admit'>
  /**
   * Whether a stake may speak now and that key was its key in that epoch: admission takes what the own key said in any
   * case, also after it retired.
   */
  readonly speaks: (stakeId: number, signer: Address, epoch: number) => boolean
  readonly clock: Clock
  readonly leases: LeaseCheck
  readonly meshes?: MeshRecordJudge | undefined
}

const refused = (reason: RefusalReason, detail: string) => ({ refused: reason, detail })

/** Turns frames into verified PUTs: the one place where replicas, clients and repair decide what a record is. */
export class PutReader {
  readonly #params: ProtocolParams
  readonly #modules: PutReaderModules
  readonly #lifeEpochs: number
  readonly #pastEpochs: number

  constructor(params: ProtocolParams, modules: PutReaderModules) {
    this.#params = params
    this.#modules = modules
    this.#lifeEpochs = Math.floor(params.receiptLifeSeconds / params.epochSeconds)
    this.#pastEpochs = Math.floor(params.evidenceWindowSeconds / params.epochSeconds)
  }

  /** The epoch now. */
  epoch(): number {
    return epochAt(this.#modules.clock.nowMs() / 1000, this.#params.epochSeconds)
  }

  /**
   * Verifies a PUT: signature and stake (once per statement, by the shared admission), life, lease. It must be alive.
   * The frame's bytes are copied: what is returned may be kept.
   */
  read(bytes: Uint8Array): PutReading {
    const verdict = this.#modules.admission.admit(bytes, {
      kinds: [KIND.put],
      repeats: 'accept',
      pastEpochs: this.#pastEpochs,
    })
    if (verdict.outcome === 'reject') return refused('invalid', verdict.reason)
    if (verdict.outcome === 'ignore') return refused(refusalOf(verdict.reason), verdict.reason)
    const [body] = verdict.bodies
    if (verdict.bodies.length !== 1 || body === undefined) return refused('invalid', 'not one body with its path')
    const put = body.body as PutBody
    const { position } = verdict.signed.statement
    const { stakeId } = verdict
    if (!this.#modules.speaks(stakeId, verdict.signed.signer, epochOf(position))) {
      return refused('unknown-writer', 'inactive')
    }
    if (put.expiryEpoch > BigInt(epochOf(position) + this.#lifeEpochs)) {
      return refused('window', `it would live past epoch ${epochOf(position) + this.#lifeEpochs}`)
    }
    if (put.expiryEpoch < BigInt(this.epoch())) return refused('window', `it ended with epoch ${put.expiryEpoch}`)
    if (put.keyType === KEY_TYPE.mesh && this.#modules.meshes === undefined) {
      return refused('unsupported', 'mesh records need a judge of their certificates')
    }
    if (put.keyType === KEY_TYPE.cell) {
      if (put.size > CELL_VALUE_MAX_BYTES) {
        return refused('invalid', `a cell entry of ${put.size} bytes, the limit is ${CELL_VALUE_MAX_BYTES}`)
      }
      const problem = this.#modules.leases.problem(put, stakeId, this.epoch())
      if (problem !== undefined) return refused('invalid', problem)
    }
    return {
      frame: bytes.slice(),
      put,
      recordKey: recordKeyOf(put, stakeId),
      entry: entryOf(put, stakeId),
      version: { rank: put.keyType === KEY_TYPE.cell ? put.cell.leaseNumber : 0n, position, leaf: body.leaf },
      signer: verdict.signed.signer,
      writerStakeId: stakeId,
      putDigest: verdict.digest,
    }
  }

  /** Joins a verified PUT with its value, after recomputing the root. @returns why they do not belong together */
  withValue(
    signed: SignedPut,
    value: Uint8Array,
  ): DhtRecord | { readonly refused: RefusalReason; readonly detail: string } {
    const { put } = signed
    if (value.length !== put.size) return refused('invalid', `${value.length} bytes, signed were ${put.size}`)
    if (!equalBytes(chunkRoot(value), put.valueRoot)) return refused('invalid', 'the value is not the one signed')
    if (put.keyType !== KEY_TYPE.mesh) return { ...signed, value }
    const rank = this.#modules.meshes?.rank(put.keyPreimage, value)
    if (rank === undefined) return refused('invalid', 'no valid certificate')
    return { ...signed, version: { ...signed.version, rank }, value }
  }
}

/** What {@link PutReaderModules.speaks} is in a node. */
export function speaksIn(stakeView: Pick<StakeView, 'key' | 'maySpeak'>): PutReaderModules['speaks'] {
  return (stakeId, signer, epoch) => {
    const key = stakeView.key(signer)
    return key !== undefined && key.fromEpoch <= epoch && epoch < key.untilEpoch && stakeView.maySpeak(stakeId)
  }
}

export function isRefused<T extends object>(
  reading: T | { readonly refused: RefusalReason; readonly detail: string },
): reading is { readonly refused: RefusalReason; readonly detail: string } {
  return 'refused' in reading
}

/** Which entry of its record a PUT is, see `EntryId`. */
export function entryOf(put: PutBody, writerStakeId: number): Uint8Array {
  if (put.keyType === KEY_TYPE.cell) return cellEntryOf(put.cell)
  const entry = new Uint8Array(32)
  if (put.keyType === KEY_TYPE.content) new DataView(entry.buffer).setBigUint64(24, BigInt(writerStakeId))
  return entry
}

/**
 * The entry of an agent in any cell. An agent is its id and its authority: nothing in a PUT shows that an id belongs to
 * an authority, so whoever claims the id of another's agent speaks of another agent.
 */
export function cellEntryOf(cell: CellFields): Uint8Array {
  const authority = new Uint8Array(33)
  if (cell.authorityKind === AUTHORITY.mesh) {
    authority[0] = AUTHORITY.mesh
    authority.set(cell.authorityMeshId, 1)
  } else {
    authority[0] = AUTHORITY.writer
    new DataView(authority.buffer).setBigUint64(25, cell.authorityStakeId)
  }
  return keccak256(cell.agentId, authority)
}

function refusalOf(reason: string): RefusalReason {
  if (reason === 'window') return 'window'
  return reason === 'conflict' || reason === 'budget' ? 'conflict' : 'unknown-writer'
}
