import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { CHECKS_WAITING_MAX } from '../../../node/net/constants.ts'
import { openSignaturePool, type SignaturePool } from '../../../node/net/gossip/signature-pool.ts'
import { createSigner } from '../../../node/statements/index.ts'

const signer = createSigner(new Uint8Array(32).fill(7))

function check(holds: boolean) {
  const digest = new Uint8Array(randomBytes(32))
  const signature = signer.sign(holds ? digest : new Uint8Array(randomBytes(32)))
  return { publicKey: signer.publicKey, digest, signature }
}

describe('the signature pool', { timeout: 30_000 }, () => {
  let pool: SignaturePool
  afterEach(() => pool.close())

  // Break it caught: answers matched to the newest question instead of the oldest.
  it('gives each question its own answer, in order', async () => {
    pool = openSignaturePool()
    const expected = Array.from({ length: 100 }, (_, i) => i % 3 === 0)
    const order: number[] = []
    const answers: Promise<boolean>[] = []
    for (const [i, holds] of expected.entries()) {
      // every ten of them go over together
      if (i % 10 === 0) await new Promise((sent) => setImmediate(sent))
      answers.push(pool.check(check(holds)).finally(() => order.push(i)))
    }
    expect(await Promise.all(answers)).toEqual(expected)
    expect(order).toEqual([...expected.keys()])
    expect(pool.size).toBe(0)
  })

  it('lets no more wait than its bound: past it the asker checks', async () => {
    pool = openSignaturePool()
    const good = check(true)
    const answers = Array.from({ length: CHECKS_WAITING_MAX + 10 }, () => pool.check(good))
    expect(pool.size).toBe(CHECKS_WAITING_MAX)
    expect((await Promise.all(answers)).every((holds) => holds)).toBe(true)
  })

  it('takes a signature of any other length for false, and goes on', async () => {
    pool = openSignaturePool()
    const good = check(true)
    const odd = [
      { ...good, signature: good.signature.subarray(1) },
      { ...good, signature: new Uint8Array(65) },
    ]
    expect(await Promise.all([...odd, good].map((one) => pool.check(one)))).toEqual([false, false, true])
  })

  // Break it caught: close() that left questions without an answer, and their messages for ever in judgement.
  it('answers what is under way when it closes, and what comes later', async () => {
    pool = openSignaturePool()
    const asked = [pool.check(check(true)), pool.check(check(false))]
    await pool.close()
    expect(await Promise.all(asked)).toEqual([true, false])
    expect(await pool.check(check(true))).toBe(true)
    expect(pool.size).toBe(0)
  })
})
