import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Replaces `file` by `bytes`, so that after a crash at any moment the old or the new content is there, whole.
 * Durable when it resolves: the file is flushed before the rename, the directory after it.
 */
export async function replaceFile(file: string, bytes: Uint8Array, mode = 0o600): Promise<void> {
  const fresh = `${file}.new`
  const handle = await open(fresh, 'w', mode)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(fresh, file)
  const directory = await open(dirname(file), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
