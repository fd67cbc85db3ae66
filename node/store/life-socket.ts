import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/** Can be connected to for as long as its process lives, from any container of this machine that sees the folder. */
export interface LifeSocket {
  close(): void
}

/** Room for a path in a Unix socket's address, without the closing zero. */
const ADDRESS_MAX_BYTES = process.platform === 'linux' ? 107 : 103

/** Of file systems and security rules that allow no sockets, and of paths too long for one. */
const NO_SOCKET = ['EACCES', 'EPERM', 'EINVAL', 'ENAMETOOLONG', 'ENOTSUP', 'EOPNOTSUPP']

/** Nobody can be there: no such file, or one that nobody listens at. */
const NOBODY = ['ENOENT', 'ECONNREFUSED']

/**
 * Listens at `name` in `folder`.
 * @returns `undefined` where that cannot be done
 */
export async function openLifeSocket(folder: string, name: string): Promise<LifeSocket | undefined> {
  const server = createServer((caller) => caller.destroy())
  server.unref()
  const listens = await atAddress(folder, name, (address) => {
    return new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (NO_SOCKET.includes(error.code ?? '')) resolve(false)
        else reject(error)
      })
      server.listen(address, () => resolve(true))
    })
  })
  if (!listens) return undefined
  // A caller that cannot be accepted, for want of descriptors, was told by the kernel that somebody listens.
  server.on('error', () => undefined)
  return {
    close() {
      server.close()
      rmSync(join(folder, name), { force: true })
    },
  }
}

/** Whether a process listens at `name` in `folder`. Any doubt counts as yes. */
export async function isListening(folder: string, name: string): Promise<boolean> {
  const answer = await atAddress(folder, name, (address) => {
    return new Promise<boolean>((resolve) => {
      const socket = connect(address)
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(!NOBODY.includes(error.code ?? '')))
    })
  })
  return answer ?? false
}

/** Gives an address that fits: the path itself or, on Linux, one through a descriptor of the folder. */
async function atAddress<T>(
  folder: string,
  name: string,
  use: (address: string) => Promise<T>,
): Promise<T | undefined> {
  const path = join(folder, name)
  if (Buffer.byteLength(path) <= ADDRESS_MAX_BYTES) return await use(path)
  if (process.platform !== 'linux') return undefined
  const directory = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return await use(`/proc/self/fd/${directory}/${name}`)
  } finally {
    closeSync(directory)
  }
}
