import { readdirSync, readFileSync } from 'node:fs'
import { machineRuntimeDirectory } from '../../node/store/index.ts'

/** Ids of running processes whose command line or environment names `path`. */
export function processesNaming(path: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(
      (pid) =>
        readOrNothing(`/proc/${pid}/cmdline`).includes(path) || readOrNothing(`/proc/${pid}/environ`).includes(path),
    )
    .map(Number)
}

/** Names in the runtime directory's folders that begin with one of `keys`. */
export function marksOf(keys: readonly string[]): string[] {
  return ['mirrors', 'locks'].flatMap((folder) => {
    try {
      return readdirSync(`${machineRuntimeDirectory()}/${folder}`).filter((name) =>
        keys.some((key) => name.startsWith(key)),
      )
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  })
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // It ended meanwhile, is a kernel thread, or is another user's.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}
