import { createHash } from 'node:crypto'

/**
 * The id of a message: SHA-256 over its topic and all its bytes. A broken copy, or the same bytes under another
 * topic, has another id: gossipsub marks a message seen before it is checked, so neither can shadow the good one.
 * @returns the first 20 bytes
 */
export function messageId(message: { readonly topic: string; readonly data: Uint8Array }): Uint8Array {
  return createHash('sha256').update(message.topic).update('\0').update(message.data).digest().subarray(0, 20)
}

/** The id as a map key: one character a byte. */
export function messageIdText(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1')
}
