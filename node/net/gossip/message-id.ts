import { hash } from 'node:crypto'

const SEPARATOR = Buffer.from([0])
/** One character a byte. Node takes it here; its types leave it out. */
const BYTE_TEXT = 'latin1' as 'binary'

/**
 * The id of a message as a map key: SHA-256 over its topic and all its bytes, one character a byte. A broken copy, or
 * the same bytes under another topic, has another id: gossipsub marks a message seen before it is checked, so neither
 * can shadow the good one.
 */
export function messageKey(topic: string, data: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from(topic), SEPARATOR, data]), BYTE_TEXT)
}

/** The same as bytes, which is how peers name it to each other. */
export function messageId(message: { readonly topic: string; readonly data: Uint8Array }): Uint8Array {
  return Buffer.from(messageKey(message.topic, message.data), 'latin1')
}

/** {@link messageKey} of a {@link messageId}. */
export function messageIdText(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1')
}

/** Where the signature of a frame begins, and where its leaf and path length end. */
const SIGNATURE_AT = 95
const LEAF_END = SIGNATURE_AT + 64 + 2

/**
 * A key that all copies of a frame share: its signature, form, leaf, path length and size. Costs no hash. Another frame
 * may share it with an accepted one only by being invalid: what the signature binds, it binds for both.
 */
export function copyKey(frame: Uint8Array): string {
  const { buffer, byteOffset, length } = frame
  return `${length}:${frame[1]}:${Buffer.from(buffer, byteOffset, length).toString('latin1', SIGNATURE_AT, LEAF_END)}`
}
