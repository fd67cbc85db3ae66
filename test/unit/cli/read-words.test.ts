import { describe, expect, it } from 'vitest'
import { describeRead } from '../../../node/cli/network/read-words.ts'

describe('what is said of a value that was read', () => {
  it('is its size and writer, and whether a newer one may have been missed', () => {
    expect(describeRead({ size: 5, writer: 1, quorum: true, missing: [] })).toBe('5 bytes of stake 1')
    expect(describeRead({ size: 5, writer: 1, quorum: false })).toBe('5 bytes of stake 1, not confirmed by a quorum')
  })

  it('names each stake that did not keep its promise, and what can be done', () => {
    const lines = describeRead({ size: 5, writer: 1, quorum: true, missing: [3, 4] }).split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toMatch(/^stake 3 promised it .* --stake 3`, then `suprnova evidence challenge`$/)
    expect(lines[2]).toMatch(/^stake 4 /)
  })
})
