import type { NodeStatus } from '../api/index.ts'
import type { Address, Hex } from '../core/index.ts'

/**
 * Who plays in a scenario. Honest nodes run the real program; a liar, copier or outsider runs a program of the lab.
 * An outsider is a key that may not speak.
 */
export type Role = 'honest' | 'liar' | 'copier' | 'outsider'

/** What a scenario writes down while it plays: all that its verdict may look at. JSON throughout; amounts are wei in decimal. */
export type TranscriptEvent =
  | {
      readonly type: 'network'
      readonly chainId: number
      readonly registry: Address
      readonly court: Address
      readonly gossipLimit: number
      readonly penaltyBps: {
        readonly equivocation: number
        readonly overrun: number
        readonly unavailability: number
      }
      readonly rewardBps: number
    }
  | {
      readonly type: 'actor'
      readonly name: string
      readonly role: Role
      readonly key: Address
      /** `null` for a key without a stake. */
      readonly stakeId: number | null
      /** Where its rewards would go, and what pays its transactions. */
      readonly accounts: readonly Address[]
    }
  /** A valid statement as the observer saw it on the wire, before anybody judged it, or as a node's evidence shows it. */
  | {
      readonly type: 'statement'
      readonly signer: Address
      readonly kind: number
      readonly scope: Hex
      readonly position: string
      readonly content: Hex
    }
  /** Somebody tried to say something. `sent` counts the peers its frame went to. */
  | {
      readonly type: 'said'
      readonly actor: string
      readonly text: string
      readonly sent: number
      readonly phase: string
    }
  /** Somebody asked a node to speak and it refused. */
  | { readonly type: 'refused'; readonly actor: string; readonly reason: string; readonly phase: string }
  /** A node handed a message to its subscriber. */
  | { readonly type: 'heard'; readonly actor: string; readonly signer: Address; readonly text: string }
  | {
      readonly type: 'transaction'
      readonly actor: string
      readonly call: string
      readonly hash: Hex
      readonly blockNumber: number
      readonly index: number
      readonly succeeded: boolean
    }
  /** An event of the registry or the court. */
  | {
      readonly type: 'log'
      readonly name: string
      readonly blockNumber: number
      readonly args: Readonly<Record<string, string | boolean>>
    }
  | {
      readonly type: 'money'
      readonly actor: string
      readonly when: 'before' | 'after'
      readonly bondWei: string
      readonly creditsWei: string
    }
  | { readonly type: 'status'; readonly actor: string; readonly phase: string; readonly status: NodeStatus }
  | {
      readonly type: 'process'
      readonly actor: string
      readonly event: 'started' | 'killed' | 'ended'
      readonly phase: string
    }

  /** A record was acknowledged: enough receipts came. `sum` is the SHA-256 of its value. */
  | {
      readonly type: 'stored'
      readonly actor: string
      readonly key: string
      readonly sum: string
      /** Who gave a receipt. */
      readonly stakes: readonly number[]
      readonly degraded: boolean
      readonly phase: string
    }
  | {
      readonly type: 'not-stored'
      readonly actor: string
      readonly key: string
      readonly sum: string
      readonly code: string
      readonly phase: string
    }
  /** What a read gave: `sum` is `null` when there was nothing. */
  | {
      readonly type: 'read'
      readonly actor: string
      readonly owner: string
      readonly key: string
      readonly sum: string | null
      readonly quorum: boolean
      /** The error's code, when it ended with one. */
      readonly code: string | null
      readonly phase: string
    }
  /** Somebody challenged a receipt of a stake. */
  | {
      readonly type: 'challenged'
      readonly actor: string
      readonly stakeId: number
      readonly challengeId: Hex
      readonly phase: string
    }
  /** A number that a story measured. */
  | { readonly type: 'measured'; readonly name: string; readonly value: number; readonly phase: string }

/** One event and when it was written down, in milliseconds since the scenario began. */
export type TranscriptLine = TranscriptEvent & { readonly atMs: number }

export type Transcript = readonly TranscriptLine[]

/** All events of one type, in order. */
export function eventsOf<Type extends TranscriptEvent['type']>(
  transcript: Transcript,
  type: Type,
): (Extract<TranscriptEvent, { type: Type }> & { readonly atMs: number })[] {
  return transcript.filter((line) => line.type === type) as never
}

/** All chain events of one name, in order. */
export function logsOf(transcript: Transcript, name: string) {
  return eventsOf(transcript, 'log').filter((log) => log.name === name)
}

/** The actors of one role. */
export function actorsOf(transcript: Transcript, role: Role) {
  return eventsOf(transcript, 'actor').filter((actor) => actor.role === role)
}
