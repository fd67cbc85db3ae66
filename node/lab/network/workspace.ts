import { existsSync, readdirSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from '../../core/index.ts'
import { machineRuntimeDirectory } from '../../store/index.ts'

/** The folder of one private network, and what its keys leave outside of it. */
export class Workspace {
  readonly path: string
  readonly #keys = new Set<Address>()
  readonly #undoings: (() => void)[] = []
  readonly #onExit = () => this.#sweep()

  private constructor(path: string) {
    this.path = path
    // A second Ctrl-C ends the lab at once.
    process.on('exit', this.#onExit)
  }

  /** Makes an empty folder in the system's temporary one; sockets need its path to be short. */
  static async open(): Promise<Workspace> {
    return new Workspace(await mkdtemp(join(tmpdir(), 'suprnova-')))
  }

  /** Remembers a node key: its guard leaves marks that outlive data directories, as they should elsewhere. */
  remember(key: Address): void {
    this.#keys.add(key)
  }

  /** Has `undo` called before the folder goes: something was mounted in it. */
  beforeRemoval(undo: () => void): void {
    this.#undoings.push(undo)
  }

  /** Takes everything away. No process may use it any more. */
  remove(): void {
    this.#sweep()
    process.off('exit', this.#onExit)
  }

  #sweep(): void {
    for (const undo of this.#undoings.splice(0)) undo()
    rmSync(this.path, { recursive: true, force: true })
    for (const folder of ['mirrors', 'locks']) {
      const path = join(machineRuntimeDirectory(), folder)
      if (!existsSync(path)) continue
      const left = readdirSync(path).filter((name) => [...this.#keys].some((key) => name.startsWith(key)))
      for (const name of left) rmSync(join(path, name), { recursive: true, force: true })
    }
  }
}
