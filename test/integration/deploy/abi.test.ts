import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { stakeRegistryAbi } from '../../../node/chain/index.ts'
import { abiFile, generateAbi } from '../../../scripts/generate-abi.ts'

describe('generated ABIs', () => {
  // Seen to fail when an error was renamed in the contracts and the file not generated anew.
  it('are those of the compiled contracts', () => {
    expect(readFileSync(abiFile, 'utf8') === generateAbi(), 'run `npm run generate:abi`').toBe(true)
  })

  it('carry the errors of every contract, since a call often reverts inside another one', () => {
    const errors = stakeRegistryAbi.filter((entry) => entry.type === 'error').map((entry) => entry.name)
    expect(errors).toEqual(
      expect.arrayContaining(['BelowMinimum', 'AlreadySlashed', 'BadSignature', 'MoreThanPerCall']),
    )
  })
})
