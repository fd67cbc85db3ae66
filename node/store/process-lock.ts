import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Random, toHex } from '../core/index.ts'
import { locked } from './errors.ts'
import { isListening, openLifeSocket } from './life-socket.ts'
import { readOwnFile } from './private-files.ts'
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
 * later one sees the other, so two never hold it together. A holder lives while it can be connected to at a socket
 * beside its file, which containers with process ids of their own see too, or while its process is found. The file of
 * one that is gone (kill -9, reboot, its pid reused by a younger process) is removed.
 *
 * @throws SuprnovaError `LOCKED` naming the pid of the holder
 */
export async function lockFolder(
  folder: string,
  what: 'data directory' | 'node key',
  name: string,
  modules: { readonly processes: ProcessTable; readonly random: Random },
): Promise<ProcessLock> {
  const { processes, random } = modules
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const self = {
    pid: processes.ownPid,
    startedAt: processes.startedAt(processes.ownPid) ?? '',
  }
  const nonce = toHex(random.bytes(8)).slice(2)
  const own = `lock.${self.pid}.${nonce}`
  // It listens before anybody can find its file.
  const socket = await openLifeSocket(folder, socketOf(own))
  const release = () => {
    rmSync(join(folder, own), { force: true })
    socket?.close()
  }
  try {
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
      const here = processes.startedAt(holder.pid) === holder.startedAt
      if (here || (await isListening(folder, socketOf(file)))) throw locked(what, name, holder.pid, here)
      rmSync(join(folder, file), { force: true })
      rmSync(join(folder, socketOf(file)), { force: true })
    }
  } catch (error) {
    release()
    throw error
  }
  return { release }
}

/** A lock's socket: both end in the same random number. */
function socketOf(lock: string): string {
  return `alive.${lock.slice(lock.lastIndexOf('.') + 1)}`
}

function readHolder(path: string): Holder | undefined {
  const text = readOwnFile(path)
  // Its holder released it while we looked.
  if (text === undefined) return undefined
  try {
    const { pid, startedAt } = JSON.parse(text) as Partial<Holder>
    return { pid: Number(pid), startedAt: String(startedAt) }
  } catch (error) {
    // A lock file is put in place whole, so one that cannot be read came through a power loss: nobody holds it.
    if (error instanceof SyntaxError) return { pid: 0, startedAt: 'unreadable' }
    throw error
  }
}
