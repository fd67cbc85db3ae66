import { mkdir } from 'node:fs/promises'
import { MetricsRegistry, systemClock, systemRandom, systemTimers } from '../../api/index.ts'
import {
  type ChainStakeView,
  type CoordinatorPin,
  openRpc,
  openStakeView,
  pinCoordinator,
  readParams,
  resolveCoordinator,
} from '../../chain/index.ts'
import {
  type Address,
  type Domain,
  fromHex,
  type Hex,
  type Logger,
  type ProtocolParams,
  type RequestTransport,
} from '../../core/index.ts'
import { createNetwork, type Network, type NetworkModules } from '../../net/index.ts'
import { createSigner, DomainSeparator, type Verdict } from '../../statements/index.ts'

/** Where a network is found, and with which key to enter it. */
export interface BarePeerOptions {
  readonly rpcUrl: string
  readonly coordinator: string
  readonly ensRegistry: Address
  /** 32 bytes. */
  readonly privateKey: Hex
  /** A folder for the pin; made when there is none. */
  readonly directory: string
  /** Peers to dial beside those the name tells. */
  readonly bootstrap?: readonly string[]
}

/** A peer without guard, slot index or conscience: what of the real node is left when nothing keeps a key honest. */
export interface BarePeer {
  readonly address: Address
  readonly pin: CoordinatorPin
  readonly params: ProtocolParams
  readonly domain: DomainSeparator
  readonly view: ChainStakeView
  readonly network: Network
  /** What records are asked for and stored by. */
  readonly requests: RequestTransport
  sign(digest: Uint8Array): Uint8Array
  close(): Promise<void>
}

const QUIET: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => QUIET }
/** Mesh degree: linked to everybody in a small network. */
const FANOUT = 12
const POLL_MS = 250
const STALE_AFTER_MS = 30_000

/** Opens a peer that judges what it hears with `judge`. */
export async function openBarePeer(
  options: BarePeerOptions,
  judge: (frame: Uint8Array, peer: Pick<BarePeer, 'domain' | 'view'>) => void,
): Promise<BarePeer> {
  const modules = {
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    logger: QUIET,
    metrics: new MetricsRegistry(),
  }
  const { client } = openRpc({ urls: [options.rpcUrl] }, modules)
  const { coordinator, ensRegistry, directory } = options
  await mkdir(directory, { recursive: true })
  const pin = await pinCoordinator({ dataDir: directory, coordinator, ensRegistry }, { client, logger: QUIET })
  const params = await readParams({ client, deployment: pin })
  const view = await openStakeView(
    {
      chainId: pin.chainId,
      genesisHash: pin.genesisHash,
      registry: pin.registry,
      salt: pin.salt,
      fromBlock: pin.deployBlock,
      confirmationsBlocks: 0,
      pollMs: POLL_MS,
      retainSeconds: params.unbondingSeconds,
      skewSeconds: params.skewSeconds,
      staleAfterMs: STALE_AFTER_MS,
    },
    { client, ...modules },
  )
  const domain: Domain = { chainId: pin.chainId, verifyingContract: pin.registry, salt: pin.salt }
  const separator = new DomainSeparator(domain)
  const signer = createSigner(fromHex(options.privateKey))
  const { bootstrap } = await resolveCoordinator(client, coordinator, { ensRegistry })
  // Whatever it is, this peer passes nothing on and blames nobody.
  const admit = (frame: Uint8Array): Verdict => {
    judge(frame, { domain: separator, view })
    return { outcome: 'ignore', reason: 'duplicate' }
  }
  const admission: NetworkModules['admission'] = {
    admit,
    // biome-ignore lint/correctness/useYield: nothing is left to check
    *judging(frame) {
      return admit(frame)
    },
  }
  const network = await createNetwork(
    {
      domain,
      params,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: [...bootstrap, ...(options.bootstrap ?? [])],
      fanout: FANOUT,
      privateAddresses: true,
    },
    {
      privateKey: fromHex(options.privateKey),
      stakeView: view,
      admission,
      // It never signs by itself: frames are made by hand.
      statementSigner: { sign: () => Promise.reject(new TypeError('a bare peer has no signing guard')) },
      ...modules,
    },
  )
  const requests = network.requests('dht')
  await network.start()
  return {
    address: signer.address,
    pin,
    params,
    domain: separator,
    view,
    network,
    requests,
    sign: (digest) => signer.sign(digest),
    async close() {
      await network.stop()
      await view.close()
    },
  }
}
