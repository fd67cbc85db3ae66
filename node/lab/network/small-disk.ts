import { execFile, execFileSync } from 'node:child_process'
import { cp, mkdtemp, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { EXIT, SuprnovaError } from '../../core/index.ts'
import type { Workspace } from './workspace.ts'

const run = promisify(execFile)

/** What takes the space: anything that a disk may be filled with. */
const BALLAST = 'ballast'
/** Small against what a node keeps free, so that it sees the disk fill as it would elsewhere. */
const BLOCK_BYTES = 64 * 1024

/** A file system of its own under one data directory, which can be filled to its last block and emptied again. */
export class SmallDisk {
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
  }

  /**
   * Puts `directory`, with what is in it, on a file system of `bytes` bytes.
   * @throws SuprnovaError `LAB_NO_MOUNT` where this process has not the right to mount one
   */
  static async under(directory: string, bytes: number, workspace: Workspace): Promise<SmallDisk> {
    const aside = await mkdtemp(join(dirname(directory), 'aside-'))
    try {
      await cp(directory, aside, { recursive: true, preserveTimestamps: true })
      await mount(directory, bytes)
      workspace.beforeRemoval(() => void execFileSync('umount', ['--lazy', directory]))
      await cp(aside, directory, { recursive: true, preserveTimestamps: true })
    } finally {
      await rm(aside, { recursive: true, force: true })
    }
    return new SmallDisk(directory)
  }

  /** From now on nothing more fits. */
  async fill(): Promise<void> {
    const file = await open(join(this.#directory, BALLAST), 'w')
    try {
      const block = new Uint8Array(BLOCK_BYTES)
      for (;;) await file.write(block)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      await file.close()
    }
  }

  /** There is space again. */
  async free(): Promise<void> {
    await rm(join(this.#directory, BALLAST))
  }
}

async function mount(directory: string, bytes: number): Promise<void> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'suprnova-lab', directory])
  } catch (error) {
    throw new SuprnovaError('LAB_NO_MOUNT', `no file system can be mounted at ${directory}`, {
      exitCode: EXIT.config,
      hint: 'a disk that is really full is a file system of its own: run this as root, or where mounting is allowed',
      values: { directory, bytes },
      cause: error,
    })
  }
}
