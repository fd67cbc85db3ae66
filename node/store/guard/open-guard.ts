import {
  type GuardRefusal,
  KIND,
  type Logger,
  type MeteredKind,
  type SigningGuard,
  SuprnovaError,
  toHex,
} from '../../core/index.ts'
import { guardRefused } from '../errors.ts'
import { type StoreMetrics, storeMetrics } from '../metrics.ts'
import type { GuardEnvironment } from './environment.ts'
import { GuardRows, type Write } from './guard-rows.ts'
import { type ClockReading, type GuardState, METERED_KINDS } from './guard-state.ts'
import { encodeInterchange, type Interchange, type InterchangeSummary, parseInterchange } from './interchange.ts'
import type { GuardModules, GuardOptions, GuardStatus, OpenGuard } from './interface.ts'
import { MeshSlots } from './mesh-slots.ts'
import { MeteredMemory } from './metered-memory.ts'
import { NumberedWrites } from './numbered-writes.ts'
import { type GuardRecord, openingOf } from './opening.ts'
import { type GuardAction, type GuardEvent, stepGuard } from './reducer.ts'

/**
 * Opens the guard of a key in a domain. There must be one per key and directory: hold `lockDataDirectory` first.
 * What it found about itself is durable when this resolves.
 */
export async function openGuard(options: GuardOptions, modules: GuardModules): Promise<OpenGuard> {
  const guard = new Guard(options, modules)
  await guard.open()
  return guard
}

class Guard implements OpenGuard {
  readonly #options: GuardOptions
  readonly #environment: GuardEnvironment
  readonly #logger: Logger | undefined
  readonly #metrics: StoreMetrics
  readonly #rows: GuardRows
  readonly #mesh: MeshSlots
  readonly #memory: MeteredMemory
  readonly #writes: NumberedWrites
  readonly #writing = new Map<MeteredKind, Promise<'written' | 'full' | 'failed'>>()
  #state: GuardState
  #guardId: string
  #mirrored = 0
  #importing: Promise<void> | undefined
  #closed = false
  #failure: unknown
  /** Whether the newest mark found no room. */
  #isFull = false
  #uptime = { second: -1, clockMs: 0, uptimeMs: 0 }

