import { equalBytes, KIND } from '../../core/index.ts'
import { type Admission, type AdmittedBody, epochOf, KEY_TYPE, type ReceiptBody } from '../../statements/index.ts'
import type { SignedPut } from '../interface.ts'
import { type CarriedPut, decodeStoreAnswer } from '../protocol/messages.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'
import { comparePuts } from '../records/version.ts'
import type { KeptReceipt, ReceiptBook } from './receipt-book.ts'

/** A frame of form 0: one body with its path. The court reads no other. */
const FORM_AT = 1
const FORM_LEAF = 0

export interface ReceiptCheckModules {
  readonly admission: Pick<Admission, 'admit'>
  readonly reader: PutReader
  readonly receipts: ReceiptBook
  /** Epochs that a receipt lives at most. */
  readonly lifeEpochs: number
}

/** What a replica's answer to a STORE is worth. */
export type StoreOutcome =
  | KeptReceipt
  | { readonly newer: SignedPut; readonly reason: string; readonly detail?: string }
  | { readonly reason: string; readonly detail?: string }

/** Verifies what replicas answer to a STORE. A receipt that the court could not judge is none. */
export class ReceiptCheck {
  readonly #modules: ReceiptCheckModules

  constructor(modules: ReceiptCheckModules) {
    this.#modules = modules
  }

  /** @throws DhtError `DHT_BAD_MESSAGE` */
  read(bytes: Uint8Array, record: SignedPut, stakeId: number): StoreOutcome {
    const answer = decodeStoreAnswer(bytes)
    if (answer.status === 'refused') return { reason: answer.reason, detail: answer.detail }
    if (answer.status === 'stored') {
      const kept = this.accept(answer.receipt, stakeId, record)
      return typeof kept === 'string' ? { reason: 'bad-answer', detail: kept } : kept
    }
    const newer = this.#newer(answer.current, record)
    return newer === undefined ? { reason: 'bad-answer', detail: 'nothing newer was shown' } : newer
  }

  /** Verifies a receipt, and keeps it; says what is wrong with any other. */
  accept(receipt: Uint8Array, stakeId: number, of: SignedPut): KeptReceipt | string {
    if (receipt[FORM_AT] !== FORM_LEAF) return 'the receipt is not one body with its path'
    const verdict = this.#modules.admission.admit(receipt, { kinds: [KIND.receipt], repeats: 'accept' })
    if (verdict.outcome !== 'accept') return `receipt: ${verdict.reason}`
    const { signed: said } = verdict
    const [{ body: read, leaf }] = verdict.bodies as readonly [AdmittedBody]
    const body = read as ReceiptBody
    if (verdict.stakeId !== stakeId) return 'another stake signed the receipt'
    const longest = epochOf(said.statement.position) + this.#modules.lifeEpochs
    if (!this.#covers(body, of, longest)) return 'the receipt is not for this record, or too short'
    // What it says beyond that, no court holds it to.
    const untilEpoch = Math.min(Number(body.untilEpoch), longest)
    return this.#modules.receipts.keep(receipt, of, { said, leaf, body, stakeId, untilEpoch })
  }

  #newer(shown: CarriedPut, record: SignedPut): StoreOutcome | undefined {
    const { reader } = this.#modules
    const signed = reader.read(shown.frame)
    if (isRefused(signed) || !equalBytes(signed.recordKey, record.recordKey)) return undefined
    if (!equalBytes(signed.entry, record.entry)) return undefined
    const isJudged = signed.put.keyType === KEY_TYPE.mesh
    const newer = isJudged ? reader.withValue(signed, shown.value ?? new Uint8Array()) : signed
    if (isRefused(newer) || comparePuts(newer, record) <= 0) return undefined
    return { newer, reason: 'superseded' }
  }

  /** Whether a receipt promises all of the record that it may. The two sides may be an epoch apart. */
  #covers(body: ReceiptBody, of: SignedPut, longest: number): boolean {
    const { put, putDigest, recordKey, version, writerStakeId } = of
    const due = Math.min(Number(put.expiryEpoch), longest) - 1
    return (
      equalBytes(body.putDigest, putDigest) &&
      body.leaf === version.leaf &&
      equalBytes(body.recordKey, recordKey) &&
      equalBytes(body.valueRoot, put.valueRoot) &&
      body.size === put.size &&
      body.publisherStakeId === BigInt(writerStakeId) &&
      Number(body.untilEpoch) >= due
    )
  }
}
