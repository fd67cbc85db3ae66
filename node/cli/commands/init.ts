import { randomBytes } from 'node:crypto'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Address, EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { CONFIG_FILE_NAME } from '../config-file.ts'
import type { Context } from '../context.ts'
import { ConfigError, systemCode } from '../errors.ts'
import { type KeyRole, keyFolder, keyPath } from '../keys/key-file.ts'
import { askNewPassword } from '../keys/password.ts'
import { described, type Option } from '../option.ts'
import { DEFAULT_COORDINATOR, LOCAL_RPC, OPTION } from '../options.ts'
import { facts } from '../text.ts'
import type { CoordinatorName } from '../values/network.ts'

const ROLES: readonly KeyRole[] = ['operator', 'node', 'gas']

export const command = defineCommand({
  description: [
    'Makes a data directory (mode 0700) with three new keys under one password, and a config file. It asks for the coordinator, the RPC and the password, and only for those that are not given; with --yes it takes the defaults and asks nothing, so the password must come from --password-file or SUPRNOVA_PASSWORD.',
    'What is there stays: keys and config files are never overwritten. For real money keep the operator key on another machine: a running node does not need it.',
  ],
  options: {
    coordinator: OPTION.coordinator,
    rpc: OPTION.rpc,
    passwordFile: OPTION.passwordFile,
    privateNetwork: OPTION.privateNetwork,
    yes: described(OPTION.yes, 'Ask nothing, take the defaults'),
  },
  examples: [
    'suprnova init',
    'suprnova init --yes --data-dir ./node-1 --rpc http://127.0.0.1:8545 --password-file ./password --json',
  ],
  exits: { [EXIT.config]: 'no password, too short a password, or the directory cannot be used' },
  async run(values, context) {
    const { dataDir } = values
    const config = join(dataDir, CONFIG_FILE_NAME)
    const isConfigured = existsSync(config)
    const missing = ROLES.filter((role) => !existsSync(keyPath(role, dataDir, context.process.cwd)))
    const asks = context.prompt.terminal && !values.yes && !isConfigured
    const coordinator =
      values.coordinator ??
      (asks ? await ask('Coordinator', DEFAULT_COORDINATOR, OPTION.coordinator, context) : undefined)
    const rpc =
      values.rpc.length > 0 || !asks
        ? values.rpc
        : ((await ask('RPC', LOCAL_RPC, OPTION.rpc, context)) as readonly string[])
    const password =
      missing.length === 0
        ? ''
        : await askNewPassword({ what: `keys in ${keyFolder(dataDir)}`, passwordFile: values.passwordFile }, context)

    await makeFolder(dataDir)
    for (const role of missing) await makeKey(role, dataDir, password, values.privateNetwork, context)
    if (!isConfigured) {
      const document = {
        coordinator: written(coordinator as CoordinatorName | undefined),
        rpc: rpc.length === 0 ? [LOCAL_RPC] : rpc,
      }
      writeFileSync(config, `${JSON.stringify(document, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
    }
    const addresses = await addressesIn(dataDir, context)
    const next = [
      `give ${addresses.operator} EGI and gas, and ${addresses.gas} gas (local chain: suprnova token faucet)`,
      'suprnova stake register --amount 1000 --biometric-hash-file FILE',
      'suprnova stake activate --wait',
      'suprnova node run',
    ]
    return {
      data: { dataDir, config, made: missing, keptConfig: isConfigured, ...addresses, next },
      text: `${facts({ 'data directory': dataDir, config, operator: addresses.operator, 'node key': addresses.node, 'gas key': addresses.gas })}\n\nNext:\n${next.map((step) => `  ${step}`).join('\n')}`,
    }
  },
})

/** Asks until what is answered can be read; an empty answer is the default. */
async function ask(what: string, fallback: string, option: Option, context: Context): Promise<unknown> {
  for (;;) {
    const answer = (await context.prompt.ask(`${what} [${fallback}]:`)).trim()
    try {
      return option.parse(answer === '' ? fallback : answer)
    } catch (error) {
      context.note(error instanceof Error ? error.message : String(error))
    }
  }
}

function written(coordinator: CoordinatorName | undefined): string {
  if (coordinator === undefined) return DEFAULT_COORDINATOR
  return 'name' in coordinator ? coordinator.name : coordinator.address
}

async function makeFolder(dataDir: string): Promise<void> {
  const { makePrivateDirectory } = await import('../../store/index.ts')
  try {
    makePrivateDirectory(keyFolder(dataDir))
    if (!statSync(dataDir).isDirectory()) throw new TypeError('not a directory')
  } catch (cause) {
    throw new ConfigError(
      'DATA_DIRECTORY_UNUSABLE',
      `the data directory ${dataDir} cannot be used: ${systemCode(cause) ?? String(cause)}`,
      {
        hint: 'choose another with --data-dir, or mend this one',
        values: { dataDir },
        cause,
      },
    )
  }
}

async function makeKey(
  role: KeyRole,
  dataDir: string,
  password: string,
  privateNetwork: boolean,
  context: Context,
): Promise<void> {
  const { addressOf, createKeystoreFile, encryptKey } = await import('../../store/index.ts')
  const privateKey = randomBytes(32)
  await createKeystoreFile(
    keyPath(role, dataDir, context.process.cwd),
    await encryptKey(privateKey, password, { privateNetwork }),
  )
  if (role !== 'node') return
  const { declareFreshKey } = await import('../../api/index.ts')
  await declareFreshKey(dataDir, addressOf(privateKey))
}

async function addressesIn(dataDir: string, context: Context): Promise<Record<KeyRole, Address>> {
  const { addressOfKey } = await import('../keys/key-file.ts')
  const [operator, node, gas] = await Promise.all(ROLES.map((role) => addressOfKey(role, undefined, dataDir, context)))
  return { operator: operator as Address, node: node as Address, gas: gas as Address }
}
