import { join } from 'node:path'
import { BaseError } from 'viem'
import {
  ChallengeDesk,
  explainChainError,
  openCourt,
  openReporter,
  openRpc,
  openStakeView,
  referenceTime,
} from '../chain/index.ts'
import type { Address, Clock, Domain, Hex, Logger, Offence, Random, StakeView, Timers } from '../core/index.ts'
import { Dht, LOCAL_TABLE_LAG_SECONDS, TABLE_LAG_SECONDS } from '../dht/index.ts'
import { createNetwork, type Network } from '../net/index.ts'
import { Admission, createSigner, DomainSeparator, StatementSigner } from '../statements/index.ts'
import {
  lockDataDirectory,
  machineEnvironment,
  openGuard,
  openSlotIndex,
  openStore,
  STORE_SPARE_BYTES,
  type Store,
} from '../store/index.ts'
import type { NodeConfig } from './config.ts'
import {
  LOCAL_CHAIN_IDS,
  LOCAL_POLL_MS,
  MAX_FEE_PER_GAS_WEI,
  PUBLIC_CONFIRMATIONS_BLOCKS,
  PUBLIC_POLL_MS,
  SOCKET_NAME,
  STALE_AFTER_MS,
} from './constants.ts'
import { bootstrapOf, pinOf } from './coordinator.ts'
import { EvidenceBook } from './evidence-book.ts'
import { EvidenceDesk } from './evidence-desk.ts'
import { FinalTime } from './final-time.ts'
import { takeFreshKey } from './fresh-key.ts'
import { HealthServer } from './http/health-server.ts'
import { LocalServer } from './http/local-server.ts'
import { createLogger } from './logger.ts'
import { MetricsRegistry } from './metrics.ts'
import { NameWatch } from './name-watch.ts'
import { SuprnovaNode } from './node.ts'
import { openKeys } from './node-keys.ts'
import { OpenParts } from './open-parts.ts'
import { requireNode } from './runtime.ts'
import { SlashWatch } from './slash-watch.ts'
import { systemClock, systemRandom, systemTimers } from './system.ts'
import { tableName } from './table-name.ts'

/** What a node takes from its machine; each may be replaced. */
export interface NodeModules {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  /** Where everything durable is kept. */
  readonly openStore: (directory: string) => Promise<Store>
}

/**
 * Opens a node: the one place where all rooms meet. Each part is opened after what it needs, and closed before it.
 * When a part fails to open, those before it are closed and the error is thrown.
 * @example
 *   const node = await createNode(parseNodeConfig({ dataDir, coordinator: 'current-reality.eth', rpcUrls, keystore }))
 *   await node.ended
 * @throws SuprnovaError as each room says it: config and keys (3), locked (4), chain (5)
 */
export async function createNode(config: NodeConfig, given: Partial<NodeModules> = {}): Promise<SuprnovaNode> {
  requireNode()
  const { clock = systemClock, timers = systemTimers, random = systemRandom } = given
  const write = (line: string) => void process.stderr.write(line)
  const logger = given.logger ?? createLogger({ level: config.logLevel }, { clock, write })
  const open = new OpenParts(logger)
  try {
    return await openNode(config, { clock, timers, random, logger, openStore: given.openStore ?? openStore }, open)
  } catch (error) {
    // The failure to open is what matters; that to close was logged.
    await open.close().catch(() => undefined)
    throw error instanceof BaseError ? explainChainError(error) : error
  }
}

