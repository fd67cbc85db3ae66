import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  EGI_COORDINATOR_INTERFACE_ID,
  MAX_BOOTSTRAP_ADDRESSES,
  parseBootstrap,
  parseCoordinatorName,
} from '../../../node/chain/index.ts'

describe('parseCoordinatorName', () => {
  test('a name and the https URL of it are one', () => {
    const { name, node } = parseCoordinatorName('current-reality.eth')
    expect(name).toBe('current-reality.eth')
    for (const same of ['https://current-reality.eth', 'https://current-reality.eth/', 'Current-Reality.ETH']) {
      expect(parseCoordinatorName(same)).toEqual({ name, node })
    }
  })

  test.each([
    '',
    'eth',
    '.eth',
    'a..eth',
    'http://current-reality.eth',
    'https://current-reality.eth:443',
    'https://current-reality.eth/path',
    'https://me@current-reality.eth',
    'https://current-reality.eth?x',
    'current reality.eth',
    'a_b\u200d.eth',
    `${'a'.repeat(300)}.eth`,
  ])('%j is refused with its field named', (bad) => {
    expect(() => parseCoordinatorName(bad)).toThrow(
      expect.objectContaining({ code: 'ENS_BAD_NAME', exitCode: 3, message: expect.stringMatching(/^coordinator /) }),
    )
  })

  test('no input throws anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (input) => {
        try {
          parseCoordinatorName(input)
        } catch (error) {
          expect(error).toMatchObject({ code: 'ENS_BAD_NAME' })
        }
      }),
    )
  })
})

describe('parseBootstrap', () => {
  const good = '/ip4/127.0.0.1/tcp/4001'

  test('keeps multiaddrs, each once, and counts the rest', () => {
    expect(parseBootstrap('')).toEqual({ addresses: [], ignored: 0 })
    expect(parseBootstrap(` ${good} , ${good},nonsense,/ip4/999.1.1.1/tcp/1`)).toEqual({
      addresses: [good],
      ignored: 3,
    })
  })

  test('is bounded', () => {
    const many = Array.from({ length: 200 }, (_, i) => `/ip4/10.0.0.${i}/tcp/1`).join(',')
    expect(parseBootstrap(many).addresses).toHaveLength(MAX_BOOTSTRAP_ADDRESSES)
    expect(parseBootstrap('x'.repeat(1_000_000)).addresses).toEqual([])
  })
})

test('the interface id is the XOR of the selectors', () => {
  expect(EGI_COORDINATOR_INTERFACE_ID).toMatch(/^0x[0-9a-f]{8}$/)
})
