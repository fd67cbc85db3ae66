import { fromHex, type Hex, toHex } from '../core/index.ts'
import { DecodeError } from './errors.ts'

const DECIMAL = /^(0|[1-9][0-9]{0,77})$/

/** Reads the fields of one JSON object strictly: right type, right range, none missing, none unknown. */
export class JsonReader {
  readonly #fields: Record<string, unknown>
  readonly #path: string
  readonly #unread: Set<string>

  /** @param path how errors name the object, with a dot at its end; empty for the outermost */
  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new DecodeError('bundle', path.slice(0, -1) || 'text', 'not a JSON object')
    }
    this.#fields = value as Record<string, unknown>
    this.#path = path
    this.#unread = new Set(Object.keys(value))
  }

  #bad(field: string, problem: string): never {
    throw new DecodeError('bundle', this.#path + field, problem)
  }

  #read(field: string): unknown {
    if (!Object.hasOwn(this.#fields, field)) this.#bad(field, 'missing')
    this.#unread.delete(field)
    return this.#fields[field]
  }

  /** A whole number from `least` to `most`. */
  integer(field: string, least: number, most: number): number {
    const value = this.#read(field)
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
    return this.#bad(field, `not a whole number from ${least} to ${most}`)
  }

  integerOrNull(field: string, least: number, most: number): number | null {
    return this.#fields[field] === null ? (this.#read(field) as null) : this.integer(field, least, most)
  }

  /** Decimal digits in a string, for numbers too large for JSON. */
  decimal(field: string, most: bigint): bigint {
    const value = this.#read(field)
    if (typeof value === 'string' && DECIMAL.test(value) && BigInt(value) <= most) return BigInt(value)
    return this.#bad(field, `not a decimal number in a string, up to ${most}`)
  }

  text(field: string, wanted: string): void {
    if (this.#read(field) !== wanted) this.#bad(field, `not ${JSON.stringify(wanted)}`)
  }

  /** Lower-cased. */
  hex(field: string, bytes: number): Hex {
    const value = this.#read(field)
    const isHex = typeof value === 'string' && value.length === 2 + 2 * bytes && /^0x[0-9a-fA-F]*$/.test(value)
    return isHex ? toHex(fromHex(value)) : this.#bad(field, `not 0x and ${bytes} bytes of hex`)
  }

  object(field: string): JsonReader {
    return new JsonReader(this.#read(field), `${this.#path}${field}.`)
  }

  /** An array of exactly `length` objects. */
  objects(field: string, length: number): JsonReader[] {
    const value = this.#read(field)
    if (!Array.isArray(value) || value.length !== length) return this.#bad(field, `not an array of ${length}`)
    return value.map((item, index) => new JsonReader(item, `${this.#path}${field}[${index}].`))
  }

  /** Refuses a field that disagrees with what the evidence says. */
  refuse(field: string): never {
    return this.#bad(field, 'not what the evidence says')
  }

  /** Refuses fields that nothing read. */
  end(): void {
    for (const field of this.#unread) this.#bad(field.slice(0, 40), 'unknown field')
  }
}
