import { describe, expect, it } from 'vitest'
import { REDIAL_FIRST_MS, REDIAL_MAX_MS } from '../../../node/net/constants.ts'
import { redialDelayMs } from '../../../node/net/peers/upkeep.ts'

describe('redialDelayMs', () => {
  it('doubles from the first wait to the longest and stays there', () => {
    expect(redialDelayMs(1)).toBe(REDIAL_FIRST_MS)
    expect(redialDelayMs(2)).toBe(2 * REDIAL_FIRST_MS)
    expect(redialDelayMs(50)).toBe(REDIAL_MAX_MS)
    expect(redialDelayMs(5_000)).toBe(REDIAL_MAX_MS)
  })
})
