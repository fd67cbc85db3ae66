import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { toHex } from '../core/index.ts'
import { addressOf, decryptKey, readKeystoreFile } from '../store/index.ts'
import type { KeystoreAccess, NodeConfig } from './config.ts'
import { ConfigError } from './errors.ts'

/** The keys a running node holds. The operator's is never among them. */
export interface NodeKeys {
  /** 32 bytes. */
  readonly nodeKey: Uint8Array
  /** `undefined`: the node sends no transactions. */
  readonly gasKey: PrivateKeyAccount | undefined
}

const open = async ({ path, password }: KeystoreAccess) => decryptKey(await readKeystoreFile(path), password)

/**
 * Opens the keystores of a node.
 * @throws ConfigError when one key serves as both: a leaked gas key must never be able to speak
 */
export async function openKeys(config: Pick<NodeConfig, 'keystore' | 'gasKeystore'>): Promise<NodeKeys> {
  const nodeKey = await open(config.keystore)
  if (config.gasKeystore === undefined) return { nodeKey, gasKey: undefined }
  const gasKey = await open(config.gasKeystore)
  if (addressOf(gasKey) === addressOf(nodeKey)) {
    throw new ConfigError(
      'gasKeystore.path',
      config.gasKeystore.path,
      'another key than the node key',
      'make one with `suprnova key new gas`',
    )
  }
  return { nodeKey, gasKey: privateKeyToAccount(toHex(gasKey)) }
}
