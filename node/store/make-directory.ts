import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Not even a path of single letters is deeper within the length that Linux takes. */
const MAX_DEPTH = 2_048

/**
 * Makes a directory and those above it that are missing, for this user alone (mode 0700).
 *
 * Node's own `mkdirSync(path, { recursive: true })` never returns where the parent is there and the directory still
 * cannot be made, as under /proc.
 * @throws the system's error
 */
export function makePrivateDirectory(path: string, depth = 0): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path || depth === MAX_DEPTH) throw error
    makePrivateDirectory(dirname(path), depth + 1)
    mkdirSync(path, { mode: 0o700 })
  }
}
