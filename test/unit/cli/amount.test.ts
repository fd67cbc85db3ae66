import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatAmount, parseAmount, parsePositiveAmount } from '../../../node/cli/values/amount.ts'

const MAX = 2n ** 96n - 1n

describe('amounts of EGI', () => {
  // Bites: reading through Number() loses the last digits of amounts from 2^53 wei on.
  it('are read and written exactly, at every size', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: MAX }), (wei) => {
        expect(parseAmount(formatAmount(wei))).toBe(wei)
      }),
    )
  })

  it('reads what people write', () => {
    expect(parseAmount('1')).toBe(10n ** 18n)
    expect(parseAmount('0.5')).toBe(5n * 10n ** 17n)
    expect(parseAmount('1000.000000000000000001')).toBe(10n ** 21n + 1n)
    expect(formatAmount(10n ** 18n)).toBe('1')
    expect(formatAmount(1n)).toBe('0.000000000000000001')
    expect(formatAmount(-15n * 10n ** 17n)).toBe('-1.5')
  })

  it.each(['', '-1', '+1', '1e3', '1,5', '1.', '.5', '0x10', ' 1', '1 EGI', 'NaN', '١'])('refuses %j', (text) => {
    expect(() => parseAmount(text)).toThrow(/expected an amount of EGI/)
  })

  it('names the limit it is past', () => {
    expect(() => parseAmount('1.0000000000000000001')).toThrow('has 19 decimals, EGI has 18')
    expect(() => parseAmount('79228162514.264337593543950336')).toThrow('79228162514.264337593543950335 EGI')
    expect(parseAmount('79228162514.264337593543950335')).toBe(MAX)
    expect(() => parsePositiveAmount('0.0')).toThrow('more than 0')
  })
})
