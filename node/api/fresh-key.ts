import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from '../core/index.ts'

const FRESH_KEY_FILE = 'fresh-key'

/**
 * Notes that a node key was made just now for this data directory and has signed nothing, anywhere. Its guard then
 * need not wait two epochs at its first start. Call it only where the key is made: a key that was imported or used
 * before may have slots that this guard does not know.
 */
export async function declareFreshKey(dataDir: string, address: Address): Promise<void> {
  await writeFile(join(dataDir, FRESH_KEY_FILE), `${address}\n`, { mode: 0o600 })
}

/** Whether the note names `address`. Takes the note away first: it is good for one start, whatever comes of it. */
export async function takeFreshKey(dataDir: string, address: Address): Promise<boolean> {
  const path = join(dataDir, FRESH_KEY_FILE)
  let noted: string
  try {
    noted = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  await rm(path)
  return noted.trim() === address
}
