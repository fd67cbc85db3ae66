/** `0x`-prefixed lower-case hexadecimal. */
export type Hex = `0x${string}`

/** A 20-byte Ethereum address, always lower-case inside the node so that it can be a map key. */
export type Address = Hex

/** Lower-case `0x` hex of `bytes`. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/**
 * The bytes of an even-length `0x` hex string.
 * @throws {TypeError} when `hex` is not `0x` followed by whole bytes.
 */
export function fromHex(hex: string): Uint8Array {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(hex)) {
    throw new TypeError(`expected 0x and whole bytes of hex, got ${JSON.stringify(hex.slice(0, 80))}`)
  }
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'))
}

/** Whether two byte strings are equal. Not constant time: nothing secret is compared here. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}
