import {
  agreedOn,
  describeCoordinator,
  findDeployBlock,
  openRpc,
  parseRegistrySnapshot,
  RegistryReader,
  type RegistrySnapshot,
  resolveCoordinator,
  SnapshotView,
} from '../../chain/index.ts'
import {
  type Address,
  type Clock,
  EXIT,
  type Logger,
  type Metrics,
  SuprnovaError,
  type Timers,
} from '../../core/index.ts'
import { LOCAL_TABLE_LAG_SECONDS, TABLE_LAG_SECONDS } from '../../dht/index.ts'
import { epochAt } from '../../statements/index.ts'
import { LOCAL_CHAIN_IDS, PUBLIC_CONFIRMATIONS_BLOCKS } from '../constants.ts'

/** Where a reader learns who has stake. */
export interface LightSource {
  /** A snapshot, as `suprnova coordinator snapshot` writes it: JSON, read already. */
  readonly snapshot?: unknown
  /** Without one: the name of the coordinator, and RPCs in order of preference. */
  readonly coordinator?: string | undefined
  readonly rpcUrls?: readonly string[] | undefined
  readonly ensRegistry?: Address | undefined
}

export interface LightRegistryModules {
  readonly clock: Clock
  readonly timers: Timers
  readonly metrics: Metrics
  readonly logger: Logger
}

/** The registry of a reader, read whole from a snapshot or by RPC, and by RPC anew when replica tables have moved on. */
export class LightRegistry {
  readonly view: SnapshotView
  readonly source: 'snapshot' | 'rpc'
  readonly #reader: RegistryReader | undefined
  readonly #modules: LightRegistryModules
  #refreshing: Promise<boolean> | undefined

  private constructor(snapshot: RegistrySnapshot, reader: RegistryReader | undefined, modules: LightRegistryModules) {
    this.view = new SnapshotView(snapshot, { nowMs: () => modules.clock.nowMs() })
    this.source = reader === undefined ? 'snapshot' : 'rpc'
    this.#reader = reader
    this.#modules = modules
  }

  /** @throws SuprnovaError `LIGHT_NO_SOURCE`; ChainError `SNAPSHOT_INVALID` and others; EnsError; PinError `PIN_DISPUTED` */
  static async open(source: LightSource, modules: LightRegistryModules): Promise<LightRegistry> {
    if (source.snapshot !== undefined) {
      return new LightRegistry(parseRegistrySnapshot(source.snapshot), undefined, modules)
    }
    const { coordinator, ensRegistry, rpcUrls = [] } = source
    if (coordinator === undefined || rpcUrls.length === 0) {
      throw new SuprnovaError('LIGHT_NO_SOURCE', 'a reader must learn who has stake: from a snapshot, or by RPC', {
        exitCode: EXIT.usage,
        hint: 'give a snapshot, or a coordinator and at least one RPC URL',
      })
    }
    const rpc = openRpc({ urls: rpcUrls }, modules)
    const named = ensRegistry === undefined ? {} : { ensRegistry }
    const { bootstrap, coordinator: address, name } = await resolveCoordinator(rpc.client, coordinator, named)
    // What several RPCs do not say alike is not believed.
    const described = await agreedOn(rpc.sources(), (client) => describeCoordinator(client, address), modules.logger)
    if (rpcUrls.length > 1) await rpc.check(described)
    const isLocal = LOCAL_CHAIN_IDS.includes(described.chainId)
    const reader = new RegistryReader(rpc.client, {
      deployment: { ...described, name, deployBlock: await findDeployBlock(rpc.client, described.registry) },
      confirmationsBlocks: isLocal ? 0 : PUBLIC_CONFIRMATIONS_BLOCKS,
      lagSeconds: isLocal ? LOCAL_TABLE_LAG_SECONDS : TABLE_LAG_SECONDS,
      bootstrap,
    })
    const epoch = epochAt(modules.clock.nowMs() / 1000, described.params.epochSeconds)
    return new LightRegistry(await reader.read(epoch), reader, modules)
  }

  get isLocal(): boolean {
    return LOCAL_CHAIN_IDS.includes(this.view.snapshot.deployment.chainId)
  }

  /**
   * Reads the registry anew where that can be done and the epoch has moved past what is known. When the chain does not
   * answer, what is known goes on to be used.
   * @returns whether something new was read
   */
  refresh(epoch: number): Promise<boolean> {
    const reader = this.#reader
    if (reader === undefined || this.view.isExact(epoch)) return Promise.resolve(false)
    this.#refreshing ??= reader
      .read(epoch)
      .then(
        (snapshot) => {
          this.view.replace(snapshot)
          return true
        },
        (error: unknown) => {
          this.#modules.logger.warn('the registry cannot be read anew; the older one is used', { error })
          return false
        },
      )
      .finally(() => {
        this.#refreshing = undefined
      })
    return this.#refreshing
  }
}
