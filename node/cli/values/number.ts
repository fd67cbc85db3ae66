import { ValueError } from '../option.ts'

/** A reader of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (!(number >= min && number <= max)) {
      throw new ValueError(`expected a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`)
    }
    return number
  }
}

const tcpPort = wholeNumber(0, 65_535)

/** A TCP port; 0 takes a free one. */
export function parsePort(text: string): number {
  try {
    return tcpPort(text)
  } catch {
    throw new ValueError(`expected a port from 0 to 65535 (0 takes a free one), got ${JSON.stringify(text)}`)
  }
}

/** A number with decimals. */
export function decimal(text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number)) return number
  throw new ValueError(`expected a number, got ${JSON.stringify(text)}`)
}
