import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes of memory of one process. */
export interface MemoryParts {
  /** Resident altogether. */
  readonly rss: number
  /** Of it, pages of the store's file that LMDB mapped: the system takes them back when it needs them. */
  readonly mapped: number
  /** Live objects of JavaScript. */
  readonly heap: number
  /** Bytes of arrays outside the heap. */
  readonly arrays: number
}

/** What this process takes now, after garbage is collected. */
export function memoryOf(): MemoryParts {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { arrayBuffers, heapUsed, rss } = process.memoryUsage()
  return { rss, heap: heapUsed, arrays: arrayBuffers, mapped: mappedOf(readFileSync('/proc/self/smaps', 'utf8')) }
}

/** Resident bytes of the mappings of a store's file, of the text of `/proc/self/smaps`. */
export function mappedOf(smaps: string): number {
  let bytes = 0
  let isStore = false
  for (const line of smaps.split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isStore = line.endsWith('/data.mdb')
    const resident = /^Rss:\s+(\d+) kB$/.exec(line)
    if (isStore && resident !== null) bytes += Number(resident[1]) * 1024
  }
  return bytes
}
