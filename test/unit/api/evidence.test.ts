import { expect, test } from 'vitest'
import { EvidenceBook, FAULTS_KEPT } from '../../../node/api/evidence-book.ts'
import { EvidenceDesk } from '../../../node/api/evidence-desk.ts'
import { considerOwnOffence } from '../../../node/api/own-offence.ts'
import {
  type Address,
  type Domain,
  FAULT,
  type Hex,
  KIND,
  type Logger,
  type Offence,
  type Slot,
  type Table,
  toHex,
} from '../../../node/core/index.ts'
import { createSigner, DomainSeparator, equivocationOffence, statementDigest } from '../../../node/statements/index.ts'

const domain: Domain = { chainId: 31_337n, verifyingContract: `0x${'11'.repeat(20)}`, salt: `0x${'22'.repeat(32)}` }
const separator = new DomainSeparator(domain)
const signer = createSigner(new Uint8Array(32).fill(7))
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet }

function memoryTable(): Table {
  const rows = new Map<string, readonly [Uint8Array, Uint8Array]>()
  return {
    get: (key) => rows.get(toHex(key))?.[1],
    async write(writes) {
      for (const [key, value] of writes) {
        if (value === undefined) rows.delete(toHex(key))
        else rows.set(toHex(key), [key, value])
      }
    },
    range: () => rows.values(),
  }
}

function offence(number: number): Offence {
  const faultId: Hex = `0x${number.toString(16).padStart(64, '0')}`
  const slot: Hex = `0x${'33'.repeat(32)}`
  return {
    faultType: FAULT.overrun,
    stakeId: number,
    signer: '0x01',
    slot,
    faultId,
    evidence: new Uint8Array([1, 2]),
    domain,
  }
}

test('a fault is added once, its state follows, newest first', () => {
  const book = new EvidenceBook({ domain }, { table: memoryTable() })
  expect(book.add(offence(1))).toBe(true)
  expect(book.add(offence(1))).toBe(false)
  expect(book.add(offence(2))).toBe(true)
  book.note(offence(1).faultId, 'slashed')
  book.note(offence(9).faultId, 'slashed')
  expect(book.list().map(({ stakeId, state }) => [stakeId, state])).toEqual([
    [2, 'seen'],
    [1, 'slashed'],
  ])
})

// Catches a book that forgets with the process.
test('it survives a restart whole', async () => {
  const table = memoryTable()
  const book = new EvidenceBook({ domain }, { table })
  book.add(offence(1))
  book.add(offence(2))
  book.note(offence(1).faultId, 'rewarded')
  await book.close()
  const again = new EvidenceBook({ domain }, { table })
  expect(again.list()).toEqual(book.list())
  expect(again.get(offence(1).faultId)).toEqual(offence(1))
})

// Catches a book without a bound, and one that forgets an open case before a finished one.
test('it is bounded, and forgets what is finished first', () => {
  const book = new EvidenceBook({ domain }, { table: memoryTable() })
  for (let number = 1; number <= FAULTS_KEPT; number++) book.add(offence(number))
  book.note(offence(5).faultId, 'slashed')
  book.add(offence(FAULTS_KEPT + 1))
  expect(book.list()).toHaveLength(FAULTS_KEPT)
  expect(book.get(offence(5).faultId)).toBeUndefined()
  book.add(offence(FAULTS_KEPT + 2))
  expect(book.get(offence(1).faultId)).toBeUndefined()
  expect(book.get(offence(2).faultId)).toBeDefined()
})

test('what cannot be written is told at the close', async () => {
  const table = { ...memoryTable(), write: () => Promise.reject(new Error('disk full')) }
  const book = new EvidenceBook({ domain }, { table })
  book.add(offence(1))
  expect(book.list()).toHaveLength(1)
  await expect(book.close()).rejects.toThrow('disk full')
})

