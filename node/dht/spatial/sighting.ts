import { equalBytes, toHex } from '../../core/index.ts'
import { AUTHORITY, type CellFields, KEY_TYPE } from '../../statements/index.ts'
import type { DhtRecord } from '../interface.ts'
import { comparePuts } from '../records/version.ts'
import { HINT_ID, readHint } from './hint.ts'
import { type EntryValue, readPresence } from './presence.ts'

/** What an entry says of its agent. */
export interface Sighting {
  /** Names the agent: its id and authority. */
  readonly name: string
  readonly record: DhtRecord
  readonly cell: CellFields
  /** Where it is, fixed point. In a cell that it left: where it went. */
  readonly q: readonly bigint[]
  /** `undefined`: it is gone, or said what cannot be read. */
  readonly value: EntryValue | undefined
}

/** What an entry of a cell is. */
export type Entry =
  | { readonly kind: 'agent'; readonly sighting: Sighting }
  | { readonly kind: 'hint'; readonly writerStakeId: number; readonly mask: number }

/** Entries that were read before: records that come again are the same objects. */
const known = new WeakMap<DhtRecord, Entry | null>()

/** Reads an entry; `undefined` for a record that is none. */
export function entryIn(record: DhtRecord): Entry | undefined {
  const before = known.get(record)
  if (before !== undefined) return before ?? undefined
  const entry = read(record)
  known.set(record, entry ?? null)
  return entry
}

function read(record: DhtRecord): Entry | undefined {
  const { put, value, writerStakeId } = record
  if (put.keyType !== KEY_TYPE.cell) return undefined
  const { cell } = put
  if (equalBytes(cell.agentId, HINT_ID)) {
    const isOwn = cell.authorityKind === AUTHORITY.writer
    return isOwn ? { kind: 'hint', writerStakeId, mask: readHint(value) } : undefined
  }
  const said = readPresence(value)
  const isFit = said?.at === undefined || said.at.length === cell.position.length
  const sighting = {
    name: toHex(record.entry),
    ...{ record, cell },
    q: (isFit ? said?.at : undefined) ?? cell.position,
    value: isFit ? said : undefined,
  }
  return { kind: 'agent', sighting }
}

/** Keeps the newest sighting of each agent, whichever cell it stands in. */
export function take(newest: Map<string, Sighting>, sighting: Sighting): void {
  const before = newest.get(sighting.name)
  if (before === undefined || comparePuts(before.record, sighting.record) < 0) {
    newest.set(sighting.name, sighting)
  }
}
