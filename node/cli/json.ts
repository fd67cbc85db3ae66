/** JSON in one line; bigints as decimal strings, bytes as hex, errors as their message. */
export function toJsonLine(data: unknown): string {
  return JSON.stringify(data ?? null, plain)
}

/** JSON for reading; bigints as decimal strings, bytes as hex, errors as their message. */
export function toJsonDocument(data: unknown): string {
  return JSON.stringify(data ?? null, plain, 2)
}

function plain(_key: string, item: unknown): unknown {
  if (typeof item === 'bigint') return item.toString()
  if (item instanceof Uint8Array) return `0x${Buffer.from(item).toString('hex')}`
  if (item instanceof Error) return item.message
  return item
}
