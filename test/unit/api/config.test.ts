import { expect, test } from 'vitest'
import { type NodeConfigInput, parseNodeConfig } from '../../../node/api/index.ts'

const least: NodeConfigInput = {
  dataDir: '/tmp/node',
  coordinator: 'current-reality.eth',
  rpcUrls: ['http://127.0.0.1:8545'],
  keystore: { path: '/tmp/key.json', password: 'secret' },
}

test('what was left out gets its default', () => {
  expect(parseNodeConfig(least)).toMatchObject({
    fanout: 4,
    confirmations: undefined,
    listen: ['/ip4/0.0.0.0/tcp/0'],
    topics: [],
  })
})

test('an address is lower-case inside the node', () => {
  const beneficiary = '0x00000000000000000000000000000000000000AB'
  expect(parseNodeConfig({ ...least, beneficiary }).beneficiary).toBe('0x00000000000000000000000000000000000000ab')
})

test('a runtime directory is taken as it is; without one the machine chooses', () => {
  expect(parseNodeConfig(least).runtimeDirectory).toBeUndefined()
  expect(parseNodeConfig({ ...least, runtimeDirectory: '/run/mine' }).runtimeDirectory).toBe('/run/mine')
})

// Meant to catch the value shown: a key in a mistyped URL came out in the error and its values.
test('an RPC URL that is none is not shown', () => {
  const key = '0123456789abcdef'
  for (const rpcUrls of [[`htps://example.test/${key}`], Array(9).fill(`https://example.test/${key}`), key]) {
    const error = (() => {
      try {
        return parseNodeConfig({ ...least, rpcUrls: rpcUrls as string[] })
      } catch (thrown) {
        return thrown as Error & { values: unknown }
      }
    })()
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(JSON.stringify([String(error), (error as { values?: unknown }).values])).not.toContain(key)
  }
})

// Catches a check left out: each of these was accepted when its check was removed.
test.each<[string, Record<string, unknown>, RegExp]>([
  ['dataDir', { dataDir: 'relative' }, /dataDir is "relative"; it must be an absolute path/],
  ['coordinator', { coordinator: '' }, /coordinator is ""; it must be a text of 1 to 512/],
  ['rpcUrls', { rpcUrls: [] }, /rpcUrls.*at least one/],
  ['rpcUrls[0]', { rpcUrls: ['ftp://x'] }, /rpcUrls\[0\] is "not shown \(string\)"; it must be an http/],
  ['rpcUrls[0]', { rpcUrls: [7] }, /rpcUrls\[0\] is "not shown \(number\)"/],
  ['runtimeDirectory', { runtimeDirectory: 'run' }, /runtimeDirectory is "run"; it must be an absolute path/],
  ['keystore', { keystore: undefined }, /keystore is missing/],
  ['keystore.path', { keystore: { path: '', password: 'x' } }, /keystore.path/],
  ['listen[0]', { listen: ['tcp://1.2.3.4'] }, /multiaddr/],
  ['http.host', { http: { host: '0.0.0.0', port: 1 } }, /loopback/],
  ['http.port', { http: { host: '127.0.0.1', port: 65_536 } }, /0 to 65535/],
  ['fanout', { fanout: 1 }, /2 to 12/],
  ['confirmations', { confirmations: 1.5 }, /0 to 256/],
  ['beneficiary', { beneficiary: '0x12' }, /40 hex digits/],
  ['topics[0]', { topics: ['x'.repeat(257)] }, /1 to 256 bytes/],
  ['logLevel', { logLevel: 'loud' }, /debug, info, warn, error/],
  ['operatorKey', { operatorKey: '0x1' }, /operatorKey/],
])('a bad %s names the field and the limit', (field, change, message) => {
  const wrong = { ...least, ...change } as NodeConfigInput
  expect(() => parseNodeConfig(wrong)).toThrow(message)
  expect(() => parseNodeConfig(wrong)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', exitCode: 3 }))
  try {
    parseNodeConfig(wrong)
  } catch (error) {
    expect((error as { values: { field: string } }).values.field).toBe(field)
  }
})

// Catches an error that quotes the whole keystore object.
test('no error shows a password', () => {
  const wrong = { ...least, keystore: { path: 7, password: 'hunter2' } } as unknown as NodeConfigInput
  expect(() => parseNodeConfig(wrong)).toThrow(expect.not.stringContaining('hunter2'))
})
