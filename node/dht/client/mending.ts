import { type Counter, type Logger, SuprnovaError, toHex } from '../../core/index.ts'
import type { DhtRecord } from '../interface.ts'
import { encodeStore } from '../protocol/messages.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import { MENDING_MAX } from './constants.ts'
import type { ReceiptCheck } from './receipt-check.ts'

export interface MendingModules {
  readonly peers: Pick<ReplicaPeers, 'ask'>
  readonly check: ReceiptCheck
  /** Labels: op, outcome. */
  readonly outcomes: Counter
  readonly logger: Logger
}

/** Read repair: gives the newest version to replicas that showed an older one or none, in the background, some at a time. */
export class Mending {
  readonly #modules: MendingModules
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(modules: MendingModules) {
    this.#modules = modules
  }

  /** Records being mended; bounded. */
  get size(): number {
    return this.#underWay.size
  }

  /** Begins, unless too much is being mended already: repair finds the rest. @returns whether it did */
  begin(record: DhtRecord, stakeIds: readonly number[]): boolean {
    const name = `${toHex(record.recordKey)}${toHex(record.entry)}`
    if (stakeIds.length === 0 || this.#underWay.has(name)) return false
    if (this.#underWay.size >= MENDING_MAX) {
      this.#modules.outcomes.inc({ op: 'mend', outcome: 'skipped' })
      return false
    }
    const mending = Promise.all(stakeIds.map((stakeId) => this.#give(record, stakeId))).finally(() =>
      this.#underWay.delete(name),
    )
    this.#underWay.set(name, mending)
    return true
  }

  /** Resolves when nothing is being mended any more. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values())
  }

  async #give(record: DhtRecord, stakeId: number): Promise<void> {
    const { check, logger, outcomes, peers } = this.#modules
    const request = encodeStore({ standIn: false, frame: record.frame, value: record.value })
    try {
      const outcome = check.read(await peers.ask(stakeId, request), record, stakeId)
      outcomes.inc({ op: 'mend', outcome: 'id' in outcome ? 'mended' : 'refused' })
    } catch (error) {
      // A bug is told as one; nobody waits for this promise.
      if (!(error instanceof SuprnovaError)) logger.error('a replica could not be mended', { stakeId, error })
      outcomes.inc({ op: 'mend', outcome: 'failed' })
    }
  }
}
