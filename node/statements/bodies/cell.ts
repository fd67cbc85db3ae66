import { DecodeError, EncodeError } from '../errors.ts'
import { isZero } from '../zero.ts'
import { checkLeaseFrame } from './lease.ts'
import { MAX_LEASE_FRAME_BYTES } from './limits.ts'
import type { BodyReader, BodyWriter } from './packing.ts'

/** Who decides over an agent, and how the writer of its cell entry shows that it may. */
export const AUTHORITY = {
  /** The writer's own stake. */
  writer: 1,
  /** Another stake, whose signed lease for the writer is carried along. */
  lease: 2,
  /** A mesh the writer is enlisted in. */
  mesh: 3,
} as const

/** Coordinates are fixed point: q / 2^20. */
export const CELL_FRACTION_BITS = 20
export const MAX_DIMENSION = 3
/** A cell is 2^s of the smallest unit wide; i64 has 64 bits. */
export const MAX_CELL_LEVEL = 63

interface AnyCell {
  /** s. The cell's side is 2^s of the smallest unit. */
  readonly level: number
  /** q: one to three i64, fixed point 2^-20. Their number is d. */
  readonly position: readonly bigint[]
  readonly agentId: Uint8Array
  readonly leaseNumber: bigint
  readonly leaseUntilEpoch: bigint
}

/** What a PUT of key type `cell` says beside the record. */
export type CellFields =
  | (AnyCell & { readonly authorityKind: 1; readonly authorityStakeId: bigint })
  | (AnyCell & {
      readonly authorityKind: 2
      readonly authorityStakeId: bigint
      /** A wire frame of form 0, see `lease.ts`. */
      readonly leaseFrame: Uint8Array
    })
  | (AnyCell & {
      readonly authorityKind: 3
      readonly authorityMeshId: Uint8Array
    })

export function writeCell(writer: BodyWriter, cell: CellFields): void {
  const problem = problemOf(cell)
  if (problem) throw new EncodeError('body', ...problem)
  writer.u8('d', cell.position.length).u8('s', cell.level)
  for (const q of cell.position) writer.i64('q', q)
  writer
    .bytes32('agentId', cell.agentId)
    .u64('leaseNumber', cell.leaseNumber)
    .u64('leaseUntilEpoch', cell.leaseUntilEpoch)
    .u8('authorityKind', cell.authorityKind)
  if (cell.authorityKind === AUTHORITY.mesh) {
    writer.bytes32('authority', cell.authorityMeshId)
    return
  }
  writer.bytes(new Uint8Array(24)).u64('authority', cell.authorityStakeId)
  if (cell.authorityKind === AUTHORITY.lease) writer.u16('lease', cell.leaseFrame.length).bytes(cell.leaseFrame)
}

export function readCell(reader: BodyReader): CellFields {
  const dimension = reader.u8('d')
  if (dimension < 1 || dimension > MAX_DIMENSION) {
    throw new DecodeError('body', 'd', `${dimension} dimensions, not 1 to ${MAX_DIMENSION}`)
  }
  const level = reader.u8('s')
  const position: bigint[] = []
  while (position.length < dimension) position.push(reader.i64('q'))
  const common: AnyCell = {
    level,
    position,
    agentId: reader.bytes32('agentId'),
    leaseNumber: reader.u64('leaseNumber'),
    leaseUntilEpoch: reader.u64('leaseUntilEpoch'),
  }
  const cell = withAuthority(common, reader)
  const problem = problemOf(cell)
  if (problem) throw new DecodeError('body', ...problem)
  return cell
}

function withAuthority(common: AnyCell, reader: BodyReader): CellFields {
  const authorityKind = reader.u8('authorityKind')
  switch (authorityKind) {
    case AUTHORITY.writer:
      return {
        ...common,
        authorityKind,
        authorityStakeId: readStakeId(reader),
      }
    case AUTHORITY.lease: {
      const authorityStakeId = readStakeId(reader)
      const length = reader.u16('lease')
      if (length > MAX_LEASE_FRAME_BYTES) {
        throw new DecodeError('body', 'lease', `${length} bytes, the limit is ${MAX_LEASE_FRAME_BYTES}`)
      }
      return {
        ...common,
        authorityKind,
        authorityStakeId,
        leaseFrame: reader.bytes('lease', length),
      }
    }
    case AUTHORITY.mesh:
      return {
        ...common,
        authorityKind,
        authorityMeshId: reader.bytes32('authority'),
      }
    default:
      throw new DecodeError('body', 'authorityKind', `${authorityKind} is none`)
  }
}

function readStakeId(reader: BodyReader): bigint {
  if (!isZero(reader.bytes('authority', 24))) {
    throw new DecodeError('body', 'authority', 'a stake id is 8 bytes, left-padded with 24 zero bytes')
  }
  return reader.u64('authority')
}

function problemOf(cell: CellFields): [field: string, problem: string] | undefined {
  const dimension = cell.position.length
  if (dimension < 1 || dimension > MAX_DIMENSION) return ['d', `${dimension} dimensions, not 1 to ${MAX_DIMENSION}`]
  if (cell.level > MAX_CELL_LEVEL) return ['s', `level ${cell.level}, the limit is ${MAX_CELL_LEVEL}`]
  if (cell.authorityKind === AUTHORITY.mesh) {
    return isZero(cell.authorityMeshId) ? ['authority', 'zero is no mesh'] : undefined
  }
  if (cell.authorityStakeId === 0n) return ['authority', 'zero is no stake']
  return cell.authorityKind === AUTHORITY.lease ? checkLeaseFrame(cell.leaseFrame, cell) : undefined
}
