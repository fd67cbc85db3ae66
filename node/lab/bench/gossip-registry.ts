import { randomBytes } from 'node:crypto'
import type {
  Clock,
  Domain,
  KeyTenure,
  Logger,
  Metrics,
  OffenceSink,
  ProtocolParams,
  Random,
  Signer,
  SigningGuard,
  Slot,
  SlotEntry,
  SlotIndex,
  StakeRow,
  StakeView,
  Timers,
} from '../../core/index.ts'
import { slotHash } from '../../statements/index.ts'

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

class MemorySlotIndex implements SlotIndex {
  readonly #entries = new Map<string, SlotEntry>()
  get = (slot: Slot) => this.#entries.get(slotHash(slot))
  put = (slot: Slot, entry: SlotEntry) => void this.#entries.set(slotHash(slot), entry)
  quarantine = () => {}
  isQuarantined = () => false
}

const clock: Clock = { nowMs: () => Date.now() }
const timers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }
const none = { inc() {}, set() {}, observe() {} }
const metrics: Metrics = { counter: () => none, gauge: () => none, histogram: () => none }
const logger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error: (message, fields) => console.error(message, fields),
  with: () => logger,
}

function memoryGuard(): Pick<SigningGuard, 'reserve' | 'remember' | 'signMesh'> {
  let index = 0
  return {
    reserve: async () =>
      (BigInt(Math.floor(Date.now() / 1000 / BENCH_PARAMS.epochSeconds)) << 32n) | BigInt(index++ % 65_536),
    remember() {},
    signMesh: () => Promise.reject(new Error('no mesh here')),
  }
}

/** What one node needs beside its key and the registry. */
export async function benchModules() {
  const offences: OffenceSink = { report: ({ faultId }) => console.error('offence in a benchmark', faultId) }
  return { guard: memoryGuard(), slotIndex: new MemorySlotIndex(), offences, clock, timers, random, metrics, logger }
}