// Catches a node that goes on signing though evidence shows that somebody else holds its key.
test('evidence against the own key is shown to the guard, statement by statement', () => {
  const slot: Slot = { signer: signer.address, kind: KIND.gossip, scope: new Uint8Array(32), position: 5n }
  const say = (byte: number) => {
    const content = new Uint8Array(32).fill(byte)
    return { content, signature: signer.sign(statementDigest(separator, { ...slot, content })) }
  }
  const observed: string[] = []
  const errors: string[] = []
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (message) => errors.push(message),
    with: () => logger,
  }
  const guard = {
    observeOwn(statement: { content: Uint8Array }, digest: Uint8Array) {
      observed.push(`${toHex(statement.content)} ${toHex(digest)}`)
      return false
    },
  }
  considerOwnOffence(equivocationOffence(separator, 3, slot, say(1), say(2)), separator, { guard, logger })
  expect(observed).toEqual(
    [1, 2].map((byte) => {
      const content = new Uint8Array(32).fill(byte)
      return `${toHex(content)} ${toHex(statementDigest(separator, { ...slot, content }))}`
    }),
  )
  expect(errors).toEqual(['there is evidence against the key of this node: somebody else may hold it'])
})

function equivocation(byte: number): Offence {
  const slot: Slot = { signer: signer.address, kind: KIND.gossip, scope: new Uint8Array(32), position: BigInt(byte) }
  const say = (filler: number) => {
    const content = new Uint8Array(32).fill(filler)
    return { content, signature: signer.sign(statementDigest(separator, { ...slot, content })) }
  }
  return equivocationOffence(separator, 3, slot, say(1), say(2))
}

/** A desk that writes down, in order, what it had done. */
function desk(key: Address, table = memoryTable(), withReporter = true) {
  const done: string[] = []
  const book = new EvidenceBook({ domain }, { table })
  const note = (what: string) => (offence: Offence) => void done.push(`${what} ${offence.stakeId}`)
  const slotIndex = { quarantine: (who: Address) => void done.push(`quarantine ${who}`) }
  const guard = { observeOwn: () => done.push('observe') > 0 }
  const reporter = withReporter ? { report: note('report') } : undefined
  const modules = { book, slotIndex, guard, reporter, tell: note('tell'), logger: quiet }
  return { desk: new EvidenceDesk({ key, domain: separator }, modules), book, done }
}

// Catches a desk that leaves to the next witness what was not in court yet: the signer is quarantined, so there is none.
test('what the court did not know of when the node ended is reported again at the start', async () => {
  const table = memoryTable()
  const before = desk('0x02', table)
  for (const number of [1, 2, 3, 4]) before.desk.report(offence(number))
  before.desk.report(equivocation(9))
  before.book.note(offence(2).faultId, 'committed')
  before.book.note(offence(3).faultId, 'slashed')
  before.book.note(offence(4).faultId, 'refused')
  await before.book.close()
  const after = desk(signer.address, table)
  after.desk.resume()
  expect(after.done).toEqual(['report 1', 'report 2'])
})

// Catches a desk that reports its own stake, or tells others before the guard knows.
test('evidence against the own key goes to the guard before anything else, and to no court', () => {
  for (const withReporter of [true, false]) {
    const { desk: own, book, done } = desk(signer.address, memoryTable(), withReporter)
    own.report(equivocation(1))
    expect(done).toEqual(['observe', 'observe'])
    expect(book.list()).toHaveLength(1)
  }
  const broken = desk(signer.address, {
    ...memoryTable(),
    write: () => {
      throw new Error('store closed')
    },
  })
  expect(() => broken.desk.report(equivocation(1))).toThrow('store closed')
  expect(broken.done).toEqual(['observe', 'observe'])
})

test('evidence against others silences them here, and goes to court or else to others', () => {
  const reported = desk('0x02')
  reported.desk.report(equivocation(1))
  expect(reported.done).toEqual([`quarantine ${signer.address}`, 'report 3'])
  const told = desk('0x02', memoryTable(), false)
  told.desk.report(equivocation(1))
  told.desk.report(equivocation(1))
  expect(told.done.filter((what) => what === 'tell 3')).toHaveLength(1)
})
