import { privateKeyToAddress } from 'viem/accounts'
import { expect, test } from 'vitest'
import { personKey } from '../../../node/chain/index.ts'
import type { Hex } from '../../../node/core/index.ts'

const NODE: Hex = `0x${'0a'.repeat(32)}`
const HASH = new Uint8Array(32).fill(1)

test('the person key is the same for the same hash, chain and name, and another for any other', async () => {
  const key = await personKey(HASH, 31337n, NODE)
  expect(key).toEqual({
    privateKey: '0x15dca1d367fe271c04a5718454a04f7acae6448cdead103ad1c111eab5ae268a',
    address: privateKeyToAddress(key.privateKey).toLowerCase(),
  })
  const others = await Promise.all([
    personKey(new Uint8Array(32).fill(2), 31337n, NODE),
    personKey(HASH, 1n, NODE),
    personKey(HASH, 31337n, `0x${'0b'.repeat(32)}`),
  ])
  expect(new Set([key, ...others].map(({ address }) => address)).size).toBe(4)
})

test('only 32-byte hashes are taken', async () => {
  for (const bytes of [0, 31, 33]) {
    await expect(personKey(new Uint8Array(bytes), 1n, NODE)).rejects.toMatchObject({
      code: 'PERSON_BAD_HASH',
      exitCode: 3,
    })
  }
})
