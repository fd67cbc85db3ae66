import { ValueError } from '../option.ts'

const DECIMALS = 18
const WEI_PER_EGI = 10n ** 18n
/** Amounts are uint96 in the registry. */
const MAX_WEI = 2n ** 96n - 1n

/**
 * An amount of EGI written with decimals, in wei, exactly: no floating point on the way.
 * @throws {ValueError} when it is not a plain decimal number, has more than 18 decimals or exceeds a uint96
 */
export function parseAmount(text: string): bigint {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text)
  if (match === null) {
    throw new ValueError(`expected an amount of EGI such as 1000 or 0.5, got ${JSON.stringify(text)}`)
  }
  const [, whole = '', fraction = ''] = match
  if (fraction.length > DECIMALS) {
    throw new ValueError(`has ${fraction.length} decimals, EGI has ${DECIMALS}`)
  }
  const wei = BigInt(whole) * WEI_PER_EGI + BigInt(fraction.padEnd(DECIMALS, '0'))
  if (wei > MAX_WEI) throw new ValueError(`${text} is more than the largest amount, ${formatAmount(MAX_WEI)} EGI`)
  return wei
}

/** Like {@link parseAmount}, and more than zero. */
export function parsePositiveAmount(text: string): bigint {
  const wei = parseAmount(text)
  if (wei === 0n) throw new ValueError('expected more than 0 EGI')
  return wei
}

/** An amount in wei as EGI, exactly, without trailing zeros. */
export function formatAmount(wei: bigint): string {
  const sign = wei < 0n ? '-' : ''
  const magnitude = wei < 0n ? -wei : wei
  const fraction = (magnitude % WEI_PER_EGI).toString().padStart(DECIMALS, '0').replace(/0+$/, '')
  return `${sign}${magnitude / WEI_PER_EGI}${fraction === '' ? '' : `.${fraction}`}`
}
