import { expect, test } from 'vitest'
import {
  KIND,
  type MeteredKind,
  type SigningGuard,
  type SlotEntry,
  SuprnovaError,
  toHex,
} from '../../../node/core/index.ts'
import {
  createSigner,
  decodeFrame,
  MAX_PAYLOAD_BYTES,
  positionOf,
  StatementSigner,
  verifyDigest,
} from '../../../node/statements/index.ts'
import { bytes32 } from '../../vectors/generators/cast.ts'
import { DOMAIN, gossip, NOW_EPOCH, SEPARATOR, World, ZERO_32 } from './world.ts'

const key = bytes32('a key')

/** Hands out indices and notes the order of what it is asked, as the true guard does without its disk. */
class PlainGuard implements Pick<SigningGuard, 'reserve' | 'remember' | 'signMesh'> {
  readonly calls: string[] = []
  readonly slots = new Map<string, SlotEntry>()
  refuse = false
  #next = 0

  async reserve(kind: MeteredKind): Promise<bigint> {
    this.calls.push('reserve')
    if (this.refuse) throw new SuprnovaError('GUARD_REFUSED', 'lost', { values: { kind, reason: 'lost' } })
    return positionOf(NOW_EPOCH, this.#next++)
  }

  remember(): void {
    this.calls.push('remember')
  }

  async signMesh(...[statement, digest, , sign]: Parameters<SigningGuard['signMesh']>): Promise<SlotEntry> {
    this.calls.push('signMesh')
    const slot = `${statement.kind} ${toHex(statement.scope)} ${statement.position}`
    const entry = this.slots.get(slot) ?? { digest, content: statement.content, signature: sign() }
    this.slots.set(slot, entry)
    if (toHex(entry.digest) === toHex(digest)) return entry
    throw new SuprnovaError('GUARD_REFUSED', 'slot', { values: { reason: 'slot' } })
  }
}

function open() {
  const plain = createSigner(key)
  const guard = new PlainGuard()
  const sign = (digest: Uint8Array) => {
    guard.calls.push('sign')
    return plain.sign(digest)
  }
  const signer = { ...plain, sign }
  return { guard, signer, statements: new StatementSigner({ guard, signer, domain: DOMAIN }) }
}

test('what it signs is accepted elsewhere', async () => {
  const { signer, statements } = open()
  const world = new World().enrol(signer, 1)
  for (const bodies of [gossip('one'), gossip('one', 'two', 'three')]) {
    const { digest, frame, signed, statement } = await statements.sign(KIND.gossip, bodies)
    expect(world.gossip(frame)).toBe('accept new')
    expect(decodeFrame(frame).signed).toEqual(signed)
    expect(signed.statement).toBe(statement)
    expect(verifyDigest(signer.publicKey, digest, signed.signature)).toBe(true)
  }
  const vote = await statements.signMesh(KIND.finality, bytes32('scope'), 4n, ZERO_32)
  expect(world.any(vote.frame)).toBe('accept new')
})

// Bites: signing before reserving, or reserving twice.
test('the guard is asked before the key, and told before anything leaves', async () => {
  const { guard, statements } = open()
  await statements.sign(KIND.gossip, gossip('x'))
  expect(guard.calls).toEqual(['reserve', 'remember', 'sign'])
})

test('a guard that refuses leaves the key unused', async () => {
  const { guard, statements } = open()
  guard.refuse = true
  await expect(statements.sign(KIND.gossip, gossip('x'))).rejects.toMatchObject({ code: 'GUARD_REFUSED' })
  expect(guard.calls).toEqual(['reserve'])
})

test('in a mesh slot the same body has the same frame, and another is refused', async () => {
  const { guard, statements } = open()
  const scope = bytes32('scope')
  const first = await statements.signMesh(KIND.notarize, scope, 1n, bytes32('block'))
  const again = await statements.signMesh(KIND.notarize, scope, 1n, bytes32('block'))
  expect(again.frame).toEqual(first.frame)
  expect(guard.calls).toEqual(['signMesh', 'sign', 'signMesh'])
  await expect(statements.signMesh(KIND.notarize, scope, 1n, bytes32('other'))).rejects.toMatchObject({
    code: 'GUARD_REFUSED',
  })
})

// Bites: no check before the guard: an index is spent, or worse, something is signed that no node accepts.
test('what no node would accept is refused before the guard is asked', async () => {
  const { guard, statements } = open()
  const tooLong = new Uint8Array(32 + MAX_PAYLOAD_BYTES + 1)
  await expect(statements.sign(KIND.gossip, [])).rejects.toMatchObject({
    code: 'UNENCODABLE_STATEMENT',
    field: 'bodies',
  })
  await expect(statements.sign(KIND.gossip, Array(65).fill(gossip('x')[0]))).rejects.toMatchObject({ field: 'bodies' })
  await expect(statements.sign(KIND.gossip, [tooLong])).rejects.toMatchObject({ code: 'BAD_BODY', field: 'payload' })
  await expect(statements.sign(KIND.put, [ZERO_32])).rejects.toMatchObject({ code: 'BAD_BODY' })
  await expect(statements.signMesh(KIND.notarize, ZERO_32, 1n, bytes32('b'))).rejects.toMatchObject({ field: 'scope' })
  await expect(statements.signMesh(KIND.notarize, bytes32('s').subarray(1), 1n, bytes32('b'))).rejects.toMatchObject({
    field: 'scope',
  })
  expect(guard.calls).toEqual([])
})

test('a separator does as well as a plain domain', async () => {
  const { guard, signer } = open()
  const statements = new StatementSigner({ guard, signer, domain: SEPARATOR })
  const { frame } = await statements.sign(KIND.gossip, gossip('x'))
  expect(new World().enrol(signer, 1).gossip(frame)).toBe('accept new')
})
