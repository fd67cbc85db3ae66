import type { Disk } from '../../store/index.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Life } from './virtual-time.ts'

/** Thrown by a disk that has no room. */
const NO_SPACE = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })

export interface DiskModel {
  /** A flush takes this long at least. */
  readonly flushMs: number
  /** Mean of what comes on top. */
  readonly jitterMs: number
}

/** A disk whose flushes take time, so that a process can die while one runs, and that can be full. */
export function latentDisk(
  disk: Disk,
  { flushMs, jitterMs }: DiskModel,
  { life, random, isFull }: { readonly life: Life; readonly random: SeededRandom; readonly isFull: () => boolean },
): Disk {
  const flush = (label: string) =>
    new Promise<void>((resolve) => life.after(flushMs + random.exponential(jitterMs), label, resolve))
  return {
    ...disk,
    append: async (path, bytes) => {
      if (isFull()) throw NO_SPACE
      await disk.append(path, bytes)
    },
    sync: async (path) => {
      await flush(`flushes ${path}`)
      await disk.sync(path)
    },
    syncDirectory: async (directory) => {
      await flush(`flushes ${directory}`)
      await disk.syncDirectory(directory)
    },
  }
}
