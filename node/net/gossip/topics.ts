import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Domain, fromHex, toHex } from '../../core/index.ts'
import { TOPIC_MAX_BYTES } from '../constants.ts'
import { badTopic } from '../errors.ts'

const utf8 = new TextEncoder()

/**
 * Sixteen hex digits that name a network: keccak256(chain id as 32 bytes, registry, salt), its first 8 bytes.
 * Every protocol and topic name carries them, so two networks whose nodes meet have nothing in common.
 */
export function networkId(domain: Domain): string {
  const chainId = fromHex(`0x${domain.chainId.toString(16).padStart(64, '0')}`)
  const bytes = Buffer.concat([chainId, fromHex(domain.verifyingContract), fromHex(domain.salt)])
  return toHex(keccak_256(bytes)).slice(2, 18)
}

/** Names on the wire, for one network. */
export class TopicNames {
  readonly #prefix: string
  /** Where evidence travels. */
  readonly evidence: string

  constructor(domain: Domain) {
    const id = networkId(domain)
    this.#prefix = `suprnova/${id}/gossip/`
    this.evidence = `suprnova/${id}/evidence`
  }

  /**
   * The wire name of a topic.
   * @throws TopicError `NET_BAD_TOPIC` when it is empty or longer than {@link TOPIC_MAX_BYTES}
   */
  wireName(topic: string): string {
    const size = utf8.encode(topic).length
    if (size === 0 || size > TOPIC_MAX_BYTES) throw badTopic(topic, `1 to ${TOPIC_MAX_BYTES} bytes of UTF-8`)
    return this.#prefix + topic
  }
}
