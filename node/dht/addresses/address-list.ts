/** Addresses in one record: as many transports as a node has, and a few more. */
export const ADDRESSES_MAX = 8
/** Characters of one address. */
export const ADDRESS_MAX_CHARS = 256
/** Multiaddrs are ASCII: `/ip4/192.0.2.1/tcp/4001`. What else there is in them is for whoever dials. */
const ADDRESS = /^\/[\x21-\x7e]+$/

/** One address a line, as many as a record takes: the first ones when there are more. */
export function encodeAddresses(addresses: readonly string[]): Uint8Array {
  const fit = addresses.filter((address) => address.length <= ADDRESS_MAX_CHARS && ADDRESS.test(address))
  return new Uint8Array(Buffer.from(fit.slice(0, ADDRESSES_MAX).join('\n'), 'utf8'))
}

/** Reads a list of addresses. Never throws: its writer may have written anything, and then it has none. */
export function decodeAddresses(bytes: Uint8Array): readonly string[] {
  if (bytes.length === 0 || bytes.length > ADDRESSES_MAX * (ADDRESS_MAX_CHARS + 1)) return []
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  const isList = lines.length <= ADDRESSES_MAX && lines.every((line) => line.length <= ADDRESS_MAX_CHARS)
  return isList && lines.every((line) => ADDRESS.test(line)) ? lines : []
}
