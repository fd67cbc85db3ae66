import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from '../core/index.ts'
import { machineBootId } from '../store/index.ts'

const FRESH_KEY_FILE = 'fresh-key'

/**
 * Notes that a node key was made just now for this data directory and has signed nothing, anywhere. Its guard then
 * need not wait two epochs at its first start. Call it only where the key is made: a key that was imported or used
 * before may have slots that this guard does not know.
 *
 * The note is good on this machine until its next boot, no longer. A backup taken before the first start holds it too:
 * restored elsewhere or later it must not pass for a key that never spoke; restored before the next boot, the guard's
 * mirror outside the directory shows that it did.
 */
export async function declareFreshKey(dataDir: string, address: Address, bootId = machineBootId()): Promise<void> {
  await writeFile(join(dataDir, FRESH_KEY_FILE), noteOf(address, bootId), { mode: 0o600 })
}

/** Whether the note names `address` and this boot. Takes the note away first: it is good for one start, whatever comes of it. */
export async function takeFreshKey(dataDir: string, address: Address, bootId = machineBootId()): Promise<boolean> {
  const path = join(dataDir, FRESH_KEY_FILE)
  let noted: string
  try {
    noted = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  await rm(path)
  return noted === noteOf(address, bootId)
}

function noteOf(address: Address, bootId: string): string {
  return `${address} ${bootId}\n`
}
