import { closeSync, constants, lstatSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { runtimeDirectoryUnsafe } from './errors.ts'

const OTHERS_MODE = 0o077

/**
 * Makes a directory that only this user can use, or sees that it is one: its name may lie in a folder where anybody
 * can make files, such as /dev/shm.
 * @throws SuprnovaError `RUNTIME_DIRECTORY_UNSAFE` (exit 3)
 */
export function prepareOwnDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    // A file, or a link to nowhere or to one, has the name; what it is is said below.
    if (!['EEXIST', 'ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat?.isSymbolicLink()) throw runtimeDirectoryUnsafe(path, 'it is a symbolic link')
  if (!stat?.isDirectory()) throw runtimeDirectoryUnsafe(path, 'it is not a directory')
  // Where there are no user ids there are no modes either.
  const uid = process.getuid?.()
  if (uid === undefined) return
  if (stat.uid !== uid) throw runtimeDirectoryUnsafe(path, `it belongs to user ${stat.uid}, not to ${uid}`)
  if ((stat.mode & OTHERS_MODE) !== 0) {
    throw runtimeDirectoryUnsafe(path, `others may use it (mode 0${(stat.mode & 0o777).toString(8)})`)
  }
}

/**
 * Opens a file without following a link in its place.
 * @param flags of `fs.constants`
 */
export function openOwnFile(path: string, flags: number): number {
  try {
    return openSync(path, flags | constants.O_NOFOLLOW, 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error
    throw runtimeDirectoryUnsafe(dirname(path), `${path} is a symbolic link`, error)
  }
}

/** @returns the text, byte by byte, or `undefined` when there is no such file */
export function readOwnFile(path: string): string | undefined {
  let file: number
  try {
    file = openOwnFile(path, constants.O_RDONLY)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return readFileSync(file, 'latin1')
  } finally {
    closeSync(file)
  }
}
