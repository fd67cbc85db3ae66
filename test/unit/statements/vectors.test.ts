import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fromHex, type Hex } from '../../../node/core/index.ts'
import { nativeSecp256k1, nobleSecp256k1, recoverSigner, verifyDigest } from '../../../node/statements/index.ts'
import { vectorFiles } from '../../vectors/generate.ts'

const read = (name: string) => readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8')

// Bites: change any byte of a format (seen with the order of `size` and `expiryEpoch` in PUT swapped).
test.each(Object.entries(vectorFiles()))('the code still gives %s', (name, text) => {
  expect(text).toBe(read(name))
})

// Bites: drop the check of low s, or of r below the order, in `isSignatureForm`.
test.each([nativeSecp256k1, nobleSecp256k1].filter((curve) => curve !== undefined))(
  '$name agrees with the vectors of signatures',
  (curve) => {
    const vectors = JSON.parse(read('signatures.json')) as {
      signer: Hex
      publicKey: Hex
      name: string[]
      digest: Hex[]
      signature: Hex[]
      v: number[]
      valid: boolean[]
      recovers: boolean[]
    }
    for (const [i, name] of vectors.name.entries()) {
      const digest = fromHex(vectors.digest[i]!)
      const signature = fromHex(vectors.signature[i]!)
      const parity = (vectors.v[i]! - 27) as 0 | 1
      expect(verifyDigest(fromHex(vectors.publicKey), digest, signature, curve), name).toBe(vectors.valid[i])
      expect(recoverSigner(digest, signature, parity, curve) === vectors.signer, name).toBe(vectors.recovers[i])
    }
  },
)
