import { EXIT, KIND, type Logger } from '../../core/index.ts'
import {
  type Admission,
  encodeGossip,
  type GossipBody,
  type Judging,
  type SignatureCheck,
  type StatementSigner,
  topicHash,
  type Verdict,
} from '../../statements/index.ts'
import { BATCH_MAX_BODIES, FRAME_MAX_BYTES, PAYLOAD_MAX_BYTES, TOPICS_MAX } from '../constants.ts'
import { badPayload, TopicError } from '../errors.ts'
import type { GossipHandler } from '../interface.ts'
import type { NetMetrics } from '../metrics.ts'
import type { Checked, GossipRouter, Outcome } from './router.ts'
import type { SignaturePool } from './signature-pool.ts'
import type { TopicNames } from './topics.ts'

/** Messages a second expected on a topic when its subscriber does not say. */
const DEFAULT_MESSAGES_PER_SECOND = 10

type Accepted = Extract<Verdict, { outcome: 'accept' }>

interface OpenTopic {
  readonly topic: string
  readonly hash: Uint8Array
  readonly handlers: Set<GossipHandler>
}

export interface GossipModules {
  readonly router: GossipRouter
  readonly names: TopicNames
  readonly admission: Pick<Admission, 'admit' | 'judging'>
  readonly signaturePool?: SignaturePool
  readonly signer: Pick<StatementSigner, 'sign'>
  readonly metrics: NetMetrics
  readonly logger: Logger
}

/** Topics, their subscribers, and statements in and out. */
export class Gossip {
  readonly #modules: GossipModules
  /** By wire name, at most {@link TOPICS_MAX}. */
  readonly #topics = new Map<string, OpenTopic>()
  readonly #received: Record<Outcome, number> = { accept: 0, reject: 0, ignore: 0 }
  /** Reasons are few and constant. */
  readonly #refusals = new Map<string, number>()
  #published = 0
  #delivered = 0
  /** What of the counts stands in the metrics already: a labelled counter costs more than a message's other counting. */
  readonly #measured: Record<Outcome | 'delivered', number> = { accept: 0, reject: 0, ignore: 0, delivered: 0 }

  constructor(modules: GossipModules) {
    this.#modules = modules
  }

  /** Topics open. */
  get size(): number {
    return this.#topics.size
  }