async function openNode(config: NodeConfig, modules: NodeModules, open: OpenParts): Promise<SuprnovaNode> {
  const { clock, timers, random, logger } = modules
  const startedAtMs = clock.nowMs()
  const metrics = new MetricsRegistry()
  const { dataDir, runtimeDirectory } = config
  const runtime = runtimeDirectory === undefined ? {} : { runtimeDirectory }

  // 1. What nobody else may hold: the node key and the data directory.
  const { nodeKey, gasKey } = await openKeys(config)
  const signer = createSigner(nodeKey)
  const key = signer.address
  open.add('lock', await lockDataDirectory(dataDir, { address: key }, runtime), (lock) => lock.release())
  const store = open.add('store', await modules.openStore(join(dataDir, 'store')), (opened) => opened.close())

  // 2. The chain: which coordinator, which numbers, which stakes.
  const rpc = openRpc({ urls: config.rpcUrls }, { clock, timers, logger, metrics })
  const { client } = rpc
  const pin = await pinOf(config, { client, sources: rpc.sources(), logger })
  if (config.rpcUrls.length > 1) await rpc.check(pin)
  // The pinned ones: an RPC that tells larger limits at a later start must not make the guard overrun.
  const { params } = pin
  const isLocal = LOCAL_CHAIN_IDS.includes(pin.chainId)
  const view = open.add(
    'stake view',
    await openStakeView(
      {
        chainId: pin.chainId,
        genesisHash: pin.genesisHash,
        registry: pin.registry,
        salt: pin.salt,
        fromBlock: pin.deployBlock,
        confirmationsBlocks: config.confirmations ?? (isLocal ? 0 : PUBLIC_CONFIRMATIONS_BLOCKS),
        pollMs: isLocal ? LOCAL_POLL_MS : PUBLIC_POLL_MS,
        retainSeconds: params.unbondingSeconds,
        skewSeconds: params.skewSeconds,
        staleAfterMs: STALE_AFTER_MS,
        snapshotFile: join(dataDir, 'stakes.snapshot'),
      },
      { client, clock, timers, logger, metrics },
    ),
    (opened) => opened.close(),
  )

  // 3. The guard: the only way to a signature. Its reference is the chain or, when that is silent, the connected stakes.
  let network: Network | undefined
  let dht: Dht | undefined
  const peerSeconds = () => network?.peerTimes().map((ms) => ms / 1000) ?? []
  const referenceSeconds = () => referenceTime(view.head(), peerSeconds(), clock.nowMs(), params.skewSeconds)
  const domain: Domain = { chainId: pin.chainId, verifyingContract: pin.registry, salt: pin.salt }
  const separator = new DomainSeparator(domain)
  const tableOf = (name: string) => store.table(tableName(name, separator))
  const guard = open.add(
    'guard',
    await openGuard(
      { address: key, domain, rules: params, fresh: await takeFreshKey(dataDir, key) },
      {
        table: store.table('guard'),
        environment: machineEnvironment(
          { dataDirectory: dataDir, address: key, domain },
          { clock, reference: referenceSeconds, ...runtime },
        ),
        metrics,
        logger,
      },
    ),
    (opened) => opened.close(),
  )
  const slotIndex = open.add('slot index', openSlotIndex({}, { table: tableOf('slots'), metrics, logger }), (opened) =>
    opened.close(),
  )

  // 4. Evidence: remembered, brought to court, and told to others once our commit is mined.
  const book = open.add('evidence', new EvidenceBook({ domain }, { table: tableOf('evidence') }), (opened) =>
    opened.close(),
  )
  const reporter =
    gasKey === undefined
      ? undefined
      : open.add(
          'reporter',
          openReporter(
            {
              ...beneficiaryOf(config, view, key),
              rewardWindowSeconds: params.rewardWindowSeconds,
              maxFeePerGasWei: MAX_FEE_PER_GAS_WEI,
            },
            {
              court: openCourt(client, pin, gasKey),
              table: tableOf('reporter'),
              stakeView: view,
              random,
              logger,
              metrics,
            },
          ),
          (opened) => opened.close(),
        )
  const tell = (offence: Offence) => {
    network?.publishEvidence(offence).catch((error: unknown) => logger.warn('evidence could not be told', { error }))
  }
  const desk = new EvidenceDesk({ key, domain: separator }, { book, slotIndex, guard, reporter, tell, logger })
  reporter?.onEvent((event) => {
    if (event.type === 'finished') return book.note(event.faultId, event.outcome)
    book.note(event.faultId, event.type)
    const offence = book.get(event.faultId)
    if (event.type === 'committed' && offence !== undefined) tell(offence)
  })

  // 5. The network.
  const own = { address: key, publicKey: signer.publicKey, guard }
  const admission = new Admission(
    { domain: separator, params },
    { stakeView: view, slotIndex, clock, offences: desk, metrics, own },
  )
  const statementSigner = new StatementSigner({ guard, signer, domain: separator })
  // What it asks of others ends when the network does.
  const challenges = open.add(
    'challenges',
    new ChallengeDesk(
      {
        availability: pin.availability,
        deployBlock: pin.deployBlock,
        responseSeconds: params.responseSeconds,
        responseBlocks: params.responseBlocks,
        maxFeePerGasWei: MAX_FEE_PER_GAS_WEI,
        separator,
        account: gasKey === undefined ? undefined : lower(gasKey.address),
        answers: config.answers,
      },
      { client, ownStakeId: () => view.key(key)?.stakeId, metrics, logger },
    ),
    (opened) => opened.idle(),
  )
  network = open.add(
    'network',
    await createNetwork(
      {
        domain,
        params,
        listen: config.listen,
        bootstrap: await bootstrapOf(config, { client, logger }),
        fanout: config.fanout,
        privateAddresses: isLocal,
      },
      {
        ...{ privateKey: nodeKey, stakeView: view, admission, statementSigner, clock, timers, random, metrics, logger },
        findAddresses: async (address) => {
          const stakeId = view.key(address)?.stakeId
          return stakeId === undefined ? [] : ((await dht?.addresses.find(stakeId)) ?? [])
        },
      },
    ),
    (opened) => opened.stop(),
  )
  network.onEvidence((offence) => desk.report(offence))

  // 6. Records: what was promised before is served as soon as peers can ask.
  const finalTime = open.add('final time', new FinalTime({ isLocal }, { client, view, timers, logger }), (opened) =>
    opened.close(),
  )
  const dhtLagSeconds = isLocal ? LOCAL_TABLE_LAG_SECONDS : TABLE_LAG_SECONDS
  dht = open.add(
    'dht',
    await Dht.open(
      {
        ...{ params, domain, ownAddress: key, maxBytes: config.maxRecordBytes },
        lagSeconds: dhtLagSeconds,
      },
      {
        ...{ transport: network.requests('dht'), stakeView: view, admission, statementSigner },
        tables: {
          records: tableOf('records'),
          floors: tableOf('floors'),
          receipts: tableOf('receipts'),
          places: tableOf('places'),
          kept: tableOf('kept'),
        },
        challenges,
        finalSeconds: () => finalTime.seconds(),
        ownAddresses: () => network?.toldAddresses() ?? [],
        hasRoom: () => hasRoomForRecords(store.stats()),
        ...{ clock, timers, random, metrics, logger },
      },
    ),
    (opened) => opened.stop(),
  )
  challenges.use(dht)
  reporter?.runErrands(() => challenges.errands())
  await network.start()
  dht.start()
  desk.resume()
  for (const topic of config.topics) network.subscribe(topic, () => undefined)

  // 7. What watches, and what people and programs ask.
  const fromBlock = view.head()?.number ?? 0n
  const onSlash = ({ faultId }: { faultId: Hex }) => book.note(faultId, 'slashed')
  const slashes = open.add(
    'slash watch',
    new SlashWatch({ registry: pin.registry, fromBlock }, { client, logger, onSlash }),
    (opened) => opened.close(),
  )
  const { coordinator, ensRegistry } = config
  const name = open.add(
    'name watch',
    new NameWatch({ pin, coordinator, ensRegistry }, { client, timers, logger }),
    (opened) => opened.close(),
  )
  const node = new SuprnovaNode({
    ...{
      key,
      dataDir,
      startedAtMs,
      pin,
      params,
      view,
      guard,
      network,
      dht,
      dhtLagSeconds,
      challenges,
      book,
      metrics,
      client,
      reporter,
      clock,
      logger,
      open,
    },
    gasAddress: gasKey === undefined ? undefined : lower(gasKey.address),
    slashes: () => slashes.slashes(),
    nameDiffers: () => name.differs,
    referenceSeconds,
  })
  const stopWatching = [
    view.onHead((head) => slashes.onHead(head)),
    view.onHead((head) => void challenges.look(head)),
    view.onChange(() => node.considerStanding()),
  ]
  open.add('watching', stopWatching, (stops) => {
    for (const stop of stops) stop()
  })
  name.start()
  if (config.http !== undefined) {
    const health = open.add('health', new HealthServer(config.http, { api: node }), (opened) => opened.close())
    logger.info('health is served', { host: config.http.host, port: await health.start() })
  }
  const local = new LocalServer({ socketPath: join(dataDir, SOCKET_NAME) }, { api: node, timers, logger })
  await open.add('local api', local, (opened) => opened.close()).start()
  node.begin()
  logger.info('node runs', {
    key,
    peerId: network.peerId,
    multiaddrs: network.multiaddrs(),
    coordinator: pin.coordinator,
  })
  return node
}

/**
 * Records leave the rest of a store, and of its disk, to what a node must write whatever comes: the marks of its guard,
 * receipts it was given, evidence. A node without room for those could not even start again to serve what it promised.
 */
function hasRoomForRecords({ freeBytes, maxBytes, usedBytes }: ReturnType<Store['stats']>): boolean {
  return freeBytes >= 2 * STORE_SPARE_BYTES && usedBytes < maxBytes - 2 * STORE_SPARE_BYTES
}

/** Who is paid: as configured, else the stake's operator. A key without a stake leaves it to the gas key's account. */
function beneficiaryOf(config: NodeConfig, view: StakeView, key: Address): { readonly beneficiary?: Address } {
  const stakeId = view.key(key)?.stakeId
  const beneficiary = config.beneficiary ?? (stakeId === undefined ? undefined : view.stake(stakeId)?.operator)
  return beneficiary === undefined ? {} : { beneficiary }
}

function lower(address: string): Address {
  return address.toLowerCase() as Address
}
