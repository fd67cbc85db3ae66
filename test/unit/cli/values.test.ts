import { describe, expect, it } from 'vitest'
import { epochUntil } from '../../../node/cli/text.ts'
import { hexBytes, parseAddress } from '../../../node/cli/values/hex.ts'
import {
  parseCoordinator,
  parseEnsName,
  parseLoopback,
  parseMultiaddr,
  parseUrl,
} from '../../../node/cli/values/network.ts'
import { parsePort, wholeNumber } from '../../../node/cli/values/number.ts'
import { parseKeyName } from '../../../node/cli/values/text.ts'
import { epochEnd } from '../../../node/statements/index.ts'

const ADDRESS = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'

describe('values on the command line', () => {
  it.each(['0', '1', '65535'])('takes port %s', (text) => {
    expect(parsePort(text)).toBe(Number(text))
  })

  it.each(['', '-1', '65536', '80.5', '1e3', '0x50', 'http', '99999999999999999999'])(
    'refuses port %j, naming the limit',
    (text) => {
      expect(() => parsePort(text)).toThrow('from 0 to 65535')
    },
  )

  it('takes http and https, and nothing else, as RPC', () => {
    expect(parseUrl('https://rpc.example.org/key')).toBe('https://rpc.example.org/key')
    for (const [text, problem] of [
      ['localhost:8545', 'expected http or https'],
      ['ftp://x', '"ftp"'],
      ['http://', 'expected a URL'],
      ['http://x:99999', 'expected a URL'],
      ['http://127.0.0.1:0', 'port 0'],
      ['', 'expected a URL'],
    ] as const) {
      expect(() => parseUrl(text), text).toThrow(problem)
    }
  })

  it('serves figures on loopback only', () => {
    expect(parseLoopback('127.0.0.1:0')).toEqual({ host: '127.0.0.1', port: 0 })
    expect(parseLoopback('[::1]:9180')).toEqual({ host: '::1', port: 9180 })
    expect(() => parseLoopback('0.0.0.0:9180')).toThrow('loopback')
    expect(() => parseLoopback('127.0.0.1')).toThrow('HOST:PORT')
    expect(() => parseLoopback('127.0.0.1:70000')).toThrow('65535')
  })

  it('takes multiaddrs, and reads their port', () => {
    expect(parseMultiaddr('/ip4/0.0.0.0/tcp/4001')).toBe('/ip4/0.0.0.0/tcp/4001')
    expect(() => parseMultiaddr('127.0.0.1:4001')).toThrow('multiaddr')
    expect(() => parseMultiaddr('/ip4/0.0.0.0/tcp/70000')).toThrow('65535')
  })

  it('takes a coordinator as ENS name, as URL and as address', () => {
    expect(parseCoordinator('current-reality.eth')).toEqual({ name: 'current-reality.eth' })
    expect(parseCoordinator('https://current-reality.eth/')).toEqual({ name: 'current-reality.eth' })
    expect(parseCoordinator(ADDRESS)).toEqual({ address: ADDRESS.toLowerCase() })
    expect(() => parseCoordinator('0x1234')).toThrow('40 hex digits')
  })

  it.each([
    '',
    'eth',
    'a..eth',
    '.eth',
    'https://a.eth/path',
    'https://a.eth:80',
    'a b.eth',
    'user@a.eth',
    `${'a'.repeat(300)}.eth`,
  ])('refuses the ENS name %j', (text) => {
    expect(() => parseEnsName(text)).toThrow()
  })

  it('counts the digits of hex', () => {
    expect(parseAddress(ADDRESS)).toBe(ADDRESS.toLowerCase())
    expect(() => parseAddress(ADDRESS.slice(0, -1))).toThrow('40 hex digits after 0x, got 39')
    expect(() => parseAddress(`0x${'0'.repeat(40)}`)).toThrow('nobody')
    expect(() => hexBytes(32, 'a salt')('salt')).toThrow('a salt')
  })

  it('keeps numbers whole and within bounds', () => {
    expect(wholeNumber(2, 64)('64')).toBe(64)
    for (const text of ['1', '65', '2.5', '', '-2']) expect(() => wholeNumber(2, 64)(text)).toThrow('from 2 to 64')
  })

  // Bites: a name with a slash or dots would reach out of the folder of keys.
  it.each(['', '../x', 'a/b', '.hidden', 'A', 'a.json', 'a'.repeat(65), '-x'])('refuses the key name %j', (text) => {
    expect(() => parseKeyName(text)).toThrow()
  })
})

it('an epoch is shown with the time at which it is over', () => {
  expect(epochUntil(179560197, epochEnd(179560197, 10))).toBe('epoch 179560197 (2026-11-25T10:19:40Z)')
})
