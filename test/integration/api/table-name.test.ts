import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tableName } from '../../../node/api/table-name.ts'
import { type Domain, KIND, type Metrics } from '../../../node/core/index.ts'
import { DomainSeparator } from '../../../node/statements/index.ts'
import { openSlotIndex, openStore } from '../../../node/store/index.ts'

const domain: Domain = { chainId: 31_337n, verifyingContract: `0x${'11'.repeat(20)}`, salt: `0x${'22'.repeat(32)}` }
const nothing: Metrics = {
  counter: () => ({ inc() {} }),
  gauge: () => ({ set() {} }),
  histogram: () => ({ observe() {} }),
}

test('a table belongs to its chain, its registry and its salt', () => {
  const name = (of: Partial<Domain>) => tableName('slots', new DomainSeparator({ ...domain, ...of }))
  const names = [
    name({}),
    name({ chainId: 1n }),
    name({ verifyingContract: `0x${'12'.repeat(20)}` }),
    name({ salt: `0x${'23'.repeat(32)}` }),
  ]
  expect(new Set(names).size).toBe(4)
  expect(name({})).toBe(names[0])
  expect(names[0]).toMatch(/^slots-[0-9a-f]{16}$/)
})

// Meant to catch one table for all domains: a key quarantined under the old coordinator was silent under the new one,
// and a slot of the old one made evidence that proves nothing.
test('a node moved to another coordinator starts without the slots and quarantines of the old one', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'suprnova-tables-'))
  const store = await openStore(dir)
  const signer = `0x${'5e'.repeat(20)}` as const
  const slot = { signer, kind: KIND.gossip, scope: new Uint8Array(32), position: 5n }
  const entry = { digest: new Uint8Array(32), content: new Uint8Array(32), signature: new Uint8Array(64) }
  const indexOf = (of: Domain) =>
    openSlotIndex({}, { table: store.table(tableName('slots', new DomainSeparator(of))), metrics: nothing })
  const before = indexOf(domain)
  before.put(slot, entry)
  before.quarantine(signer, `0x${'fa'.repeat(32)}`)
  await before.close()
  const moved = indexOf({ ...domain, salt: `0x${'23'.repeat(32)}` })
  expect([moved.isQuarantined(signer), moved.get(slot)]).toEqual([false, undefined])
  await moved.close()
  const back = indexOf(domain)
  expect(back.isQuarantined(signer)).toBe(true)
  await back.close()
  await store.close()
  await rm(dir, { recursive: true })
})
