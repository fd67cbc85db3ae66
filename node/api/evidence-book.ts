import { type Domain, fromHex, type Hex, type Offence, type StakeView, type Table, toHex } from '../core/index.ts'
import { bundleOf, encodeBundle, type JudgingParams } from '../statements/index.ts'
import type { FaultStatus } from './status.ts'

/** Faults remembered; the oldest finished one makes room for a new one. */
export const FAULTS_KEPT = 1_024

/** `seen` until the court knows of it; then as the reporter has it, to the end. */
export type FaultState = 'seen' | 'committed' | 'slashed' | 'rewarded' | 'moot' | 'refused'

const FINISHED: readonly FaultState[] = ['slashed', 'rewarded', 'moot', 'refused']

interface Entry {
  readonly offence: Offence
  state: FaultState
  /** Counts up: the order in which faults were seen. */
  readonly number: number
}

/** Every fault this node has seen, whoever brings it to court, so that a person can list, show and submit it. */
export class EvidenceBook {
  readonly #table: Table
  readonly #entries = new Map<Hex, Entry>()
  #next = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(options: { readonly domain: Domain }, modules: { readonly table: Table }) {
    this.#table = modules.table
    const stored = [...modules.table.range(new Uint8Array([0]), new Uint8Array([0xff]))].map(([, value]) =>
      readEntry(value, options.domain),
    )
    for (const entry of stored.sort((a, b) => a.number - b.number)) {
      this.#entries.set(entry.offence.faultId, entry)
      this.#next = entry.number + 1
    }
  }

  /** @returns whether it was new */
  add(offence: Offence): boolean {
    if (this.#entries.has(offence.faultId)) return false
    if (this.#entries.size >= FAULTS_KEPT) this.#forgetOldest()
    this.#put({ offence, state: 'seen', number: this.#next++ })
    return true
  }

  /** Notes how far a fault has come. An unknown one is none of ours. */
  note(faultId: Hex, state: FaultState): void {
    const entry = this.#entries.get(faultId)
    if (entry !== undefined && entry.state !== state) this.#put({ ...entry, state })
  }

  /** Newest first. */
  list(): FaultStatus[] {
    return [...this.#entries.values()].sort((a, b) => b.number - a.number).map(statusOf)
  }

  /** Faults that the court does not know of yet, oldest first. */
  unfinished(): Offence[] {
    const open = [...this.#entries.values()].filter(({ state }) => !FINISHED.includes(state))
    return open.sort((a, b) => a.number - b.number).map(({ offence }) => offence)
  }

  get(faultId: Hex): Offence | undefined {
    return this.#entries.get(faultId)?.offence
  }

  status(faultId: Hex): FaultStatus | undefined {
    const entry = this.#entries.get(faultId)
    return entry === undefined ? undefined : statusOf(entry)
  }

  /** The bundle that anyone can judge off line, as a JSON document. */
  bundle(faultId: Hex, params: JudgingParams, stakeView: Pick<StakeView, 'key'>): unknown {
    const offence = this.get(faultId)
    const key = offence === undefined ? undefined : stakeView.key(offence.signer)
    return offence === undefined || key === undefined
      ? undefined
      : JSON.parse(encodeBundle(bundleOf(offence, key, params)))
  }

  /** Resolves when all is written; throws what could not be. */
  close(): Promise<void> {
    return this.#writing
  }

  #put(entry: Entry): void {
    const { faultId } = entry.offence
    this.#entries.set(faultId, entry)
    this.#write(faultId, writeEntry(entry))
  }

  #forgetOldest(): void {
    const entries = [...this.#entries.values()].sort((a, b) => a.number - b.number)
    const oldest = entries.find(({ state }) => FINISHED.includes(state)) ?? entries[0]
    if (oldest === undefined) return
    this.#entries.delete(oldest.offence.faultId)
    this.#write(oldest.offence.faultId, undefined)
  }

  #write(faultId: Hex, value: Uint8Array | undefined): void {
    const written = this.#table.write([[fromHex(faultId), value]])
    this.#writing = Promise.all([this.#writing, written]).then(() => undefined)
    // Told at close; the book in memory serves on.
    this.#writing.catch(() => undefined)
  }
}

function statusOf({ offence, state }: Entry): FaultStatus {
  const { faultId, faultType, stakeId, signer } = offence
  return { faultId, faultType, stakeId, signer, state }
}

function writeEntry({ offence, state, number }: Entry): Uint8Array {
  const { faultId, faultType, stakeId, signer, slot, evidence } = offence
  return Buffer.from(
    JSON.stringify({ faultId, faultType, stakeId, signer, slot, evidence: toHex(evidence), state, number }),
  )
}

function readEntry(value: Uint8Array, domain: Domain): Entry {
  const { state, number, evidence, ...offence } = JSON.parse(Buffer.from(value).toString('utf8'))
  return { offence: { ...offence, evidence: fromHex(evidence), domain }, state, number }
}
