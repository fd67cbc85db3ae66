import { Buffer } from 'node:buffer'
import type { Table } from '../../core/index.ts'
import type { Case } from './case.ts'
import type { SentTransaction } from './transaction.ts'

const CASE_PREFIX = 'case/'
const TRANSACTION_PREFIX = 'tx/'
const NONCE_DIGITS = 16

/** The reporter's durable memory: cases by fault id, transactions by nonce. */
export class Outbox {
  readonly #table: Table

  constructor(table: Table) {
    this.#table = table
  }

  cases(): Case[] {
    return this.#all<Case>(CASE_PREFIX)
  }

  transactions(): SentTransaction[] {
    return this.#all<SentTransaction>(TRANSACTION_PREFIX)
  }

  putCase(record: Case): Promise<void> {
    return this.#write(CASE_PREFIX + record.faultId, record)
  }

  deleteCase(record: Case): Promise<void> {
    return this.#write(CASE_PREFIX + record.faultId, undefined)
  }

  putTransaction(record: SentTransaction): Promise<void> {
    return this.#write(transactionKey(record.nonce), record)
  }

  deleteTransaction(nonce: number): Promise<void> {
    return this.#write(transactionKey(nonce), undefined)
  }

  #all<T>(prefix: string): T[] {
    const rows: T[] = []
    for (const [, value] of this.#table.range(Buffer.from(prefix), Buffer.from(`${prefix}\xff`))) {
      rows.push(JSON.parse(Buffer.from(value).toString('utf8'), reviveBigInt) as T)
    }
    return rows
  }

  async #write(key: string, value: unknown): Promise<void> {
    const bytes = value === undefined ? undefined : Buffer.from(JSON.stringify(value, replaceBigInt))
    await this.#table.write([[Buffer.from(key), bytes]])
  }
}

function transactionKey(nonce: number): string {
  return TRANSACTION_PREFIX + String(nonce).padStart(NONCE_DIGITS, '0')
}

/** Big integers as decimal digits and an n: no other text field of these records looks so. */
function replaceBigInt(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

function reviveBigInt(_: string, value: unknown): unknown {
  return typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value
}
