import {
  type Address,
  equalBytes,
  FAULT,
  type KeyTenure,
  KIND,
  type ProtocolParams,
  type SignedStatement,
} from '../../core/index.ts'
import {
  type DomainSeparator,
  decodeBody,
  evidenceOfEquivocation,
  evidenceOfOverrun,
  indexOf,
  isMetered,
  judge,
  limitOf,
  type PutBody,
  packSlot,
  type ReceiptBody,
  recordKeyOf,
  statementDigest,
} from '../../statements/index.ts'

/** A PUT statement that somebody signed. */
export interface WitnessedPut {
  readonly signed: SignedStatement
  readonly bodies: readonly Uint8Array[]
  readonly puts: readonly PutBody[]
  readonly writerStakeId: number
}

/** A promise that an honest node signed, whether or not it reached anybody. */
export interface WitnessedReceipt {
  readonly signed: SignedStatement
  readonly leaf: number
  readonly body: ReceiptBody
  readonly stakeId: number
  /** Chain time at which it was signed. */
  readonly atSeconds: number
}

export interface StatementWitnessModules {
  readonly separator: DomainSeparator
  readonly params: ProtocolParams
  readonly key: (address: Address) => KeyTenure | undefined
  /** Unix seconds of the newest block. */
  readonly chainSeconds: () => number
}

/**
 * Sees every statement as it is signed, and judges it as the court would: two contents in a slot, an index at its limit.
 * What was signed and never sent counts as well: a crash between the two must not free the slot.
 */
export class StatementWitness {
  readonly #modules: StatementWitnessModules
  readonly #said = new Map<string, SignedStatement>()
  readonly #puts = new Map<string, WitnessedPut[]>()
  readonly #putAt = new Map<string, WitnessedPut>()
  readonly #versions = new Map<string, { readonly position: bigint; readonly expiryEpoch: number }[]>()
  readonly receipts: WitnessedReceipt[] = []
  /** Evidence that convicts an honest key: there must be none. */
  readonly problems: string[] = []
  #statements = 0

  constructor(modules: StatementWitnessModules) {
    this.#modules = modules
  }

  /** Statements seen. */
  get statements(): number {
    return this.#statements
  }

  saw(signed: SignedStatement, bodies: readonly Uint8Array[], of: { readonly isHonest: boolean }): void {
    this.#statements++
    if (of.isHonest) this.#judge(signed)
    const { chainSeconds, separator, key } = this.#modules
    const { kind } = signed.statement
    const stakeId = key(signed.signer)?.stakeId
    if (stakeId === undefined) return
    if (kind === KIND.put) {
      const digest = statementDigest(separator, signed.statement)
      const puts = bodies.map((bytes) => decodeBody(kind, bytes))
      const put = { signed, bodies, puts, writerStakeId: stakeId }
      this.#puts.set(hexOf(digest), [...(this.#puts.get(hexOf(digest)) ?? []), put])
      for (const body of puts) {
        const name = hexOf(recordKeyOf(body, stakeId))
        const version = { position: signed.statement.position, expiryEpoch: Number(body.expiryEpoch) }
        this.#versions.set(name, [...(this.#versions.get(name) ?? []), version])
      }
      this.#putAt.set(`${signed.signer} ${signed.statement.position}`, put)
    }
    if (kind === KIND.receipt && of.isHonest) {
      for (const [leaf, bytes] of bodies.entries()) {
        const body = decodeBody(kind, bytes)
        this.receipts.push({ signed, leaf, body, stakeId, atSeconds: chainSeconds() })
        // Such a receipt could be opened by nobody, or for another than who was promised.
        if (this.promised(body) === undefined) {
          this.problems.push(`stake ${stakeId} promised stake ${body.publisherStakeId} a PUT that it never signed`)
        }
      }
    }
  }

  /**
   * The PUT statement with this digest whose body at `leaf` is of that record, if anybody ever signed it. A digest alone
   * does not name its signer: two stakes, or two keys of one, that say the same at the same position have the same one.
   */
  put(
    digest: Uint8Array,
    leaf: number,
    recordKey: Uint8Array,
    by: { readonly signer?: Address; readonly stakeId?: number } = {},
  ): WitnessedPut | undefined {
    return this.#puts.get(hexOf(digest))?.find(({ puts, signed, writerStakeId }) => {
      const body = puts[leaf]
      const isSigner = (by.signer ?? signed.signer) === signed.signer && (by.stakeId ?? writerStakeId) === writerStakeId
      return isSigner && body !== undefined && equalBytes(recordKeyOf(body, writerStakeId), recordKey)
    })
  }

  /** The PUT that a receipt is for: of the stake that it names. */
  promised({ leaf, publisherStakeId, putDigest, recordKey }: ReceiptBody): WitnessedPut | undefined {
    return this.put(putDigest, leaf, recordKey, { stakeId: Number(publisherStakeId) })
  }

  /** The first epoch in which a version of a record ends that anybody signed at `position` or after it, stored or not. */
  endOf(recordKey: Uint8Array, position: bigint): number {
    const later = this.#versions.get(hexOf(recordKey))?.filter((version) => version.position >= position) ?? []
    return Math.min(...later.map(({ expiryEpoch }) => expiryEpoch))
  }

  /** The PUT statement last signed in a slot. */
  putAt(signer: Address, position: bigint): WitnessedPut | undefined {
    return this.#putAt.get(`${signer} ${position}`)
  }

  #judge(signed: SignedStatement): void {
    const { chainSeconds, key, params, separator } = this.#modules
    const { signer, statement } = signed
    const context = { domain: separator, params, key, at: chainSeconds() }
    const slot = { signer, ...statement }
    if (isMetered(statement.kind) && indexOf(statement.position) >= limitOf(statement.kind, params)) {
      const verdict = judge(FAULT.overrun, evidenceOfOverrun(separator, slot, contentOf(signed)), context)
      if (verdict.proven) this.problems.push(`stake ${verdict.stakeId} overran its meter at ${statement.position}`)
    }
    const name = hexOf(packSlot(slot))
    const before = this.#said.get(name)
    if (before === undefined) {
      this.#said.set(name, signed)
      return
    }
    if (Buffer.compare(before.statement.content, statement.content) === 0) return
    const evidence = evidenceOfEquivocation(separator, slot, contentOf(before), contentOf(signed))
    const verdict = judge(FAULT.equivocation, evidence, context)
    const what = `kind ${statement.kind} at ${statement.position} by ${signer}`
    this.problems.push(`two contents in one slot, ${what}: ${verdict.proven ? 'proven' : verdict.error}`)
  }
}

function contentOf({ signature, statement }: SignedStatement) {
  return { content: statement.content, signature }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
