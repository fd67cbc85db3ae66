import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { DhtError } from '../../../node/dht/errors.ts'
import { encodeRefused } from '../../../node/dht/protocol/messages.ts'
import { DIGEST_BUCKETS, OFFER_MAX_ENTRIES } from '../../../node/dht/repair/constants.ts'
import {
  decodeDigest,
  decodeDigestAnswer,
  decodeOffer,
  decodeOfferAnswer,
  encodeDigest,
  encodeDigestAnswer,
  encodeOffer,
  encodeOfferAnswer,
} from '../../../node/dht/repair/messages.ts'
import { ShareDigest } from '../../../node/dht/repair/share-digest.ts'

const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const word = fc.record({ high: u32, low: u32 })
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const entry = fc.record({
  recordKey: bytes32,
  entry: fc.oneof(bytes32, fc.constant(new Uint8Array(32))),
  version: fc.record({
    rank: fc.oneof(fc.constant(0n), u64),
    position: u64,
    leaf: fc.integer({ min: 0, max: 255 }),
  }),
})
const entries = fc.array(entry, { minLength: 1, maxLength: 40 })
const digest = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), word, word), { maxLength: 60 }).map((added) => {
  const made = new ShareDigest()
  for (const [bucket, hash, salt] of added) made.add(bucket, hash, salt)
  return made
})

/** As it comes out of a socket: plain bytes. */
const sent = (message: Uint8Array) => new Uint8Array(message)
const wordsOf = ({ counts, high, low }: ShareDigest) => ({ counts, high, low })

describe('what repair writes is read again', () => {
  test('DIGEST', () => {
    fc.assert(
      fc.property(u32, word, fc.record({ count: u32, high: u32, low: u32 }), (epoch, salt, total) => {
        expect(decodeDigest(sent(encodeDigest({ epoch, salt, total })))).toEqual({ epoch, salt, total })
      }),
    )
  })

  test('its answer', () => {
    expect(decodeDigestAnswer(encodeDigestAnswer(undefined))).toEqual({ status: 'same' })
    fc.assert(
      fc.property(digest, (made) => {
        const answer = decodeDigestAnswer(sent(encodeDigestAnswer(made)))
        expect(answer.status).toBe('different')
        if (answer.status === 'different') expect(wordsOf(answer.digest)).toEqual(wordsOf(made))
      }),
    )
  })

  test('LIST, an owner record in 42 bytes', () => {
    fc.assert(
      fc.property(entries, (listed) => {
        expect(decodeOffer(sent(encodeOffer({ entries: listed })))).toEqual({ entries: listed })
      }),
    )
    const owner = {
      recordKey: new Uint8Array(32).fill(7),
      entry: new Uint8Array(32),
      version: { rank: 0n, position: 5n, leaf: 1 },
    }
    expect(encodeOffer({ entries: [owner] })).toHaveLength(3 + 42)
  })

  test('its answer, one bit an entry', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: OFFER_MAX_ENTRIES }), (lacking) => {
        const answer = encodeOfferAnswer(lacking)
        expect(answer).toHaveLength(1 + Math.ceil(lacking.length / 8))
        expect(decodeOfferAnswer(sent(answer), lacking.length)).toEqual({ status: 'lacking', lacking })
      }),
    )
  })

  test('a refusal, as the answer to either', () => {
    const refused = { status: 'refused', reason: 'busy', detail: 'rate' }
    expect(decodeDigestAnswer(encodeRefused('busy', 'rate'))).toEqual(refused)
    expect(decodeOfferAnswer(encodeRefused('busy', 'rate'), 9)).toEqual(refused)
  })
})

describe('what others send', () => {
  const decoders = {
    DIGEST: decodeDigest,
    'the answer to a DIGEST': decodeDigestAnswer,
    LIST: decodeOffer,
    'the answer to a LIST': (bytes: Uint8Array) => decodeOfferAnswer(bytes, 9),
  }

  // Seen to fail when the length was not checked before a field was read: a RangeError came out.
  test.each(Object.entries(decoders))(
    '%s: any bytes are read or refused with one error, and nothing else',
    (_, read) => {
      fc.assert(
        fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 4_000 })), (bytes) => {
          try {
            read(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(DhtError)
            expect((error as DhtError).code).toBe('DHT_BAD_MESSAGE')
          }
        }),
        { numRuns: 500 },
      )
    },
  )

  test.each([
    [
      'DIGEST',
      decodeDigest,
      encodeDigest({ epoch: 1, salt: { high: 1, low: 2 }, total: { count: 1, high: 1, low: 1 } }),
    ],
    ['the answer to a DIGEST', decodeDigestAnswer, encodeDigestAnswer(new ShareDigest())],
    [
      'LIST',
      decodeOffer,
      encodeOffer({
        entries: [
          {
            recordKey: new Uint8Array(32).fill(1),
            entry: new Uint8Array(32).fill(2),
            version: { rank: 3n, position: 4n, leaf: 5 },
          },
        ],
      }),
    ],
    [
      'the answer to a LIST',
      (bytes: Uint8Array) => decodeOfferAnswer(bytes, 9),
      encodeOfferAnswer(Array(9).fill(true)),
    ],
  ] as const)('%s: cut off anywhere or with a byte more it is refused', (_, read, whole) => {
    for (let length = 0; length < whole.length; length++) {
      // An answer to a DIGEST that is cut to "same" is one.
      if (length === 2 && whole.length === 2 + DIGEST_BUCKETS * 12 && whole[1] === 0) continue
      expect(() => read(sent(whole.subarray(0, length))), `${length} bytes`).toThrow(DhtError)
    }
    expect(() => read(sent(Buffer.concat([whole, Uint8Array.of(0)])))).toThrow(DhtError)
  })

  it('names no more entries than one LIST may, and at least one', () => {
    const owner = {
      recordKey: new Uint8Array(32),
      entry: new Uint8Array(32),
      version: { rank: 0n, position: 1n, leaf: 0 },
    }
    const listOf = (count: number) => sent(encodeOffer({ entries: Array(count).fill(owner) }))
    expect(decodeOffer(listOf(OFFER_MAX_ENTRIES)).entries).toHaveLength(OFFER_MAX_ENTRIES)
    expect(() => decodeOffer(listOf(OFFER_MAX_ENTRIES + 1))).toThrow('the limit is')
    expect(() => decodeOffer(listOf(0))).toThrow('the limit is')
  })
})
