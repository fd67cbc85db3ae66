import { DecodeError, EncodeError } from '../errors.ts'
import { MAX_PAYLOAD_BYTES } from './limits.ts'

/** An entropy source's effect on a state: 1 to 16,384 bytes that only its mesh understands. */
export interface EffectBody {
  readonly effect: Uint8Array
}

function isEffectLength(length: number): boolean {
  return length >= 1 && length <= MAX_PAYLOAD_BYTES
}

export function encodeEffect({ effect }: EffectBody): Uint8Array {
  if (isEffectLength(effect.length)) return effect.slice()
  throw new EncodeError('body', 'effect', `${effect.length} bytes, not 1 to ${MAX_PAYLOAD_BYTES}`)
}

export function decodeEffect(bytes: Uint8Array): EffectBody {
  if (isEffectLength(bytes.length)) return { effect: bytes }
  throw new DecodeError('body', 'effect', `${bytes.length} bytes, not 1 to ${MAX_PAYLOAD_BYTES}`)
}
