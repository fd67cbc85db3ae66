import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Random, toHex } from '../core/index.ts'
import { locked } from './errors.ts'
import type { ProcessTable } from './process-table.ts'

/** A hold that ends with `release()` or with the process, however it ends. */
export interface ProcessLock {
  release(): void
}

interface Holder {
  readonly pid: number
  readonly startedAt: string
}

/**
 * Lets one live process hold `folder`.
 *
 * Every contender first puts up a file of its own, then looks at all others: of two that come at once, at least the
 * later one sees the other, so two never hold it together. A file whose process is gone (kill -9, reboot, its pid
 * reused by a younger process) is removed.
 *
 * @throws SuprnovaError `LOCKED` naming the pid of the holder
 */
export function lockFolder(
  folder: string,
  what: 'data directory' | 'node key',
  name: string,
  modules: { readonly processes: ProcessTable; readonly random: Random },
): ProcessLock {
  const { processes, random } = modules
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const self = {
    pid: processes.ownPid,
    startedAt: processes.startedAt(processes.ownPid) ?? '',
  }
  const nonce = toHex(random.bytes(8)).slice(2)
  const own = `lock.${self.pid}.${nonce}`
  // Written under a name nobody looks at, so that a lock file is never seen half written.
  writeFileSync(join(folder, `draft.${nonce}`), JSON.stringify(self), {
    flag: 'wx',
    mode: 0o600,
  })
  renameSync(join(folder, `draft.${nonce}`), join(folder, own))
  for (const file of readdirSync(folder)) {
    if (!file.startsWith('lock.') || file === own) continue
    const holder = readHolder(join(folder, file))
    if (!holder) continue
    if (isAlive(holder, processes)) {
      rmSync(join(folder, own), { force: true })
      throw locked(what, name, holder.pid)
    }
    rmSync(join(folder, file), { force: true })
  }
  return { release: () => rmSync(join(folder, own), { force: true }) }
}

function isAlive(holder: Holder, processes: ProcessTable): boolean {
  return processes.startedAt(holder.pid) === holder.startedAt
}

function readHolder(path: string): Holder | undefined {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>
    return { pid: Number(pid), startedAt: String(startedAt) }
  } catch (error) {
    // Its holder released it while we looked.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    // A lock file is put in place whole, so one that cannot be read came through a power loss: nobody holds it.
    if (error instanceof SyntaxError) return { pid: 0, startedAt: 'unreadable' }
    throw error
  }
}
