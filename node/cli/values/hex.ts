import type { Address, Hex } from '../../core/index.ts'
import { ValueError } from '../option.ts'

/** A reader of exactly `length` bytes of hex with `0x`; `what` names them in the error. */
export function hexBytes(length: number, what: string): (text: string) => Hex {
  return (text) => {
    if (!/^0x[0-9a-fA-F]*$/.test(text)) {
      throw new ValueError(
        `expected ${what}: 0x and ${length * 2} hex digits, got ${JSON.stringify(text.slice(0, 80))}`,
      )
    }
    const digits = text.length - 2
    if (digits !== length * 2)
      throw new ValueError(`expected ${what}: ${length * 2} hex digits after 0x, got ${digits}`)
    return text.toLowerCase() as Hex
  }
}

const address = hexBytes(20, 'an address')

/** An Ethereum address, lower-cased; the zero address is refused. */
export function parseAddress(text: string): Address {
  const parsed = address(text)
  if (/^0x0{40}$/.test(parsed)) throw new ValueError('the zero address is nobody')
  return parsed
}
