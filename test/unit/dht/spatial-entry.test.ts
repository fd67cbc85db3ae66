import { describe, expect, it } from 'vitest'
import { cellEntryOf } from '../../../node/dht/records/put-reader.ts'
import { AUTHORITY, type CellFields } from '../../../node/statements/index.ts'

const agentId = new Uint8Array(32).fill(7)
const place = { level: 26, position: [1n], agentId, leaseNumber: 0n, leaseUntilEpoch: 9n }
const byWriter = (stakeId: bigint): CellFields => ({
  ...place,
  authorityKind: AUTHORITY.writer,
  authorityStakeId: stakeId,
})
const byLease = (stakeId: bigint): CellFields => ({
  ...place,
  leaseNumber: 2n ** 64n - 1n,
  authorityKind: AUTHORITY.lease,
  authorityStakeId: stakeId,
  leaseFrame: new Uint8Array(),
})
const byMesh = (meshId: Uint8Array): CellFields => ({
  ...place,
  authorityKind: AUTHORITY.mesh,
  authorityMeshId: meshId,
})

describe('the entry of an agent in a cell', () => {
  // Seen to fail before: the entry was the agent id alone, so any stake could put its own entry, of the highest lease
  // number, in the place of another's agent.
  it('is another one for another authority', () => {
    expect(cellEntryOf(byWriter(1n))).not.toEqual(cellEntryOf(byWriter(2n)))
    const asMesh = new Uint8Array(32)
    asMesh[31] = 1
    expect(cellEntryOf(byMesh(asMesh))).not.toEqual(cellEntryOf(byWriter(1n)))
  })

  it('is the same for the authority itself and for whoever holds its lease, wherever the agent stands', () => {
    expect(cellEntryOf(byLease(1n))).toEqual(cellEntryOf(byWriter(1n)))
    expect(cellEntryOf({ ...byWriter(1n), level: 20, position: [-5n, 3n] })).toEqual(cellEntryOf(byWriter(1n)))
  })
})
