import { dirname } from 'node:path'
import type { Disk } from '../disk.ts'

/** Whole numbers from 0 to `below - 1`; seeded, so that a failing run can be run again. */
export type Draw = (below: number) => number

interface File {
  bytes: Uint8Array
  /** What `bytes` is the beginning of, when it grew by appending. */
  room?: Uint8Array
  syncedLength: number
}

/** A change of names that a power loss may undo. */
interface NameChange {
  readonly directory: string
  undo(names: Map<string, File>): void
}

/**
 * A disk in memory that forgets what was not flushed.
 *
 * A process uses it through `open()`. After `crashAfter(n)` the process dies at its n-th operation from then on, done
 * or not done, and none of its calls ever settles again. Then `kill()` leaves what the kernel already had, as kill -9
 * does; `losePower()` keeps of every file its flushed bytes and a part of the others, perhaps torn, and of the names
 * not flushed the oldest few.
 */
export class SimulatedDisk {
  readonly #draw: Draw
  #names = new Map<string, File>()
  #changes: NameChange[] = []
  #operationsLeft = Number.POSITIVE_INFINITY
  #life = 0
  #onCrash: (() => void) | undefined

  constructor(draw: Draw) {
    this.#draw = draw
  }

  /** The disk as one process sees it; dead once the process is. */
  open(): Disk {
    const life = this.#life
    const step = <T>(action: () => T): Promise<T> => this.#step(life, action)
    return {
      read: (path) => step(() => this.#names.get(path)?.bytes.slice()),
      create: (path, bytes) =>
        step(() => {
          if (this.#names.has(path)) return false
          this.#rename(dirname(path), [path, { bytes: bytes.slice(), syncedLength: 0 }])
          return true
        }),
      append: (path, bytes) =>
        step(() => {
          const file = this.#file(path)
          append(file, bytes)
        }),
      sync: (path) =>
        step(() => {
          const file = this.#file(path)
          file.syncedLength = file.bytes.length
        }),
      link: (from, to) =>
        step(() => {
          if (this.#names.has(to)) return false
          this.#rename(dirname(to), [to, this.#file(from)])
          return true
        }),
      rename: (from, to) => step(() => this.#rename(dirname(to), [to, this.#file(from)], [from, undefined])),
      unlink: (path) => step(() => this.#rename(dirname(path), [path, undefined])),
      list: (directory) =>
        step(() =>
          [...this.#names.keys()]
            .filter((path) => dirname(path) === directory)
            .map((path) => path.slice(directory.length + 1))
            .sort(),
        ),
      syncDirectory: (directory) =>
        step(() => {
          this.#changes = this.#changes.filter((change) => change.directory !== directory)
        }),
    }
  }

  /** Lets the process die at its `operations`-th next operation; calls `onCrash` then. */
  crashAfter(operations: number, onCrash: () => void): void {
    this.#operationsLeft = operations
    this.#onCrash = onCrash
  }

  /** Ends the process, if it has not crashed yet, and keeps everything it wrote. */
  kill(): void {
    this.#life++
    this.#operationsLeft = Number.POSITIVE_INFINITY
    this.#onCrash = undefined
  }

  /** Ends the process and the machine under it. */
  losePower(): void {
    this.kill()
    const keptChanges = this.#draw(this.#changes.length + 1)
    for (const change of this.#changes.slice(keptChanges).reverse()) change.undo(this.#names)
    this.#changes = []
    for (const file of new Set(this.#names.values())) {
      const unsynced = file.bytes.length - file.syncedLength
      const length = file.syncedLength + (unsynced > 0 ? this.#draw(unsynced + 1) : 0)
      file.bytes = file.bytes.slice(0, length)
      // Blocks may reach the platter out of order: what was not flushed may be there as zeros.
      if (length > file.syncedLength && this.#draw(2) === 0)
        file.bytes[file.syncedLength + this.#draw(length - file.syncedLength)] = 0
      file.syncedLength = length
    }
  }

  /** A copy of what is flushed and named by now, as a backup takes it. */
  snapshot(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#names].map(([path, file]) => [path, file.bytes.slice()]))
  }

  /** Puts a backup in place of everything. */
  restore(snapshot: ReadonlyMap<string, Uint8Array>): void {
    this.kill()
    this.#changes = []
    this.#names = new Map(
      [...snapshot].map(([path, bytes]) => [path, { bytes: bytes.slice(), syncedLength: bytes.length }]),
    )
  }

  async #step<T>(life: number, action: () => T): Promise<T> {
    if (life !== this.#life || this.#operationsLeft === 0) return await new Promise<T>(() => {})
    if (--this.#operationsLeft > 0) return action()
    // The last one may have reached the kernel or not.
    if (this.#draw(2) === 0) action()
    this.#onCrash?.()
    return await new Promise<T>(() => {})
  }

  #file(path: string): File {
    const file = this.#names.get(path)
    if (!file) throw new Error(`simulated disk: no file ${path}`)
    return file
  }

  #rename(directory: string, ...entries: readonly (readonly [path: string, file: File | undefined])[]): void {
    const before = entries.map(([path]) => [path, this.#names.get(path)] as const)
    for (const [path, file] of entries) setName(this.#names, path, file)
    this.#changes.push({
      directory,
      undo: (names) => {
        for (const [path, file] of before) setName(names, path, file)
      },
    })
  }
}

/** In the room there is, or in twice as much: a journal grows by thousands of appends. */
function append(file: File, more: Uint8Array): void {
  const before = file.bytes.length
  const length = before + more.length
  const isOwnRoom = file.room !== undefined && file.bytes.buffer === file.room.buffer
  if (file.room === undefined || !isOwnRoom || file.room.length < length) {
    file.room = new Uint8Array(Math.max(4_096, 2 * length))
    file.room.set(file.bytes)
  }
  file.room.set(more, before)
  file.bytes = file.room.subarray(0, length)
}

function setName(names: Map<string, File>, path: string, file: File | undefined): void {
  if (file) names.set(path, file)
  else names.delete(path)
}
