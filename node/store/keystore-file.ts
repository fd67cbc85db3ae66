import { type Random, toHex } from '../core/index.ts'
import { KEYSTORE_MAX_BYTES } from './constants.ts'
import { createDurably, type Disk, machineDisk } from './disk.ts'
import { keystoreExists, keystoreInvalid, keystoreUnreadable } from './errors.ts'
import { type Keystore, parseKeystore } from './keystore.ts'
import { machineRandom } from './random.ts'

/**
 * Writes a keystore, mode 0600: whole and durable, or not at all, and never over another file.
 * @throws SuprnovaError `KEYSTORE_EXISTS`
 */
export async function createKeystoreFile(
  path: string,
  keystore: Keystore,
  modules: { readonly disk?: Disk; readonly random?: Random } = {},
): Promise<void> {
  const nonce = toHex((modules.random ?? machineRandom).bytes(8)).slice(2)
  const bytes = Buffer.from(`${JSON.stringify(keystore, undefined, 2)}\n`)
  if (!(await createDurably(modules.disk ?? machineDisk, path, bytes, nonce))) throw keystoreExists(path)
}

/**
 * Reads and checks a keystore without decrypting it.
 * @throws SuprnovaError `KEYSTORE_UNREADABLE`, `KEYSTORE_INVALID`, `KEYSTORE_UNSUPPORTED`
 */
export async function readKeystoreFile(path: string, modules: { readonly disk?: Disk } = {}): Promise<Keystore> {
  const bytes = await (modules.disk ?? machineDisk).read(path).catch((error: unknown) => {
    throw keystoreUnreadable(path, error)
  })
  if (!bytes) throw keystoreUnreadable(path, 'there is no such file')
  if (bytes.length > KEYSTORE_MAX_BYTES) {
    throw keystoreInvalid('the file', `at most ${KEYSTORE_MAX_BYTES} bytes long`, `${bytes.length} bytes`)
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw keystoreInvalid('the file', 'JSON', (error as Error).message)
  }
  return parseKeystore(value)
}
