import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ADDRESS_MAX_CHARS,
  ADDRESSES_MAX,
  decodeAddresses,
  encodeAddresses,
} from '../../../node/dht/addresses/address-list.ts'

const address = fc
  .tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `/ip4/${host}/tcp/${port}/p2p/16Uiu2HAkx3fEVeiRVSJ887eWtBNFa7gxKUMBb7wUYK3YoQj3nneA`)

describe('a list of addresses', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: ADDRESSES_MAX }), (addresses) => {
        expect(decodeAddresses(encodeAddresses(addresses))).toEqual(addresses)
      }),
    )
  })

  it('leaves out what is none, and what is too much', () => {
    const good = '/ip4/127.0.0.1/tcp/1'
    const bad = ['', 'tcp/1', '/a b', '/a\n/b', '/ü', `/${'x'.repeat(ADDRESS_MAX_CHARS)}`]
    expect(decodeAddresses(encodeAddresses([...bad, good]))).toEqual([good])
    const many = Array.from({ length: ADDRESSES_MAX + 3 }, (_, port) => `/ip4/127.0.0.1/tcp/${port + 1}`)
    expect(decodeAddresses(encodeAddresses(many))).toEqual(many.slice(0, ADDRESSES_MAX))
  })

  it('of any bytes is a bounded list of plain addresses, or nothing', () => {
    const line = fc.oneof(address, fc.string(), fc.string({ unit: 'binary' }), fc.constant('/x'))
    const text = fc.array(line, { maxLength: 12 }).map((lines) => Buffer.from(lines.join('\n'), 'utf8'))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 4_096 }), text), (bytes) => {
        const addresses = decodeAddresses(bytes)
        expect(addresses.length).toBeLessThanOrEqual(ADDRESSES_MAX)
        for (const one of addresses) {
          expect(one.length).toBeLessThanOrEqual(ADDRESS_MAX_CHARS)
          expect(one).toMatch(/^\/[\x21-\x7e]+$/)
        }
      }),
    )
  })
})
