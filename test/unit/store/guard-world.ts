import { createHash } from 'node:crypto'
import { type MeshKind, type MeteredKind, type Statement, SuprnovaError, toHex } from '../../../node/core/index.ts'
import {
  type GuardRules,
  type MirrorRecord,
  type OpenGuard,
  openGuard,
  openSimulatedTable,
  SimulatedDisk,
} from '../../../node/store/index.ts'

/** Small enough that runs meet the limit, an epoch's end and the end of a wait. */
export const RULES: GuardRules = {
  epochSeconds: 10,
  skewSeconds: 10,
  putLimit: 150,
  gossipLimit: 1_000,
  receiptLimit: 70,
}
export const EPOCH_MS = RULES.epochSeconds * 1_000

export const ADDRESS = `0x${'ab'.repeat(20)}` as const
export const DOMAIN = {
  chainId: 31_337n,
  verifyingContract: `0x${'cd'.repeat(20)}`,
  salt: `0x${'ef'.repeat(32)}`,
} as const

/** A seeded source of whole numbers (mulberry32). */
export function drawFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** Everything a key has said, as the network remembers it. */
export class Ledger {
  readonly statements: { readonly statement: Statement; readonly digest: Uint8Array }[] = []
  readonly #bySlot = new Map<string, string>()

  /** Takes a statement that left the process. Throws when its slot has another content. */
  add(statement: Statement, digest: Uint8Array): void {
    const slot = `${statement.kind} ${toHex(statement.scope)} ${statement.position}`
    const said = this.#bySlot.get(slot)
    if (said !== undefined && said !== toHex(digest)) throw new Error(`SLASHABLE: two contents in slot ${slot}`)
    if (said !== undefined) return
    this.#bySlot.set(slot, toHex(digest))
    this.statements.push({ statement, digest })
  }

  count(metered: boolean): number {
    return this.statements.filter(({ statement }) => statement.kind <= 3 === metered).length
  }
}

/** True time, which the reference follows. */
export interface World {
  readonly draw: (below: number) => number
  readonly ledger: Ledger
  nowMs: number
  contents: number
  nextId: number
}

export function newWorld(seed: number): World {
  return { draw: drawFrom(seed), ledger: new Ledger(), nowMs: 1_800_000_000_000, contents: 0, nextId: 1 }
}

/** A computer: its clock may be wrong, its mirror lives until it boots. */
export class Machine {
  readonly world: World
  readonly machineId: string
  bootId = ''
  mirror: MirrorRecord | undefined
  clockErrorMs = 0
  #bootedAtMs = 0

  constructor(world: World) {
    this.world = world
    this.machineId = `machine ${world.nextId++}`
    this.boot()
  }

  boot(): void {
    this.bootId = `boot ${this.world.nextId++}`
    this.mirror = undefined
    this.#bootedAtMs = this.world.nowMs - 60_000
  }

  clockMs(): number {
    return this.world.nowMs + this.clockErrorMs
  }

  uptimeMs(): number {
    return this.world.nowMs - this.#bootedAtMs
  }
}

interface Directory {
  readonly disk: SimulatedDisk
  inode: string
}

/** A machine's data directories, of which one is in use, and the process that runs on it, if one does. */
export class Installation {
  readonly machine: Machine
  readonly #directories: Directory[] = []
  #used = 0
  guard: OpenGuard | undefined
  readonly #world: World
  #died: Promise<'died'> = new Promise(() => {})

  constructor(machine: Machine) {
    this.machine = machine
    this.#world = machine.world
  }

