import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeFetch,
  decodeFetchAnswer,
  decodeStore,
  decodeStoreAnswer,
  encodeFetch,
  encodeFound,
  encodeRefused,
  encodeStore,
  encodeStored,
  encodeSuperseded,
} from '../../../node/dht/protocol/messages.ts'

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const carried = fc.record({ frame: bytes(600), value: fc.option(bytes(2000), { nil: undefined }) })

/** As it comes out of a socket: plain bytes. */
const sent = (message: Uint8Array) => new Uint8Array(message)

describe('what is written is read again', () => {
  test('STORE', () => {
    fc.assert(
      fc.property(
        fc.record({ standIn: fc.boolean(), frame: bytes(600), value: fc.option(bytes(2000), { nil: undefined }) }),
        (request) => {
          expect(decodeStore(encodeStore(request))).toEqual(request)
        },
      ),
    )
  })

  test('FETCH', () => {
    const selects = fc.oneof(
      key.map((entry) => ({ entry })),
      key.map((after) => ({ after })),
      fc.constant({}),
    )
    fc.assert(
      fc.property(key, selects, fc.boolean(), (recordKey, select, values) => {
        const request = { recordKey, ...select, values }
        expect(decodeFetch(sent(encodeFetch(request)))).toEqual(request)
      }),
    )
  })

  test('answers', () => {
    fc.assert(
      fc.property(
        fc.array(carried, { maxLength: 8 }),
        fc.option(key, { nil: undefined }),
        bytes(400),
        (puts, next, receipt) => {
          expect(decodeFetchAnswer(sent(encodeFound(puts, next)))).toEqual({ status: 'found', next, puts })
          expect(decodeStoreAnswer(encodeStored(receipt))).toEqual({ status: 'stored', receipt })
          for (const current of puts)
            expect(decodeStoreAnswer(sent(encodeSuperseded(current)))).toEqual({ status: 'superseded', current })
        },
      ),
    )
    const refusal = encodeRefused('quota', '64 MiB are used up')
    expect(decodeStoreAnswer(refusal)).toEqual({ status: 'refused', reason: 'quota', detail: '64 MiB are used up' })
    expect(decodeFetchAnswer(refusal)).toEqual(decodeStoreAnswer(refusal))
  })
})

// Bites: a length taken on trust: reading past the end gives a RangeError, or another frame's bytes.
test('any bytes are read or refused with a code, never more', () => {
  const decoders = [decodeStore, decodeFetch, decodeStoreAnswer, decodeFetchAnswer]
  const hostile = fc
    .tuple(fc.constantFrom(0, 1, 2, 3), fc.constantFrom(0, 1, 2, 4, 6), bytes(120))
    .map(([first, second, rest]) => Uint8Array.of(first, second, ...rest))
  fc.assert(
    fc.property(fc.oneof(bytes(120), hostile), (input) => {
      for (const decode of decoders) {
        try {
          decode(input)
        } catch (error) {
          expect(error).toMatchObject({ code: 'DHT_BAD_MESSAGE' })
        }
      }
    }),
    { numRuns: 2000 },
  )
})

test('an answer cut off anywhere is refused', () => {
  const whole = encodeFound([{ frame: new Uint8Array(40).fill(1), value: new Uint8Array(50).fill(2) }])
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodeFetchAnswer(whole.subarray(0, length)), `${length} bytes`).toThrow()
  }
})
