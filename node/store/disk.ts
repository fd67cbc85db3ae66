import { link, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * The few file operations that durable files rest on, so that a disk which forgets can stand in for the real one.
 * Paths are absolute. Nothing is durable before `sync` (contents) or `syncDirectory` (names) has resolved.
 */
export interface Disk {
  /** @returns the bytes, or `undefined` when there is no such file */
  read(path: string): Promise<Uint8Array | undefined>
  /** Creates a file of mode 0600 with `bytes`. @returns false when the name is taken; nothing changes then */
  create(path: string, bytes: Uint8Array): Promise<boolean>
  /** Writes `bytes` at the end of a file that exists. */
  append(path: string, bytes: Uint8Array): Promise<void>
  sync(path: string): Promise<void>
  /** Gives a file a second name. @returns false when that name is taken */
  link(from: string, to: string): Promise<boolean>
  /** Renames, replacing what `to` named. */
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Names in a directory, sorted. */
  list(directory: string): Promise<readonly string[]>
  syncDirectory(directory: string): Promise<void>
}

const PRIVATE_FILE_MODE = 0o600

/** The disk of this machine. */
export const machineDisk: Disk = {
  async read(path) {
    return await readFile(path).catch(unless<Uint8Array | undefined>('ENOENT', undefined))
  },
  async create(path, bytes) {
    const file = await open(path, 'wx', PRIVATE_FILE_MODE).catch(unless('EEXIST', undefined))
    if (!file) return false
    try {
      await file.writeFile(bytes)
    } finally {
      await file.close()
    }
    return true
  },
  async append(path, bytes) {
    await withFile(path, 'a', (file) => file.writeFile(bytes))
  },
  async sync(path) {
    await withFile(path, 'r+', (file) => file.sync())
  },
  async link(from, to) {
    return await link(from, to).then(() => true, unless('EEXIST', false))
  },
  rename,
  unlink,
  async list(directory) {
    return (await readdir(directory)).sort()
  },
  async syncDirectory(directory) {
    await withFile(directory, 'r', (file) => file.sync())
  },
}

/**
 * Writes a new file so that it is there whole and durable, or not at all, and never replaces another.
 * @returns false when `path` exists already
 */
export async function createDurably(disk: Disk, path: string, bytes: Uint8Array, nonce: string): Promise<boolean> {
  const directory = dirname(path)
  const draft = `${path}.${nonce}.draft`
  if (!(await disk.create(draft, bytes))) return false
  await disk.sync(draft)
  const created = await disk.link(draft, path)
  await disk.unlink(draft)
  await disk.syncDirectory(directory)
  return created
}

/** Makes a private directory, and its name durable in the one above. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  await machineDisk.syncDirectory(path)
  await machineDisk.syncDirectory(dirname(path))
}

async function withFile(
  path: string,
  flags: string,
  use: (file: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags)
  try {
    await use(file)
  } finally {
    await file.close()
  }
}

function unless<T>(code: string, value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === code) return value
    throw error
  }
}
