import { KIND, type Statement } from '../../core/index.ts'
import { encodeFrame, encodeGossip, merkleRoot, statementDigest, topicHash } from '../../statements/index.ts'
import { type BarePeer, type BarePeerOptions, openBarePeer } from './bare-peer.ts'

/** Says whatever it is told to with a key, at positions nobody guards. */
export class Speaker {
  readonly peer: BarePeer
  readonly #topic: string
  readonly #indices = new Map<bigint, bigint>()

  private constructor(peer: BarePeer, topic: string) {
    this.peer = peer
    this.#topic = topic
  }

  static async open(options: BarePeerOptions, topic: string): Promise<Speaker> {
    const peer = await openBarePeer(options, () => undefined)
    peer.network.subscribe(topic, () => undefined)
    return new Speaker(peer, topic)
  }

  /** Peers that would hear it: connected is not enough, they must have said that they listen to the topic. */
  listeners(): number {
    return this.peer.network.stats().topics.find(({ topic }) => topic === this.#topic)?.subscribers ?? 0
  }

  /** Says one thing, as an honest node would. @returns to how many peers it went */
  say(text: string): Promise<number> {
    return this.#publish(this.#next(), text)
  }

  /** Says two things in one slot: the fault F1. */
  async sayTwice(first: string, second: string): Promise<number> {
    const position = this.#next()
    return (await this.#publish(position, first)) + (await this.#publish(position, second))
  }

  /** Says something at the first index past the limit: the fault F2. */
  sayBeyond(text: string): Promise<number> {
    return this.#publish((this.#epoch() << 32n) | BigInt(this.peer.params.gossipLimit), text)
  }

  close(): Promise<void> {
    return this.peer.close()
  }

  #epoch(): bigint {
    const head = this.peer.view.head()
    return BigInt(Math.floor((head?.timestamp ?? 0) / this.peer.params.epochSeconds))
  }

  #next(): bigint {
    const epoch = this.#epoch()
    // The upper half of an epoch's indices: an honest node that used the key a moment ago counted up from zero.
    const index = this.#indices.get(epoch) ?? BigInt(this.peer.params.gossipLimit >> 1)
    this.#indices.set(epoch, index + 1n)
    return (epoch << 32n) | index
  }

  async #publish(position: bigint, text: string): Promise<number> {
    const bodies = [encodeGossip({ topicHash: topicHash(this.#topic), payload: new Uint8Array(Buffer.from(text)) })]
    const statement: Statement = { kind: KIND.gossip, scope: new Uint8Array(32), position, content: merkleRoot(bodies) }
    const signature = this.peer.sign(statementDigest(this.peer.domain, statement))
    const frame = encodeFrame({ signer: this.peer.address, statement, signature }, bodies)
    return this.peer.network.publishFrame(this.#topic, frame)
  }
}
