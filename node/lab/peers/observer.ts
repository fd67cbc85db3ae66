import { toHex } from '../../core/index.ts'
import { decodeFrame, statementDigest, verifyDigest } from '../../statements/index.ts'
import type { TranscriptEvent } from '../transcript.ts'
import { type BarePeer, type BarePeerOptions, openBarePeer } from './bare-peer.ts'

/**
 * Writes down every valid statement that it sees on the wire, also those that honest nodes would not pass on, before
 * anything is filtered or judged.
 */
export class Observer {
  readonly peer: BarePeer

  private constructor(peer: BarePeer) {
    this.peer = peer
  }

  static async open(
    options: BarePeerOptions,
    topics: readonly string[],
    write: (event: TranscriptEvent) => void,
  ): Promise<Observer> {
    const peer = await openBarePeer(options, (bytes, { domain, view }) => {
      const { signer, statement, signature } = decodeFrame(bytes).signed
      const key = view.key(signer)
      // Keys without a stake have no public key on the chain; what they say binds nobody.
      if (key === undefined || !verifyDigest(key.publicKey, statementDigest(domain, statement), signature)) return
      write({
        type: 'statement',
        signer,
        kind: statement.kind,
        scope: toHex(statement.scope),
        position: String(statement.position),
        content: toHex(statement.content),
      })
    })
    for (const topic of topics) peer.network.subscribe(topic, () => undefined)
    return new Observer(peer)
  }

  close(): Promise<void> {
    return this.peer.close()
  }
}
