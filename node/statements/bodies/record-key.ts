import { keccak256 } from '../keccak.ts'
import { BodyWriter } from './packing.ts'
import { KEY_TYPE, type PutBody } from './put.ts'

/**
 * The key of the record that a PUT body stores. It is never written, so a wrong one cannot be said.
 *
 * - owner: keccak256(0x01 || stake id (8) || name hash)
 * - content: the value root
 * - cell: keccak256(0x03 || world id || d (1) || s (1) || each q >> s (8, i64, the shift rounds towards minus infinity))
 * - mesh: keccak256(0x04 || mesh id)
 * @param writerStakeId the stake behind the key that signed the PUT
 */
export function recordKeyOf(put: PutBody, writerStakeId: number): Uint8Array {
  switch (put.keyType) {
    case KEY_TYPE.owner:
      return ownerKey(writerStakeId, put.keyPreimage)
    case KEY_TYPE.content:
      return put.valueRoot
    case KEY_TYPE.cell:
      return cellKey(put.keyPreimage, put.cell.level, put.cell.position)
    case KEY_TYPE.mesh:
      return meshKey(put.keyPreimage)
  }
}

export function ownerKey(stakeId: number, nameHash: Uint8Array): Uint8Array {
  const packed = new BodyWriter().u8('type', KEY_TYPE.owner).u64('stakeId', BigInt(stakeId)).bytes32('name', nameHash)
  return keccak256(packed.finish())
}

export function cellKey(worldId: Uint8Array, level: number, position: readonly bigint[]): Uint8Array {
  const packed = new BodyWriter().u8('type', KEY_TYPE.cell).bytes32('world', worldId)
  packed.u8('d', position.length).u8('s', level)
  for (const q of position) packed.i64('q', q >> BigInt(level))
  return keccak256(packed.finish())
}

export function meshKey(meshId: Uint8Array): Uint8Array {
  return keccak256(new BodyWriter().u8('type', KEY_TYPE.mesh).bytes32('mesh', meshId).finish())
}
