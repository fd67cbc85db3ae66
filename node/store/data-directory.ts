import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Address, type Random, toHex } from '../core/index.ts'
import { DATA_DIRECTORY_VERSION } from './constants.ts'
import { createDurably, machineDisk } from './disk.ts'
import { directoryUnusable } from './errors.ts'
import { machineRuntimeDirectory } from './guard/environment.ts'
import { makePrivateDirectory } from './make-directory.ts'
import { prepareOwnDirectory } from './private-files.ts'
import { lockFolder, type ProcessLock } from './process-lock.ts'
import { machineProcesses, type ProcessTable } from './process-table.ts'
import { machineRandom } from './random.ts'

/** A data directory held by this process alone, and with it a node key on this machine. */
export interface LockedDirectory {
  /** Absolute. */
  readonly path: string
  release(): void
}

export interface LockOptions {
  /** The node key that will sign: held once per machine, whatever directory it is used from. */
  readonly address?: Address
}

export interface LockModules {
  readonly processes?: ProcessTable
  readonly random?: Random
  /** This user's own directory that a reboot empties. Default `machineRuntimeDirectory()`, in /dev/shm. */
  readonly runtimeDirectory?: string
}

/**
 * Makes the directory if there is none (mode 0700), checks its version and holds it until `release()` or the end
 * of the process, kill -9 included.
 *
 * @throws SuprnovaError `LOCKED` (exit 4) naming the holder, `DATA_DIRECTORY_UNUSABLE` or
 * `RUNTIME_DIRECTORY_UNSAFE` (exit 3)
 */
export async function lockDataDirectory(
  directory: string,
  options: LockOptions = {},
  modules: LockModules = {},
): Promise<LockedDirectory> {
  const path = resolve(directory)
  const random = modules.random ?? machineRandom
  const processes = modules.processes ?? machineProcesses
  preparePrivateDirectory(path)
  const locks: ProcessLock[] = []
  const release = () => {
    for (const lock of locks.splice(0)) lock.release()
  }
  try {
    locks.push(
      await lockFolder(join(path, 'locks'), 'data directory', path, {
        processes,
        random,
      }),
    )
    if (options.address) {
      const runtimeDirectory = modules.runtimeDirectory ?? machineRuntimeDirectory()
      prepareOwnDirectory(runtimeDirectory)
      const folder = join(runtimeDirectory, 'locks', options.address)
      locks.push(await lockFolder(folder, 'node key', options.address, { processes, random }))
    }
    await checkVersion(path, random)
  } catch (error) {
    release()
    throw error
  }
  return { path, release }
}

function preparePrivateDirectory(path: string): void {
  try {
    makePrivateDirectory(path)
    if (!statSync(path).isDirectory()) throw directoryUnusable(path, 'it is not a directory')
    chmodSync(path, 0o700)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST' || code === 'ENOTDIR') throw directoryUnusable(path, 'it is not a directory', error)
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw directoryUnusable(path, `no permission (${code})`, error)
    }
    throw error
  }
}

async function checkVersion(path: string, random: Random): Promise<void> {
  const file = join(path, 'version')
  const nonce = toHex(random.bytes(8)).slice(2)
  await createDurably(machineDisk, file, Buffer.from(`${DATA_DIRECTORY_VERSION}\n`), nonce)
  const text = readFileSync(file, 'utf8').trim()
  if (!/^\d{1,9}$/.test(text)) {
    throw directoryUnusable(
      path,
      `${file} must hold ${DATA_DIRECTORY_VERSION}, got ${JSON.stringify(text.slice(0, 40))}`,
    )
  }
  if (Number(text) !== DATA_DIRECTORY_VERSION) {
    throw directoryUnusable(path, `it has version ${text}, this program reads version ${DATA_DIRECTORY_VERSION}`)
  }
}
