import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT, type LogLevel } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { ConfigError, UsageError } from '../errors.ts'
import { type KeyRole, keyPath } from '../keys/key-file.ts'
import { askPassword } from '../keys/password.ts'
import { deploymentIn } from '../network/deployment-file.ts'
import { described } from '../option.ts'
import { DEFAULT_COORDINATOR, LOCAL_RPC, OPTION } from '../options.ts'
import type { CoordinatorName } from '../values/network.ts'

export const command = defineCommand({
  description: [
    'Runs one node on one data directory until Ctrl-C, SIGTERM or `suprnova node stop`; it then closes everything in order. It finds its contracts by the ENS name once, and is pinned to them from then on: --accept-coordinator is the only way to others.',
    'It holds the node key, and if there is one the gas key, with which it reports liars; never the operator key. Logs are JSON lines on stderr. One JSON document, or one line, on stdout says when it runs.',
  ],
  options: {
    coordinator: described(
      OPTION.coordinator,
      `ENS name of the coordinator, plain or as a URL (default: ${DEFAULT_COORDINATOR})`,
    ),
    rpc: OPTION.rpc,
    ensRegistry: OPTION.ensRegistry,
    acceptCoordinator: OPTION.acceptCoordinator,
    nodeKey: OPTION.nodeKey,
    gasKey: described(
      OPTION.gasKey,
      'Key that pays for reports: a keystore file or the name of a key (default: gas, if there is one)',
    ),
    passwordFile: OPTION.passwordFile,
    beneficiary: described(OPTION.beneficiary, "Who is credited rewards (default: the stake's operator)"),
    listen: OPTION.listen,
    bootstrap: OPTION.bootstrap,
    http: OPTION.http,
    topic: described(OPTION.topic, 'Topic to relay from the start; may be repeated'),
    fanout: OPTION.fanout,
    confirmations: OPTION.confirmations,
    maxRecordBytes: OPTION.maxRecordBytes,
    answers: OPTION.answers,
    logLevel: OPTION.logLevel,
  },
  examples: [
    'suprnova node run --coordinator https://current-reality.eth --rpc https://rpc.example.org',
    'suprnova node run --data-dir ./node-1 --listen /ip4/127.0.0.1/tcp/0 --http 127.0.0.1:9180 --password-file ./password',
  ],
  exits: {
    [EXIT.config]: 'a key, password, pin or data directory is not usable',
    [EXIT.locked]: 'another process runs on this data directory, or with this node key',
    [EXIT.chain]: 'the chain refused to answer',
    [EXIT.tryAgain]: 'no RPC answered',
  },
  endsOnSignal: true,
  async run(values, context) {
    const keystore = await access('node', values.nodeKey, values, context)
    const gasKeystore = hasGasKey(values, context) ? await access('gas', values.gasKey, values, context) : undefined
    const { createNode, parseNodeConfig, SOCKET_NAME } = await import('../../api/index.ts')
    const config = parseNodeConfig({
      dataDir: values.dataDir,
      coordinator: nameOf(values.coordinator),
      rpcUrls: values.rpc.length === 0 ? [LOCAL_RPC] : values.rpc,
      ensRegistry: values.ensRegistry ?? (await deploymentIn(values.dataDir))?.ensRegistry,
      acceptCoordinator: values.acceptCoordinator,
      keystore,
      gasKeystore,
      beneficiary: values.beneficiary,
      listen: values.listen,
      bootstrap: values.bootstrap,
      http: values.http,
      topics: values.topic,
      fanout: values.fanout,
      confirmations: values.confirmations,
      maxRecordBytes: values.maxRecordBytes,
      answers: values.answers as 'own' | 'all',
      logLevel: values.logLevel as LogLevel,
    })
    const node = await createNode(config)
    const onAbort = (): void => node.shutdown()
    context.signal.addEventListener('abort', onAbort)
    if (context.signal.aborted) onAbort()
    const { key, multiaddrs, peerId, processId } = await node.status()
    const socket = resolve(values.dataDir, SOCKET_NAME)
    context.emit(
      { key, peerId, multiaddrs, processId, socket },
      `node ${key} runs, listening on ${multiaddrs.join(' ')}`,
    )
    await node.ended
    return undefined
  },
})

function hasGasKey(values: { gasKey: string | undefined; dataDir: string }, context: Context): boolean {
  return values.gasKey !== undefined || existsSync(keyPath('gas', values.dataDir, context.process.cwd))
}

async function access(
  role: KeyRole,
  written: string | undefined,
  values: { dataDir: string; passwordFile: string | undefined },
  context: Context,
): Promise<{ path: string; password: string }> {
  const path = keyPath(written ?? role, values.dataDir, context.process.cwd)
  if (!existsSync(path)) {
    throw new ConfigError('KEY_MISSING', `there is no ${role} key at ${path}`, {
      hint: `make one with \`suprnova key new ${role}\`, or name another with --${role}-key`,
      values: { role, path },
    })
  }
  const environment = `SUPRNOVA_${role.toUpperCase()}_PASSWORD`
  const password = await askPassword(
    { what: `${role} key ${path}`, passwordFile: values.passwordFile, environment },
    context,
  )
  return { path, password }
}

/** A node starts from a name; the address that it leads to is then pinned. */
function nameOf(coordinator: CoordinatorName | undefined): string {
  if (coordinator === undefined) return DEFAULT_COORDINATOR
  if ('name' in coordinator) return coordinator.name
  throw new UsageError('COORDINATOR_NOT_A_NAME', '--coordinator takes an ENS name here, not an address', {
    hint: '--accept-coordinator ADDRESS pins an address in place of what the name says',
    values: { coordinator: coordinator.address },
  })
}
