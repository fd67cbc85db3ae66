import type { Address, Domain, GuardRefusal, Logger, MeteredKind, Metrics, SigningGuard } from '../../core/index.ts'
import type { ConditionalTable } from '../conditional-table.ts'
import type { GuardEnvironment } from './environment.ts'
import type { GuardRules } from './guard-state.ts'
import type { Interchange, InterchangeSummary } from './interchange.ts'

export interface GuardOptions {
  /** The node key that signs. */
  readonly address: Address
  readonly domain: Domain
  readonly rules: GuardRules
  /** True only when this key was made just now and has signed nothing, anywhere: it need not wait. */
  readonly fresh?: boolean
}

export interface GuardModules {
  /** Writes must be durable when they resolve. */
  readonly table: ConditionalTable
  readonly environment: GuardEnvironment
  readonly metrics?: Metrics
  readonly logger?: Logger
}

/** What an operator is told about a guard. */
export interface GuardStatus {
  readonly address: Address
  readonly phase: 'signing' | 'waiting' | 'lost'
  readonly refusal: GuardRefusal | undefined
  readonly meshSilent: boolean
  readonly meshUnheard: boolean
  /** Durable ends of the newest epoch by kind. */
  readonly marks: readonly { readonly kind: MeteredKind; readonly epoch: number; readonly end: number }[]
}

/** The signing guard of one key, and what its operator may do with it. */
export interface OpenGuard extends SigningGuard {
  status(): GuardStatus
  /** Everything this guard has signed, as a file another one can take over. */
  exportInterchange(): Interchange
  /**
   * Merges marks upward; nothing is ever forgotten by it.
   * @throws SuprnovaError `INTERCHANGE_INVALID` naming the field, `INTERCHANGE_CONFLICT`
   */
  importInterchange(file: unknown): Promise<InterchangeSummary>
  /**
   * The operator's word that no other copy of this key runs and that this guard may not know all it signed:
   * meshes stay silent for ever, metered kinds wait two full epochs from now.
   */
  declareLost(): Promise<void>
  /** The mesh has heard this key's newest votes in `scope` from more than 2/3 of the weight, all by `observeOwn`. */
  heardOwnVotes(scope: Uint8Array): void
  /** While draining nothing new is signed; what was signed in meshes may still be sent again. */
  drain(draining: boolean): void
  /** Ends the guard; resolves when nothing of it is being written. Refuses with `closed` afterwards. */
  close(): Promise<void>
}
