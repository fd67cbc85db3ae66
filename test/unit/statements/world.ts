import type {
  Address,
  Domain,
  KeyTenure,
  Kind,
  Metrics,
  Offence,
  ProtocolParams,
  SignedStatement,
  Signer,
  Slot,
  SlotEntry,
  SlotIndex,
  Statement,
} from '../../../node/core/index.ts'
import {
  Admission,
  type AdmissionModules,
  type AdmissionOptions,
  createSigner,
  DomainSeparator,
  encodeFrame,
  encodeGossip,
  merkleRoot,
  positionOf,
  slotHash,
  statementDigest,
  topicHash,
} from '../../../node/statements/index.ts'
import { bytes32 } from '../../vectors/generators/cast.ts'

export const DOMAIN: Domain = {
  chainId: 31_337n,
  verifyingContract: `0x${'5a'.repeat(20)}`,
  salt: `0x${'c3'.repeat(32)}`,
}
export const SEPARATOR = new DomainSeparator(DOMAIN)
export const PARAMS: ProtocolParams = {
  epochSeconds: 10,
  putLimit: 50,
  gossipLimit: 100,
  receiptLimit: 150,
  receiptLifeSeconds: 600,
  responseSeconds: 30,
  responseBlocks: 10,
  evidenceWindowSeconds: 600,
  skewSeconds: 10,
  unbondingSeconds: 1500,
  rewardWindowSeconds: 30,
  jailSeconds: 60,
  correlationSeconds: 1200,
  drawDelayBlocks: 2,
}
export const NOW_EPOCH = 1000
export const TOPIC = topicHash('a topic')
export const ZERO_32 = new Uint8Array(32)

export function signerOf(name: string): Signer {
  return createSigner(bytes32(`private key of ${name}`))
}

/** What was said, ready to be signed. */
export interface Saying {
  readonly kind?: Kind
  readonly scope?: Uint8Array
  readonly epoch?: number
  readonly index?: number
  readonly position?: bigint
  readonly bodies?: readonly Uint8Array[]
  readonly separator?: DomainSeparator
}

export interface Said {
  readonly signed: SignedStatement
  readonly digest: Uint8Array
  readonly bodies: readonly Uint8Array[]
  readonly frame: Uint8Array
}

export function gossip(...texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => encodeGossip({ topicHash: TOPIC, payload: new Uint8Array(Buffer.from(text)) }))
}

/** Signs without a guard, as a liar would. */
export function say(signer: Signer, saying: Saying = {}): Said {
  const {
    bodies = gossip('hello'),
    epoch = NOW_EPOCH,
    index = 0,
    kind = 2,
    scope = ZERO_32,
    separator = SEPARATOR,
  } = saying
  const position = saying.position ?? positionOf(epoch, index)
  const statement: Statement = { kind, scope, position, content: merkleRoot(bodies) }
  const digest = statementDigest(separator, statement)
  const signed = { signer: signer.address, statement, signature: signer.sign(digest) }
  return { signed, digest, bodies, frame: encodeFrame(signed, bodies) }
}

/** A slot index in memory, without bounds. */
export class PlainSlotIndex implements SlotIndex {
  readonly entries = new Map<string, SlotEntry>()
  readonly quarantined = new Set<Address>()

  get(slot: Slot): SlotEntry | undefined {
    return this.entries.get(slotHash(slot))
  }

  put(slot: Slot, entry: SlotEntry): void {
    if (this.get(slot) === undefined) this.entries.set(slotHash(slot), entry)
  }

  quarantine(signer: Address): void {
    this.quarantined.add(signer)
  }

  isQuarantined(signer: Address): boolean {
    return this.quarantined.has(signer)
  }
}

/** Counts what was counted, by name and labels. */
export class PlainMetrics implements Metrics {
  readonly counts = new Map<string, number>()

  counter(name: string) {
    const inc = (labels: Record<string, string> = {}, by = 1) => {
      const key = `${name} ${Object.values(labels).join(' ')}`
      this.counts.set(key, (this.counts.get(key) ?? 0) + by)
    }
    return { inc }
  }

  gauge() {
    return { set: () => undefined }
  }

  histogram() {
    return { observe: () => undefined }
  }
}

/** A node's admission with everything around it in plain sight. */
export class World {
  nowMs = NOW_EPOCH * PARAMS.epochSeconds * 1000
  readonly keys = new Map<Address, KeyTenure>()
  readonly silent = new Set<number>()
  readonly slotIndex = new PlainSlotIndex()
  readonly metrics = new PlainMetrics()
  readonly offences: Offence[] = []
  readonly modules: AdmissionModules
  readonly admission: Admission

  constructor(options: Partial<AdmissionOptions> = {}, modules: Partial<AdmissionModules> = {}) {
    this.modules = {
      stakeView: { key: (address) => this.keys.get(address), maySpeak: (stakeId) => !this.silent.has(stakeId) },
      slotIndex: this.slotIndex,
      clock: { nowMs: () => this.nowMs },
      offences: { report: (offence) => void this.offences.push(offence) },
      metrics: this.metrics,
      ...modules,
    }
    this.admission = new Admission({ domain: SEPARATOR, params: PARAMS, ...options }, this.modules)
  }

  /** Gives `signer` a stake. */
  enrol(signer: Signer, stakeId: number, tenure: Partial<KeyTenure> = {}): this {
    const { address, publicKey } = signer
    const untilEpoch = Number.POSITIVE_INFINITY
    this.keys.set(address, { address, publicKey, stakeId, fromEpoch: 0, untilEpoch, ...tenure })
    return this
  }

  /** "outcome reason" of a gossip frame on the topic. */
  gossip(frame: Uint8Array): string {
    const { outcome, reason } = this.admission.admit(frame, { kinds: [2], topicHash: TOPIC })
    return `${outcome} ${reason}`
  }

  /** "outcome reason" of a frame of any kind. */
  any(frame: Uint8Array): string {
    const { outcome, reason } = this.admission.admit(frame, { kinds: [1, 2, 3, 4, 5, 6, 7] })
    return `${outcome} ${reason}`
  }
}
