import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import { declareFreshKey, NodeClient } from '../../api/index.ts'
import { type Address, type Hex, type Random, toHex } from '../../core/index.ts'
import { createKeystoreFile, encryptKey } from '../../store/index.ts'
import type { Workspace } from './workspace.ts'

/** Of every key of a private network: they are worth nothing, and people may try commands with them. */
export const PRIVATE_PASSWORD = 'suprnova'

/** A node that is busy for longer is shown as one that does not answer. */
const ANSWER_WITHIN_MS = 5_000

/** A key of a member and its keystore. */
export interface MemberKey {
  readonly address: Address
  readonly privateKey: Hex
  readonly path: string
}

/** One operator of a private network, with keys and a data directory as the CLI lays them out. */
export interface Member {
  readonly name: string
  readonly dataDir: string
  readonly node: MemberKey
  readonly gas: MemberKey
  /** Kept outside the data directory: a running node holds no operator key. */
  readonly operator: MemberKey
  readonly biometricHash: Uint8Array
  readonly client: NodeClient
}

/** What every node of a network is told. */
export interface MemberSettings {
  readonly rpcUrl: string
  readonly coordinator: string
  readonly ensRegistry: Address
  readonly listen: string
  readonly topics: readonly string[]
  readonly logLevel: string
  /** Which challenges its node answers; those to others' receipts too by default. */
  readonly answers?: 'own' | 'all'
  /** Bytes of records it holds at most. */
  readonly maxRecordBytes?: number
}

/** Makes keys and folders. Nothing is registered, nothing runs. */
export async function makeMember(name: string, workspace: Workspace, random: Random): Promise<Member> {
  const dataDir = join(workspace.path, name)
  const operators = join(workspace.path, 'operators')
  await mkdir(join(dataDir, 'keys'), { recursive: true, mode: 0o700 })
  await mkdir(operators, { recursive: true, mode: 0o700 })
  const key = async (path: string): Promise<MemberKey> => {
    const privateKey = random.bytes(32)
    await createKeystoreFile(path, await encryptKey(privateKey, PRIVATE_PASSWORD, { privateNetwork: true, random }))
    const account = privateKeyToAccount(toHex(privateKey))
    return { address: account.address.toLowerCase() as Address, privateKey: toHex(privateKey), path }
  }
  const [node, gas, operator] = await Promise.all([
    key(join(dataDir, 'keys', 'node.json')),
    key(join(dataDir, 'keys', 'gas.json')),
    key(join(operators, `${name}.json`)),
  ])
  await declareFreshKey(dataDir, node.address)
  workspace.remember(node.address)
  return {
    name,
    dataDir,
    node,
    gas,
    operator,
    biometricHash: random.bytes(32),
    client: new NodeClient(dataDir, { timeoutMs: ANSWER_WITHIN_MS }),
  }
}

/** Where the password of all keys of a network stands. */
export function passwordFile(workspace: Workspace): string {
  return join(workspace.path, 'password')
}

/** Writes the CLI's config file, so that commands with `--data-dir` need no more options. */
export async function configureMember(member: Member, workspace: Workspace, settings: MemberSettings): Promise<void> {
  const { answers, rpcUrl, coordinator, ensRegistry, listen, maxRecordBytes, topics, logLevel } = settings
  const config = {
    rpc: [rpcUrl],
    coordinator,
    ensRegistry,
    passwordFile: passwordFile(workspace),
    operatorKey: member.operator.path,
    listen: [listen],
    topic: topics,
    logLevel,
    ...(answers === undefined ? {} : { answers }),
    ...(maxRecordBytes === undefined ? {} : { maxRecordBytes }),
  }
  await writeFile(passwordFile(workspace), `${PRIVATE_PASSWORD}\n`, { mode: 0o600 })
  await writeFile(join(member.dataDir, 'suprnova.json'), `${JSON.stringify(config, undefined, 2)}\n`)
}
