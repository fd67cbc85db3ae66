import { describe, expect, it } from 'vitest'
import type { Domain } from '../../../node/core/index.ts'
import { TOPIC_MAX_BYTES } from '../../../node/net/constants.ts'
import { copyKey, messageId, messageIdText } from '../../../node/net/gossip/message-id.ts'
import { networkId, TopicNames } from '../../../node/net/gossip/topics.ts'
import { random } from '../../integration/net/harness.ts'

const DOMAIN: Domain = {
  chainId: 31_337n,
  verifyingContract: `0x${'11'.repeat(20)}`,
  salt: `0x${'22'.repeat(32)}`,
}

describe('names on the wire', () => {
  // Break it caught: an id that left out the salt, so that two deployments on reused dev chains shared topics.
  it('differ between networks that differ in anything', () => {
    const others: Domain[] = [
      { ...DOMAIN, chainId: 1n },
      { ...DOMAIN, verifyingContract: `0x${'12'.repeat(20)}` },
      { ...DOMAIN, salt: `0x${'23'.repeat(32)}` },
    ]
    const ids = new Set([DOMAIN, ...others].map(networkId))
    expect(ids.size).toBe(4)
    expect(networkId(DOMAIN)).toMatch(/^[0-9a-f]{16}$/)
  })

  it('keep evidence apart from every topic', () => {
    const names = new TopicNames(DOMAIN)
    expect(names.wireName('evidence')).not.toBe(names.evidence)
    expect(names.wireName('../evidence')).not.toBe(names.evidence)
  })

  it('refuse topics that are empty or too long in bytes', () => {
    const names = new TopicNames(DOMAIN)
    expect(() => names.wireName('')).toThrow(expect.objectContaining({ code: 'NET_BAD_TOPIC' }))
    expect(() => names.wireName('ä'.repeat(TOPIC_MAX_BYTES / 2 + 1))).toThrow(/128 bytes/)
    expect(names.wireName('ä'.repeat(TOPIC_MAX_BYTES / 2))).toContain('ä')
  })
})

describe('message ids', () => {
  const id = (topic: string, data: Uint8Array) => messageIdText(messageId({ topic, data }))

  // Breaks it caught: an id over the first bytes alone, and one without the topic.
  it('change with any byte and with the topic', () => {
    const data = new Uint8Array(300)
    const broken = data.slice()
    broken[299] = 1
    expect(new Set([id('a', data), id('b', data), id('a', broken), id('a', data.subarray(1))]).size).toBe(4)
    expect(id('a', data)).toBe(id('a', data.slice()))
    expect(id('a', data)).toHaveLength(32)
  })
})

describe('copy keys', () => {
  // Break it caught: a key without the leaf, under which one part of a batch hid all others.
  it('are shared by copies, and by nothing else that could be valid', () => {
    const frame = random.bytes(300)
    const changed = (at: number) => {
      const other = frame.slice()
      other[at]! ^= 1
      return other
    }
    const form = 1
    const signature = [95, 158]
    const leaf = 159
    const pathLength = 160
    for (const at of [form, ...signature, leaf, pathLength]) expect(copyKey(changed(at))).not.toBe(copyKey(frame))
    expect(copyKey(frame.subarray(0, 299))).not.toBe(copyKey(frame))
    expect(copyKey(frame.slice())).toBe(copyKey(frame))
    expect(copyKey(new Uint8Array(0))).toBe('0:undefined:')
  })
})
