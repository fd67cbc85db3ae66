import { systemRandom } from '../../api/index.ts'
import { type Address, fromHex, KIND } from '../../core/index.ts'
import { encodeFetch, encodeStore } from '../../dht/index.ts'
import { chunkRoot, encodeFrame, encodePut, KEY_TYPE, merkleRoot, statementDigest } from '../../statements/index.ts'
import { type BarePeer, openBarePeer } from './bare-peer.ts'
import type { Flooded, FlooderOptions, FloodOrder } from './flooder-process.ts'

/** Requests whose answers are waited for. */
const WINDOW = 512
/** Long enough for an answer of a busy node, short enough that silence does not stop the flood. */
const TIMEOUT_MS = 1_000
/** Bytes of a forged record. */
const VALUE_BYTES = 512
/** Different requests made beforehand, so that making them costs the flooder nothing. */
const PREPARED = 256

/** A peer that asks one node as fast as it can. Nothing it sends can be proved against it. */
export class Flooder {
  readonly #peer: BarePeer

  private constructor(peer: BarePeer) {
    this.#peer = peer
  }

  static async open({ drops, ...options }: FlooderOptions): Promise<Flooder> {
    const peer = await openBarePeer(options, () => undefined)
    // Whoever drops says so at once: an asker that waited would flood less.
    if (drops) peer.requests.serve(() => new Uint8Array())
    return new Flooder(peer)
  }

  /** Floods for a bounded time with a bounded number of requests. */
  async flood({ as, kind, requests, seconds, to }: Omit<FloodOrder, 'id'>): Promise<Flooded> {
    const prepared = Array.from({ length: PREPARED }, () => (kind === 'fetch' ? fetchRequest() : this.#forged(as)))
    const counts = { answered: 0, refused: 0, lost: 0 }
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    let sent = 0
    const ask = async () => {
      while (sent < requests && performance.now() - startedAt < seconds * 1_000) {
        const request = prepared[sent++ % PREPARED] as Uint8Array
        try {
          await this.#peer.requests.request(to, request, { timeoutMs: TIMEOUT_MS })
          counts.answered++
        } catch (error) {
          if ((error as { code?: string }).code === 'REQUEST_REFUSED') counts.refused++
          else {
            counts.lost++
            // A stream that was ended is opened again at once, and not in a loop that never yields.
            await new Promise((resolve) => setTimeout(resolve, 1))
          }
        }
      }
    }
    await Promise.all(Array.from({ length: WINDOW }, ask))
    const { system, user } = process.cpuUsage(cpu)
    return { sent, ...counts, cpuMs: (user + system) / 1_000, tookMs: performance.now() - startedAt }
  }

  close(): Promise<void> {
    return this.#peer.close()
  }

  /** A record in the name of another: whoever is asked to hold it must look at the signature first. */
  #forged(signer: Address): Uint8Array {
    const value = systemRandom.bytes(VALUE_BYTES)
    const head = this.#peer.view.head()
    const epoch = BigInt(Math.floor((head?.timestamp ?? 0) / this.#peer.params.epochSeconds))
    const put = { keyType: KEY_TYPE.owner, keyPreimage: systemRandom.bytes(32), valueRoot: chunkRoot(value) } as const
    const body = encodePut({ ...put, size: value.length, expiryEpoch: epoch + 1n })
    const index = new DataView(systemRandom.bytes(4).buffer).getUint32(0) % this.#peer.params.putLimit
    const statement = {
      kind: KIND.put,
      scope: new Uint8Array(32),
      position: (epoch << 32n) | BigInt(index),
      content: merkleRoot([body]),
    }
    // By the flooder's own key: well-formed, and not the one of whom it names.
    const signature = this.#peer.sign(statementDigest(this.#peer.domain, statement))
    return encodeStore({ standIn: false, frame: encodeFrame({ signer, statement, signature }, [body]), value })
  }
}

function fetchRequest(): Uint8Array {
  return encodeFetch({ recordKey: systemRandom.bytes(32), entry: fromHex(`0x${'00'.repeat(32)}`), values: true })
}
