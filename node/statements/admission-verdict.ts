import type { Kind, SignedStatement } from '../core/index.ts'
import type { BodyOf } from './bodies/index.ts'

/** What the place a frame came from may carry. */
export interface AdmissionContext {
  readonly kinds: readonly Kind[]
  /** The keccak of the topic it came on: every GOSSIP body must name it. */
  readonly topicHash?: Uint8Array
  /**
   * What a statement that was seen before is worth: nothing to gossip (`ignore`, the default), as much as a new one to
   * whoever reads records or is asked for the same again (`accept`; this node's own statements too). It is then not
   * verified twice, and `bodies` are all that the frame carries.
   */
  readonly repeats?: 'ignore' | 'accept'
  /** Epochs behind the current one that are taken here, in place of the option of that name. */
  readonly pastEpochs?: number
}

/** A verified body: packed, and taken apart. */
export interface AdmittedBody<K extends Kind = Kind> {
  readonly leaf: number
  readonly bytes: Uint8Array
  readonly body: BodyOf[K]
}

/** Invalid in itself: whoever passed it on did not check it. */
export type RejectReason = 'size' | 'undecodable' | 'void' | 'topic' | 'overrun' | 'signature' | 'path'
/** Of no use here, and its sender may be innocent. */
export type IgnoreReason =
  | 'window' // an epoch too old or past the next one
  | 'quarantined' // a known liar
  | 'unknown' // no stake's key
  | 'inactive' // a stake that may not speak now
  | 'tenure' // not its stake's key in that epoch, or retired too long
  | 'duplicate'
  | 'conflict' // a second content in the slot, verified: an offence
  | 'budget' // a second content in the slot, not verified
  | 'own' // a statement of this node's own key

export type Verdict =
  | {
      readonly outcome: 'accept'
      /** `known`: seen before, and taken where repeats are. */
      readonly reason: 'new' | 'known'
      readonly signed: SignedStatement
      /** 32 bytes. */
      readonly digest: Uint8Array
      readonly stakeId: number
      /** Only those not accepted before. Views of the frame: copy what is kept. */
      readonly bodies: readonly AdmittedBody[]
    }
  | { readonly outcome: 'reject'; readonly reason: RejectReason }
  | { readonly outcome: 'ignore'; readonly reason: IgnoreReason }

/** A signature that must be checked before its frame can be judged further. */
export interface SignatureCheck {
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array
  readonly digest: Uint8Array
  readonly signature: Uint8Array
}

/** A frame being judged: yields what to check, is told whether it holds, returns the verdict. */
export type Judging = Generator<SignatureCheck, Verdict, boolean>