  constructor(options: GuardOptions, { table, environment, metrics, logger }: GuardModules) {
    this.#options = options
    this.#environment = environment
    this.#logger = logger
    this.#metrics = storeMetrics(metrics)
    this.#rows = new GuardRows(table, options.address, options.domain)
    const mirror = environment.mirror.read()
    // Notes the number of the newest write before anything else is read: a write in between is then noticed.
    this.#writes = new NumberedWrites(table, this.#rows, mirror?.sequence ?? 0)
    this.#memory = new MeteredMemory(this.#rows)
    const record = this.#rows.readRecord()
    const opening = openingOf(options.rules, {
      record,
      sequence: this.#rows.readSequence(),
      marks: this.#memory.newestMarks(),
      mirror,
      identity: environment.identity,
      fresh: options.fresh ?? false,
      reading: this.#read(),
    })
    this.#state = opening.state
    this.#guardId = record && !opening.loss ? record.guardId : this.#newGuardId()
    this.#mesh = new MeshSlots({
      rows: this.#rows,
      write: (writes) => this.#write(writes),
      refuse: (reason, values) => this.#refused(reason, values),
      admits: (scope) => this.#meshRefusal(scope),
      isDraining: () => this.#state.draining,
    })
    if (opening.loss) this.#metrics.guardLosses.inc()
    if (opening.because) {
      this.#logger?.warn('signing guard does not go on as before', {
        address: options.address,
        phase: opening.state.phase.name,
        because: opening.because,
      })
    }
  }

  async open(): Promise<void> {
    await this.#write([this.#rows.writeRecord(this.#record())])
  }

  async reserve(kind: MeteredKind): Promise<bigint> {
    for (;;) {
      this.#throwIfClosed({ kind })
      const actions = this.#step({ type: 'reserve', kind, reading: this.#read() })
      for (const action of actions) {
        if (action.type === 'refuse') throw this.#refused(action.reason, { kind })
        if (action.type === 'grant') {
          this.#metrics.guardGrants.inc({ kind: String(kind) })
          return (BigInt(action.epoch) << 32n) | BigInt(action.index)
        }
      }
      if ((await this.#writing.get(kind)) === 'full') throw this.#refused('full', { kind })
    }
  }

  remember(kind: MeteredKind, position: bigint, digest: Uint8Array): void {
    this.#memory.remember(kind, position, digest)
  }

  async signMesh(...[statement, digest, body, sign]: Parameters<SigningGuard['signMesh']>) {
    // Imported slots must be readable before another digest is weighed against them.
    await this.#importing
    this.#throwIfClosed({ kind: statement.kind })
    const entry = await this.#mesh.sign(statement, digest, body, sign)
    this.#metrics.guardGrants.inc({ kind: String(statement.kind) })
    return entry
  }

  observeOwn(...[statement, digest]: Parameters<SigningGuard['observeOwn']>): boolean {
    if (this.#closed) return true
    if (statement.kind >= KIND.effect) {
      if (this.#mesh.isMine(statement, digest)) return true
      this.#step({ type: 'foreignMesh', reading: this.#read() })
      return false
    }
    const kind = statement.kind as MeteredKind
    const since = { beganEpoch: this.#state.beganEpoch, newestEpoch: this.#state.marks[kind].epoch }
    if (this.#memory.isMine(kind, statement.position, digest, since)) return true
    this.#step({ type: 'foreignMetered' })
    return false
  }

  refusal(): GuardRefusal | undefined {
    if (this.#closed || this.#failure !== undefined) return 'closed'
    const actions = this.#step({ type: 'look', reading: this.#read() })
    return actions.find((action) => action.type === 'refuse')?.reason ?? (this.#isFull ? 'full' : undefined)
  }

  status(): GuardStatus {
    const refusal = this.refusal()
    const { phase, meshSilent, meshUnheard, marks } = this.#state
    return {
      address: this.#options.address,
      phase: phase.name,
      refusal,
      meshSilent,
      meshUnheard,
      marks: METERED_KINDS.map((kind) => ({ kind, epoch: marks[kind].epoch, end: marks[kind].end })),
    }
  }

  exportInterchange(): Interchange {
    return encodeInterchange(this.#options, this.#state.marks, this.#mesh.export())
  }

  async importInterchange(file: unknown): Promise<InterchangeSummary> {
    this.#throwIfClosed({})
    const imported = parseInterchange(file, this.#options)
    const writes: Write[] = [...this.#mesh.merge(imported.meshes)]
    for (const { kind, epoch, end } of imported.metered) {
      if (end > this.#memory.endOf(kind, epoch)) writes.push(...this.#rows.writeMeteredEnd(kind, epoch, end))
    }
    // Counted from now on, and so before anything that is reserved while this is being written.
    for (const { kind, epoch, end } of imported.metered) {
      this.#memory.raiseEnd(kind, epoch, end)
      this.#step({ type: 'imported', kind, epoch, end })
    }
    const written = this.#write(writes)
    this.#importing = written.catch(() => undefined)
    await written
    return imported.summary
  }

  async declareLost(): Promise<void> {
    this.#throwIfClosed({})
    this.#step({ type: 'declareLost', reading: this.#read() })
    await this.#writes.settled()
    this.#throwIfClosed({})
  }

  heardOwnVotes(scope: Uint8Array): void {
    this.#mesh.heard(scope)
  }

  drain(draining: boolean): void {
    this.#step({ type: 'drain', draining })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#writes.settled()
    this.#environment.mirror.close()
  }

  #step(event: GuardEvent): readonly GuardAction[] {
    const { state, actions } = stepGuard(this.#options.rules, this.#state, event)
    this.#state = state
    for (const action of actions) {
      if (action.type === 'writeMark') this.#writeMark(action.kind, action.epoch, action.end)
      if (action.type === 'writePhase') this.#writePhase(action.because)
    }
    return actions
  }

  #writeMark(kind: MeteredKind, epoch: number, end: number): void {
    const written = this.#write(this.#rows.writeMeteredEnd(kind, epoch, end), { mayFindNoRoom: true }).then(
      () => {
        this.#isFull = false
        this.#memory.raiseEnd(kind, epoch, end)
        this.#step({ type: 'durable', kind, epoch, end })
        return 'written' as const
      },
      (error: unknown) => {
        // Any other failure closes the guard; whoever waits for this block finds it closed.
        if (!isNoRoom(error)) return 'failed' as const
        this.#isFull = true
        this.#step({ type: 'unwritten', kind, epoch, end })
        return 'full' as const
      },
    )
    this.#writing.set(kind, written)
  }

  #writePhase(because: string): void {
    const { phase, meshSilent } = this.#state
    if (phase.name !== 'signing') {
      this.#guardId = this.#newGuardId()
      this.#metrics.guardLosses.inc()
    }
    const fields = { address: this.#options.address, phase: phase.name, meshSilent, because }
    if (phase.name === 'signing') this.#logger?.info('signing guard signs again', fields)
    else this.#logger?.warn('signing guard counts as lost', fields)
    // Failure is kept by `#write` and refuses everything from then on.
    this.#write([this.#rows.writeRecord(this.#record())]).catch(() => undefined)
  }

  /**
   * Flush first, then the mirror, then use: the mirror is never ahead of a disk that lost nothing.
   * @param options `mayFindNoRoom`: a write that was never begun for want of room changes nothing, and is thrown as it is
   */
  async #write(writes: readonly Write[], options: { readonly mayFindNoRoom?: boolean } = {}): Promise<void> {
    try {
      await this.#writes.write(writes, (sequence) => {
        this.#metrics.guardFlushes.inc()
        if (sequence <= this.#mirrored) return
        this.#mirrored = sequence
        this.#environment.mirror.write({
          bootId: this.#environment.identity.bootId,
          guardId: this.#guardId,
          sequence,
          clockOffsetMs: this.#state.clockOffsetMs ?? null,
        })
      })
    } catch (error) {
      if (options.mayFindNoRoom === true && isNoRoom(error)) throw error
      this.#failure ??= error
      this.#logger?.error('signing guard cannot write and signs no more', { error: String(error) })
      throw guardRefused('closed', {}, error)
    }
  }

  #meshRefusal(scope: Uint8Array): GuardRefusal | undefined {
    if (this.#closed || this.#failure !== undefined) return 'closed'
    if (this.#state.meshSilent) return 'lost'
    return this.#state.meshUnheard && !this.#mesh.hasHeard(scope) ? 'waiting' : undefined
  }

  #record(): GuardRecord {
    const { phase, beganEpoch, meshSilent, meshUnheard } = this.#state
    const { machineId, bootId, inode, device } = this.#environment.identity
    const identity = { machineId, bootId, inode, device }
    return { version: 1, guardId: this.#guardId, ...identity, phase: phase.name, beganEpoch, meshSilent, meshUnheard }
  }

  /** Uptime costs a file read: it is taken anew when the clock's second changes, as it does after any jump. */
  #read(): ClockReading {
    const clockMs = this.#environment.clock.nowMs()
    const second = Math.floor(clockMs / 1_000)
    if (second !== this.#uptime.second) this.#uptime = { second, clockMs, uptimeMs: this.#environment.uptimeMs() }
    const referenceSeconds = this.#environment.reference()
    return {
      clockMs,
      referenceMs: referenceSeconds === undefined ? undefined : referenceSeconds * 1_000,
      uptimeMs: this.#uptime.uptimeMs + clockMs - this.#uptime.clockMs,
    }
  }

  #newGuardId(): string {
    return toHex(this.#environment.random.bytes(16))
  }

  #throwIfClosed(values: Record<string, unknown>): void {
    if (this.#closed || this.#failure !== undefined) throw this.#refused('closed', values)
  }

  #refused(reason: GuardRefusal, values: Record<string, unknown>) {
    this.#metrics.guardRefusals.inc({ reason })
    return guardRefused(reason, { ...values, address: this.#options.address }, this.#failure)
  }
}

function isNoRoom(error: unknown): boolean {
  return error instanceof SuprnovaError && error.code === 'STORE_FULL'
}
