import { FAULT } from '../../core/index.ts'

const EGI_WEI = 10n ** 18n

export const DEFAULT_ENS_NAME = 'current-reality.eth'
export const DEFAULT_SUPPLY_WEI = 1_000_000_000n * EGI_WEI
export const DEFAULT_MIN_STAKE_WEI = 1_000n * EGI_WEI
/** Time between what the owner announces and what it may then do, on public chains. */
export const DEFAULT_TIMELOCK_SECONDS = 172_800
/** On local chains the faucet holds this share of the supply and gives this much a call. */
export const FAUCET_SUPPLY_DIVISOR = 2n
export const FAUCET_MAX_PER_CALL_WEI = 1_000_000n * EGI_WEI

/** Local chains: a faucet, no delay for the owner, an ENS of their own. */
export const LOCAL_CHAIN_IDS: readonly number[] = [31_337, 1_337]

/** The reporter's share of what is slashed. */
export const REWARD_BPS = 1_000

/** What the court judges, and what each fault costs. */
export const FAULT_RULES = [
  { faultType: FAULT.equivocation, verifier: 'equivocation', penaltyBps: 500, tombstones: true },
  { faultType: FAULT.overrun, verifier: 'overrun', penaltyBps: 100, tombstones: false },
  { faultType: FAULT.unavailability, verifier: 'unavailability', penaltyBps: 1_000, tombstones: false },
] as const

/** Blocks looked at to see whether the RANDAO mix varies. */
export const RANDAO_SAMPLE_BLOCKS = 16
export const RECEIPT_TIMEOUT_MS = 180_000
