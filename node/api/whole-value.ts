import { SuprnovaError } from '../core/index.ts'

/** Puts a value of known size together, part by part, in the memory it needs and no more. */
export async function wholeValue(parts: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> {
  const value = new Uint8Array(size)
  let filled = 0
  for await (const part of parts) {
    if (filled + part.length > size) break
    value.set(part, filled)
    filled += part.length
  }
  if (filled === size) return value
  throw new SuprnovaError('VALUE_CUT_OFF', `the value ended after ${filled} of ${size} bytes`, {
    exitCode: 75,
    values: { filled, size },
    hint: 'read it again',
  })
}
