import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Address, equalBytes, fromHex, type Hex, toHex } from '../../core/index.ts'
import { replaceFile } from '../replace-file.ts'
import { type LedgerBlock, StakeLedger } from './ledger.ts'
import { PackedStakeTables } from './packed-tables.ts'
import type { TableChange } from './reducer.ts'

const MAGIC = Buffer.from('suprnova stakes 1\n')
const DIGEST_BYTES = 32

/** Which registry a snapshot is of. Another one's is never read. */
export interface SnapshotSubject {
  readonly chainId: bigint
  readonly genesisHash: Hex
  readonly registry: Address
  readonly salt: Hex
}

interface Header {
  readonly subject: string
  readonly stakesBytes: number
  readonly keysBytes: number
  readonly completeFrom: number | null
  readonly blocks: unknown[]
}

/** What a snapshot file gave. It is a cache: an unusable one is named, and the view is built anew from the chain. */
export type SnapshotRead =
  | { readonly outcome: 'loaded'; readonly ledger: StakeLedger }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'unusable'; readonly reason: string }

/** Writes the ledger to `file`, whole or not at all: magic, header as JSON, rows, SHA-256 of it all. */
export async function writeSnapshot(file: string, subject: SnapshotSubject, ledger: StakeLedger): Promise<void> {
  await replaceFile(file, encodeSnapshot(subject, ledger))
}

export async function readSnapshot(file: string, subject: SnapshotSubject): Promise<SnapshotRead> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { outcome: 'absent' }
    return { outcome: 'unusable', reason: (error as Error).message }
  }
  return decodeSnapshot(bytes, subject)
}

export function encodeSnapshot(subject: SnapshotSubject, ledger: StakeLedger): Uint8Array {
  const { stakes, keys } = ledger.tables.dump()
  const header: Header = {
    subject: subjectText(subject),
    stakesBytes: stakes.length,
    keysBytes: keys.length,
    completeFrom: ledger.completeFrom ?? null,
    blocks: ledger.blocks.map((block) => ({ ...block, undo: block.undo.map(changeToJson) })),
  }
  const headerBytes = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(headerBytes.length)
  const body = Buffer.concat([MAGIC, length, headerBytes, stakes, keys])
  return Buffer.concat([body, createHash('sha256').update(body).digest()])
}

export function decodeSnapshot(bytes: Uint8Array, subject: SnapshotSubject): SnapshotRead {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerAt = MAGIC.length + 4
  if (file.length < headerAt + DIGEST_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) {
    return { outcome: 'unusable', reason: 'not a snapshot of stakes' }
  }
  const body = file.subarray(0, file.length - DIGEST_BYTES)
  if (!equalBytes(createHash('sha256').update(body).digest(), file.subarray(file.length - DIGEST_BYTES))) {
    return { outcome: 'unusable', reason: 'its checksum does not match' }
  }
  const rowsAt = headerAt + file.readUInt32BE(MAGIC.length)
  const header = JSON.parse(file.toString('utf8', headerAt, rowsAt)) as Header
  if (header.subject !== subjectText(subject)) return { outcome: 'unusable', reason: `it is of ${header.subject}` }
  const keysAt = rowsAt + header.stakesBytes
  const tables = PackedStakeTables.load({
    stakes: body.subarray(rowsAt, keysAt),
    keys: body.subarray(keysAt, keysAt + header.keysBytes),
  })
  const blocks = (header.blocks as (Omit<LedgerBlock, 'undo'> & { undo: ChangeJson[] })[]).map((block) => ({
    ...block,
    undo: block.undo.map(changeFromJson),
  }))
  return { outcome: 'loaded', ledger: new StakeLedger(tables, blocks, header.completeFrom ?? undefined) }
}

function subjectText(subject: SnapshotSubject): string {
  return `registry ${subject.registry}, salt ${subject.salt}, chain ${subject.chainId}, genesis ${subject.genesisHash}`
}

interface ChangeJson {
  readonly table: 'stake' | 'key'
  readonly id: number | string
  readonly row: Record<string, unknown> | null
}

function changeToJson(change: TableChange): ChangeJson {
  if (change.table === 'stake') {
    const row = change.row === undefined ? null : { ...change.row, amountWei: String(change.row.amountWei) }
    return { table: 'stake', id: change.stakeId, row }
  }
  // JSON has no Infinity: an open tenure is null.
  const row =
    change.row === undefined
      ? null
      : {
          ...change.row,
          publicKey: toHex(change.row.publicKey),
          untilEpoch: Number.isFinite(change.row.untilEpoch) ? change.row.untilEpoch : null,
        }
  return { table: 'key', id: change.address, row }
}

function changeFromJson(json: ChangeJson): TableChange {
  const { row } = json
  if (json.table === 'stake') {
    const stake =
      row === null
        ? undefined
        : { placement: undefined, speaksSinceBlock: undefined, ...row, amountWei: BigInt(row.amountWei as string) }
    return { table: 'stake', stakeId: json.id as number, row: stake } as TableChange
  }
  const key =
    row === null
      ? undefined
      : {
          previousKey: undefined,
          ...row,
          publicKey: fromHex(row.publicKey as string),
          untilEpoch: row.untilEpoch ?? Number.POSITIVE_INFINITY,
        }
  return { table: 'key', address: json.id as Address, row: key } as TableChange
}
