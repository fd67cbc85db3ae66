import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MetricsRegistry, systemTimers } from '../../api/index.ts'
import type {
  Address,
  Clock,
  Domain,
  KeyTenure,
  Logger,
  OffenceSink,
  ProtocolParams,
  Random,
  Signer,
  StakeRow,
  StakeView,
} from '../../core/index.ts'
import { machineEnvironment, openGuard, openSlotIndex, openStore } from '../../store/index.ts'

export const BENCH_DOMAIN: Domain = {
  chainId: 31_337n,
  verifyingContract: `0x${'11'.repeat(20)}`,
  salt: `0x${'22'.repeat(32)}`,
}

/** A public deployment's numbers. */
export const BENCH_PARAMS: ProtocolParams = {
  epochSeconds: 60,
  putLimit: 65_536,
  gossipLimit: 65_536,
  receiptLimit: 65_536,
  receiptLifeSeconds: 604_800,
  responseSeconds: 86_400,
  responseBlocks: 10,
  evidenceWindowSeconds: 604_800,
  skewSeconds: 60,
  unbondingSeconds: 1_814_400,
  rewardWindowSeconds: 86_400,
  jailSeconds: 86_400,
  correlationSeconds: 1_209_600,
  drawDelayBlocks: 160,
}

/** A registry in which each signer has an active stake. */
export function registryOf(signers: readonly Signer[]): StakeView {
  const keys = new Map<string, KeyTenure>()
  const rows = new Map<number, StakeRow>()
  signers.forEach(({ address, publicKey }, i) => {
    const stakeId = i + 1
    keys.set(address, { address, stakeId, publicKey, fromEpoch: 0, untilEpoch: Number.POSITIVE_INFINITY })
    rows.set(stakeId, {
      stakeId,
      operator: address,
      status: 'active',
      amountWei: 10n ** 21n,
      placement: undefined,
      jailedUntil: 0,
      tombstoned: false,
      readyAt: 0,
    })
  })
  return {
    head: () => undefined,
    key: (address) => keys.get(address),
    stake: (stakeId) => rows.get(stakeId),
    maySpeak: (stakeId) => rows.has(stakeId),
    speakers: () => rows.values(),
    keyAt: (stakeId) => [...keys.values()].find((key) => key.stakeId === stakeId),
    onChange: () => () => {},
  }
}

const clock: Clock = { nowMs: () => Date.now() }
const timers = systemTimers
const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }
const logger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error: (message, fields) => console.error(message, fields),
  with: () => logger,
}

export interface BenchNodeOptions {
  /** On a file system in memory, to show what flushing costs. */
  readonly inMemory?: boolean
  /** One that stays, and is gone on with; made for this node and removed with it otherwise. */
  readonly directory?: string
}

/** What one node needs beside its key and the registry: a guard and a slot index on disk, as a node runs them. */
export async function openBenchNode(address: Address, options: BenchNodeOptions = {}) {
  const parent = options.inMemory === true ? '/dev/shm' : tmpdir()
  const directory = options.directory ?? (await mkdtemp(join(parent, 'suprnova-bench-')))
  const fresh = !existsSync(join(directory, 'store'))
  const store = await openStore(join(directory, 'store'))
  const metrics = new MetricsRegistry()
  const guard = await openGuard(
    { address, domain: BENCH_DOMAIN, rules: BENCH_PARAMS, fresh },
    {
      table: store.table('guard'),
      environment: machineEnvironment(
        { dataDirectory: directory, address, domain: BENCH_DOMAIN },
        { clock, reference: () => Date.now() / 1000, runtimeDirectory: join(directory, 'mirror') },
      ),
      metrics,
    },
  )
  const slotIndex = openSlotIndex({}, { table: store.table('slots'), metrics })
  const offences: OffenceSink = { report: ({ faultId }) => console.error('offence in a benchmark', faultId) }
  return {
    /** For records, and for what a client keeps. */
    tables: {
      records: store.table('records'),
      floors: store.table('floors'),
      receipts: store.table('receipts'),
      places: store.table('places'),
      kept: store.table('kept'),
    },
    modules: { guard, slotIndex, offences, clock, timers, random, metrics, logger },
    async close() {
      await guard.close()
      await slotIndex.close()
      await store.close()
      if (options.directory === undefined) await rm(directory, { recursive: true })
    },
  }
}
