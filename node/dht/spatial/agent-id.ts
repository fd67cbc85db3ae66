import { keccak256 } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'

/** keccak256(0x06 || stake id as 32 bytes || name hash): the id of a stake's agent of that name. */
export function agentIdOf(stakeId: number, name: string): Uint8Array {
  const authority = new Uint8Array(32)
  new DataView(authority.buffer).setBigUint64(24, BigInt(stakeId))
  return keccak256(Uint8Array.of(0x06), authority, keccak256(new Uint8Array(Buffer.from(name, 'utf8'))))
}

/** 32 bytes of an agent: what {@link agentIdOf} gives is the usual one. @throws DhtError `DHT_BAD_AGENT` */
export function checkAgentId(agentId: Uint8Array): void {
  if (agentId.length === 32) return
  throw new DhtError('DHT_BAD_AGENT', `an agent id has 32 bytes, got ${agentId.length}`, { exitCode: 2 })
}