  get #directory(): Directory {
    const directory = this.#directories[this.#used] ?? {
      disk: new SimulatedDisk(this.#world.draw),
      inode: `inode ${this.#world.nextId++}`,
    }
    this.#directories[this.#used] = directory
    return directory
  }

  get disk(): SimulatedDisk {
    return this.#directory.disk
  }

  get inode(): string {
    return this.#directory.inode
  }

  set inode(inode: string) {
    this.#directory.inode = inode
  }

  /** Ends the process and uses another directory from now on: empty at first, then as it was left. */
  use(directory: number): void {
    this.kill()
    this.#used = directory
  }

  /** Starts the process. It may die while it starts; `guard` is undefined then. */
  async start(fresh = false): Promise<void> {
    const { machine } = this
    const { bootId, machineId } = machine
    const world = this.#world
    this.guard = undefined
    const opened = (async () => {
      const table = await openSimulatedTable(this.disk.open(), '/data/guard')
      return await openGuard(
        { address: ADDRESS, domain: DOMAIN, rules: RULES, fresh },
        {
          table,
          environment: {
            identity: { machineId, bootId, inode: this.inode, device: 'disk' },
            mirror: {
              read: () => machine.mirror,
              write: (record) => {
                if (machine.bootId === bootId) machine.mirror = record
              },
              close() {},
            },
            clock: { nowMs: () => machine.clockMs() },
            uptimeMs: () => machine.uptimeMs(),
            reference: () => Math.floor(world.nowMs / 1_000),
            random: { bytes: (length) => Uint8Array.from({ length }, () => world.draw(256)) },
          },
        },
      )
    })()
    const result = await Promise.race([opened, this.#died])
    if (result !== 'died') this.guard = result
  }

  /** The process dies at its n-th disk operation from now. */
  crashAfter(operations: number): void {
    this.#died = new Promise((resolve) => this.disk.crashAfter(operations, () => resolve('died')))
  }

  /** kill -9. */
  kill(): void {
    this.guard = undefined
    this.disk.kill()
    this.#died = new Promise(() => {})
  }

  losePower(): void {
    this.guard = undefined
    this.disk.losePower()
    this.machine.boot()
    this.#died = new Promise(() => {})
  }

  /** Runs `action` as part of the process; what is not finished at its death never is. */
  async run<T>(action: (guard: OpenGuard) => Promise<T>): Promise<T | 'died' | 'refused'> {
    if (!this.guard) return 'died'
    const result = await Promise.race([
      action(this.guard).catch((error: unknown) => {
        if (error instanceof SuprnovaError && error.code === 'GUARD_REFUSED') return 'refused' as const
        throw error
      }),
      this.#died,
    ])
    if (result === 'died') this.guard = undefined
    return result
  }

  /** Signs `count` metered statements at once, each with a content never used before. */
  async speak(kind: MeteredKind, count: number): Promise<void> {
    const says = Array.from({ length: count }, () =>
      this.run(async (guard) => {
        const position = await guard.reserve(kind)
        const digest = this.#newContent()
        guard.remember(kind, position, digest)
        this.#world.ledger.add({ kind, scope: new Uint8Array(32), position, content: digest }, digest)
      }),
    )
    await Promise.all(says)
  }

  /** Votes in a mesh; `choice` is one of two contents for that slot. */
  async vote(kind: MeshKind, scopeNumber: number, slot: bigint, choice: number): Promise<void> {
    const scope = new Uint8Array(32).fill(scopeNumber + 1)
    const digest = createHash('sha256').update(`${kind} ${scopeNumber} ${slot} ${choice}`).digest()
    const statement = { kind, scope, position: slot, content: digest }
    await this.run(async (guard) => {
      const entry = await guard.signMesh(statement, digest, digest, () => new Uint8Array(64).fill(choice))
      this.#world.ledger.add(statement, entry.digest)
    })
  }

  /** The network echoes what this key said in a scope, as more than 2/3 of its weight would. */
  hear(scopeNumber: number): void {
    const scope = new Uint8Array(32).fill(scopeNumber + 1)
    const { guard } = this
    for (const { statement, digest } of this.#world.ledger.statements) {
      if (statement.kind > 3 && toHex(statement.scope) === toHex(scope)) guard?.observeOwn(statement, digest)
    }
    guard?.heardOwnVotes(scope)
  }

  /** A few statements of this key come by, old or new. */
  echo(count: number): void {
    const { statements } = this.#world.ledger
    for (let i = 0; i < count && statements.length > 0; i++) {
      const said = statements[this.#world.draw(statements.length)]
      if (said) this.guard?.observeOwn(said.statement, said.digest)
    }
  }

  #newContent(): Uint8Array {
    return createHash('sha256')
      .update(`content ${this.#world.contents++}`)
      .digest()
  }
}
