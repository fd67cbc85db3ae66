import { DecodeError, EncodeError } from '../errors.ts'

/** Reads packed big-endian fields in order. Every read names its field, so that an error can. */
export class BodyReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  #take(field: string, length: number): number {
    const at = this.#at
    if (at + length > this.#bytes.length) {
      throw new DecodeError('body', field, `cut off: needs ${length} bytes, ${this.#bytes.length - at} are left`)
    }
    this.#at = at + length
    return at
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(field, 1))
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#take(field, 2))
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#take(field, 4))
  }

  u64(field: string): bigint {
    return this.#view.getBigUint64(this.#take(field, 8))
  }

  i64(field: string): bigint {
    return this.#view.getBigInt64(this.#take(field, 8))
  }

  /** A view of the next `length` bytes, not a copy. */
  bytes(field: string, length: number): Uint8Array {
    const at = this.#take(field, length)
    return this.#bytes.subarray(at, at + length)
  }

  bytes32(field: string): Uint8Array {
    return this.bytes(field, 32)
  }

  /** All that is left. */
  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#at)
    this.#at = this.#bytes.length
    return rest
  }

  /** Nothing may be left. */
  end(): void {
    const left = this.#bytes.length - this.#at
    if (left > 0) throw new DecodeError('body', 'length', `${left} bytes after the end`)
  }
}

/** Writes packed big-endian fields in order, refusing values that do not fit. */
export class BodyWriter {
  readonly #parts: Uint8Array[] = []

  #integer(field: string, value: bigint, bits: number, signed: boolean): this {
    const fits = signed ? BigInt.asIntN(bits, value) === value : BigInt.asUintN(bits, value) === value
    if (!fits) throw new EncodeError('body', field, `${value} does not fit ${signed ? 'i' : 'u'}${bits}`)
    const part = new Uint8Array(bits / 8)
    let left = BigInt.asUintN(bits, value)
    for (let i = part.length - 1; i >= 0; i--) {
      part[i] = Number(left & 0xffn)
      left >>= 8n
    }
    this.#parts.push(part)
    return this
  }

  #number(field: string, value: number, bits: number): this {
    if (!Number.isSafeInteger(value)) throw new EncodeError('body', field, `${value} is not a whole number`)
    return this.#integer(field, BigInt(value), bits, false)
  }

  u8(field: string, value: number): this {
    return this.#number(field, value, 8)
  }

  u16(field: string, value: number): this {
    return this.#number(field, value, 16)
  }

  u32(field: string, value: number): this {
    return this.#number(field, value, 32)
  }

  u64(field: string, value: bigint): this {
    return this.#integer(field, value, 64, false)
  }

  i64(field: string, value: bigint): this {
    return this.#integer(field, value, 64, true)
  }

  bytes32(field: string, value: Uint8Array): this {
    if (value.length !== 32) throw new EncodeError('body', field, `${value.length} bytes, not 32`)
    return this.bytes(value)
  }

  bytes(value: Uint8Array): this {
    this.#parts.push(value)
    return this
  }

  finish(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts))
  }
}