  counts() {
    return {
      received: { ...this.#received },
      refusals: Object.fromEntries(this.#refusals),
      published: this.#published,
      delivered: this.#delivered,
    }
  }

  /** Brings the metrics up to date. */
  measure(): void {
    const { verdicts, delivered } = this.#modules.metrics
    for (const outcome of ['accept', 'reject', 'ignore'] as const) {
      verdicts.inc({ outcome }, this.#received[outcome] - this.#measured[outcome])
      this.#measured[outcome] = this.#received[outcome]
    }
    delivered.inc({}, this.#delivered - this.#measured.delivered)
    this.#measured.delivered = this.#delivered
  }

  topics(): { readonly topic: string; readonly wireName: string }[] {
    return [...this.#topics].map(([wireName, { topic }]) => ({ topic, wireName }))
  }

  subscribe(topic: string, handler: GossipHandler, messagesPerSecond = DEFAULT_MESSAGES_PER_SECOND): () => void {
    const { names, router, metrics } = this.#modules
    const wireName = names.wireName(topic)
    let open = this.#topics.get(wireName)
    if (open === undefined) {
      if (this.#topics.size >= TOPICS_MAX) throw tooManyTopics(topic)
      open = { topic, hash: topicHash(topic), handlers: new Set() }
      this.#topics.set(wireName, open)
      router.open(wireName, messagesPerSecond)
      metrics.entries.set(this.#topics.size, { name: 'topics' })
    }
    const { handlers } = open
    // one handler given twice is two subscriptions
    const subscription: GossipHandler = (message) => handler(message)
    handlers.add(subscription)
    return () => {
      if (!handlers.delete(subscription) || handlers.size > 0) return
      this.#topics.delete(wireName)
      router.close(wireName)
      metrics.entries.set(this.#topics.size, { name: 'topics' })
    }
  }

  /** Signs `payloads` under one statement: form 0 for one, form 1 for more. */
  async publish(topic: string, payloads: readonly Uint8Array[]): Promise<number> {
    const { names, signer } = this.#modules
    names.wireName(topic)
    if (payloads.length === 0 || payloads.length > BATCH_MAX_BODIES) {
      throw badPayload('bodies in a batch', payloads.length, BATCH_MAX_BODIES)
    }
    const large = payloads.find((payload) => payload.length > PAYLOAD_MAX_BYTES)
    if (large !== undefined) throw badPayload('payload bytes', large.length, PAYLOAD_MAX_BYTES)
    const hash = topicHash(topic)
    const bodies = payloads.map((payload) => encodeGossip({ topicHash: hash, payload }))
    const { frame } = await signer.sign(KIND.gossip, bodies)
    return this.publishFrame(topic, frame)
  }

  async publishFrame(topic: string, frame: Uint8Array): Promise<number> {
    const { names, router, metrics } = this.#modules
    if (frame.length > FRAME_MAX_BYTES) throw badPayload('frame bytes', frame.length, FRAME_MAX_BYTES)
    this.#published++
    metrics.published.inc()
    return router.publish(names.wireName(topic), frame)
  }

  /** The validation of every topic but that of evidence. */
  check(wireTopic: string, data: Uint8Array): Checked | Promise<Checked> {
    const open = this.#topics.get(wireTopic)
    // a message that was under way while its last subscriber left
    if (open === undefined) return this.#counted({ outcome: 'ignore', reason: 'topic-closed' })
    const { admission, signaturePool } = this.#modules
    const context = { kinds: [KIND.gossip], topicHash: open.hash }
    if (signaturePool === undefined) return this.#concluded(open, admission.admit(data, context))
    const judging = admission.judging(data, context)
    const step = judging.next()
    if (step.done) return this.#concluded(open, step.value)
    return this.#judgeLater(open, judging, step.value, signaturePool)
  }

  async #judgeLater(open: OpenTopic, judging: Judging, first: SignatureCheck, pool: SignaturePool): Promise<Checked> {
    let step = judging.next(await pool.check(first))
    while (!step.done) step = judging.next(await pool.check(step.value))
    return this.#concluded(open, step.value)
  }

  #concluded(open: OpenTopic, verdict: Verdict): Checked {
    const checked = this.#counted(verdict)
    return verdict.outcome === 'accept' ? { ...checked, deliver: () => this.#deliver(open, verdict) } : checked
  }

  #counted({ outcome, reason }: { readonly outcome: Outcome; readonly reason: string }): Checked {
    this.#received[outcome]++
    if (outcome !== 'accept') {
      this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
      this.#modules.metrics.refusals.inc({ reason })
    }
    return { outcome }
  }

  #deliver({ topic, handlers }: OpenTopic, { signed, bodies }: Accepted): void {
    const { metrics, logger } = this.#modules
    for (const { leaf, body } of bodies) {
      const { payload } = body as GossipBody
      const message = { topic, payload, signer: signed.signer, position: signed.statement.position, leaf }
      this.#delivered++
      for (const handler of handlers) {
        try {
          handler(message)
        } catch (error) {
          metrics.handlerErrors.inc()
          logger.error('a subscriber threw', { topic, error: String(error) })
        }
      }
    }
  }
}

const tooManyTopics = (topic: string) =>
  new TopicError('NET_TOO_MANY_TOPICS', `${TOPICS_MAX} topics are open already, cannot open ${JSON.stringify(topic)}`, {
    exitCode: EXIT.usage,
    hint: 'end a subscription first, or put several kinds of message on one topic',
    values: { topic, limit: TOPICS_MAX },
  })
