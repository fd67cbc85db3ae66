import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createHardhatRuntimeEnvironment } from 'hardhat/hre'
import type { NetworkConnection } from 'hardhat/types/network'
import { mnemonicToAccount } from 'viem/accounts'
import { type Address, EXIT, type Hex, type Logger, SuprnovaError, toHex } from '../core/index.ts'

/** Hardhat's own, so that wallets and tools know it. */
export const LOCAL_CHAIN_ID = 31337
/** Everybody knows the keys of this mnemonic: they are worth something on local chains only. */
export const LOCAL_MNEMONIC = 'test test test test test test test test test test test junk'
const DEFAULT_BLOCK_TIME_MS = 1000
const DEFAULT_ACCOUNTS = 20
/** Hardhat wants the folder of a package; nothing of it is read or written. */
const projectRoot = fileURLToPath(new URL('../..', import.meta.url))
const ACCOUNT_BALANCE_WEI = 10_000n * 10n ** 18n

export interface LocalChainOptions {
  /** 0 (default) takes a free one. */
  readonly port?: number
  /** Default 127.0.0.1: the keys are public, so nobody else should reach it. */
  readonly host?: string
  /** Time between blocks once live. Default 1000. */
  readonly blockTimeMs?: number
  /** Mine each transaction at once until {@link LocalChain.goLive} is called (default); otherwise live from the start. */
  readonly automineFirst?: boolean
  /** How many funded development accounts. Default 20. */
  readonly accounts?: number
  readonly log?: Logger
}

/** A private key with its address and 10,000 ether. */
export interface LocalAccount {
  readonly address: Address
  readonly privateKey: Hex
}

/** A chain in this process that forgets everything when it is closed. */
export interface LocalChain {
  readonly chainId: typeof LOCAL_CHAIN_ID
  readonly host: string
  readonly port: number
  /** `http://host:port` */
  readonly rpcUrl: string
  /** `ws://host:port` */
  readonly wsUrl: string
  readonly accounts: readonly LocalAccount[]
  /** One JSON-RPC request without a socket. */
  request(method: string, params?: readonly unknown[]): Promise<unknown>
  /** Stops mining on demand: from now on the chain mines one block every `blockTimeMs`, and there is a mempool. */
  goLive(): Promise<void>
  /** Stops mining, ends all connections and frees the port. May be called again. */
  close(): Promise<void>
}

/**
 * Starts Hardhat's chain on a socket (HTTP and WebSocket). The time of its blocks is this machine's clock and never
 * runs ahead of it; its RANDAO mix differs from block to block, but is the same sequence at every start: a stand-in
 * for randomness, not a source of it. Its finalized block is its latest.
 *
 * @throws SuprnovaError `LOCAL_CHAIN_FAILED` when the port cannot be had or Hardhat does not start.
 */
export async function startLocalChain(options: LocalChainOptions = {}): Promise<LocalChain> {
  const { host = '127.0.0.1', port = 0, blockTimeMs = DEFAULT_BLOCK_TIME_MS, automineFirst = true, log } = options
  const count = options.accounts ?? DEFAULT_ACCOUNTS
  await assertPortFree(host, port)

  // On a terminal Hardhat would start a process of its own that outlives this one.
  process.env.HARDHAT_DISABLE_TELEMETRY = 'true'
  const hre = await createHardhatRuntimeEnvironment({ networks: { local: networkConfig(count) } }, {}, projectRoot)
  const opened: NetworkConnection<string>[] = []
  hre.hooks.registerHandlers('network', {
    async newConnection(context, next) {
      const connection = await next(context)
      opened.push(connection)
      return connection
    },
  })
  const server = await hre.network.createServer('local', host, port)
  const connection = opened[0]
  if (connection === undefined) throw localChainFailed('Hardhat opened no network', undefined)
  const { provider } = connection

  const sockets = trackSockets()
  const listening = await server.listen()
  sockets.onPort(listening.port)
  const authority = `${host.includes(':') ? `[${host}]` : host}:${listening.port}`
  log?.info('local chain listening', {
    url: `http://${authority}`,
    chainId: LOCAL_CHAIN_ID,
  })

  const request = (method: string, params: readonly unknown[] = []): Promise<unknown> =>
    provider.request({ method, params: [...params] })

  // Loading Hardhat takes a second or two, and its clock lags by as much; the answer is its offset in seconds.
  const offsetSeconds = Number(await request('evm_increaseTime', [0]))
  if (offsetSeconds < 0) await request('evm_increaseTime', [-offsetSeconds])

  let closing: Promise<void> | undefined
  const chain: LocalChain = {
    chainId: LOCAL_CHAIN_ID,
    host,
    port: listening.port,
    rpcUrl: `http://${authority}`,
    wsUrl: `ws://${authority}`,
    accounts: Array.from({ length: count }, (_, index) => localAccount(index)),
    request,
    async goLive() {
      await request('evm_setAutomine', [false])
      await request('evm_setIntervalMining', [blockTimeMs])
    },
    close() {
      closing ??= (async () => {
        await request('evm_setIntervalMining', [0])
        const closed = server.close()
        sockets.destroy()
        await closed
        await connection.close()
      })()
      return closing
    },
  }
  if (!automineFirst) await chain.goLive()
  return chain
}

/** The development account number `index`, the same on every local chain. */
export function localAccount(index: number): LocalAccount {
  const account = mnemonicToAccount(LOCAL_MNEMONIC, { addressIndex: index })
  const { privateKey } = account.getHdKey()
  if (privateKey === null) throw new TypeError(`no private key at index ${index}`)
  return {
    address: account.address.toLowerCase() as Address,
    privateKey: toHex(privateKey),
  }
}

function networkConfig(accounts: number) {
  return {
    type: 'edr-simulated',
    chainId: LOCAL_CHAIN_ID,
    // Without it every automined block is a second ahead of the last one, and epochs run ahead with them.
    allowBlocksWithSameTimestamp: true,
    accounts: {
      mnemonic: LOCAL_MNEMONIC,
      count: accounts,
      accountsBalance: ACCOUNT_BALANCE_WEI,
    },
  } as const
}

/** Hardhat's server has no handler for a taken port and would bring the process down. */
async function assertPortFree(host: string, port: number): Promise<void> {
  const probe = createServer()
  try {
    probe.listen(port, host)
    await once(probe, 'listening')
  } catch (error) {
    throw localChainFailed(`cannot listen on ${host}:${port}: ${(error as Error).message}`, error)
  } finally {
    probe.close()
  }
  await once(probe, 'close')
}

/** Hardhat's server waits for its clients when it closes, WebSockets for ever; so the sockets are known and ended here. */
function trackSockets(): { onPort(port: number): void; destroy(): void } {
  const channel = 'net.server.socket'
  const sockets = new Set<Socket>()
  let ownPort: number | undefined
  const onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket }
    if (socket.localPort !== ownPort) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  subscribe(channel, onSocket)
  return {
    onPort(port) {
      ownPort = port
    },
    destroy() {
      unsubscribe(channel, onSocket)
      for (const socket of sockets) socket.destroy()
    },
  }
}

function localChainFailed(message: string, cause: unknown): SuprnovaError {
  return new SuprnovaError('LOCAL_CHAIN_FAILED', message, {
    exitCode: EXIT.chain,
    hint: 'choose another port, or 0 for any free one',
    cause,
  })
}
