import { keccak256 } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import { FRACTION_BITS, LEVELS_DOWN } from './constants.ts'

const SCALE = 2 ** FRACTION_BITS
/** Coordinates stay below this, so that their squares and sums are exact in a bigint and they in a double. */
const COORDINATE_LIMIT = 2 ** (52 - FRACTION_BITS)

/** What fixes a world: others are other worlds. Lengths are in units of the world, times in seconds. */
export interface WorldOptions {
  /** Tells worlds of the same shape apart. */
  readonly name: string
  /** 1 to 3. */
  readonly dimension: number
  /** s0: the side of a cell is 2^s0 of the smallest unit, which is 2^-20. */
  readonly baseLevel: number
  /** The largest radius that a query touches few cells for. */
  readonly radius: number
  /** How fast an agent moves at most, a second. */
  readonly maxSpeed: number
  /** How old a written position may be. */
  readonly stalenessSeconds: number
}

/**
 * A space that agents are in. Its id is the hash of all that fixes it, so two who speak of one world mean the same one:
 * keccak256("suprnova world 1" || d 1 || s0 1 || r, v_max, staleness as i64 fixed point || name in UTF-8).
 */
export class World {
  readonly options: WorldOptions
  /** 32 bytes. */
  readonly id: Uint8Array
  /** v_max x staleness in fixed point: how far the true position of an agent may be from its written one. */
  readonly slack: bigint

  /** @throws DhtError `DHT_BAD_WORLD` naming the field */
  constructor(options: WorldOptions) {
    const { baseLevel, dimension, maxSpeed, name, radius, stalenessSeconds } = options
    const wrong = (field: string, value: unknown, limit: string) =>
      new DhtError('DHT_BAD_WORLD', `${field} of a world is ${String(value)}, expected ${limit}`, {
        exitCode: 2,
        values: { field, value, limit },
        hint: `expected ${limit}`,
      })
    if (!Number.isInteger(dimension) || dimension < 1 || dimension > 3) throw wrong('dimension', dimension, '1 to 3')
    if (!Number.isInteger(baseLevel) || baseLevel < LEVELS_DOWN || baseLevel > 52) {
      throw wrong('baseLevel', baseLevel, `${LEVELS_DOWN} to 52`)
    }
    if (typeof name !== 'string' || Buffer.byteLength(name) > 256) throw wrong('name', name, 'at most 256 bytes')
    for (const [field, value] of Object.entries({ radius, maxSpeed, stalenessSeconds })) {
      if (!Number.isFinite(value) || value < 0 || value >= COORDINATE_LIMIT)
        throw wrong(field, value, 'a length or time')
    }
    // From the numbers that the id is made of: who speaks of the same world reads as far.
    this.slack = (fixed(maxSpeed) * fixed(stalenessSeconds)) >> BigInt(FRACTION_BITS)
    const least = 2n * (fixed(radius) + this.slack)
    if (1n << BigInt(baseLevel) < least) {
      const side = Number(least) / SCALE
      throw wrong('baseLevel', baseLevel, `a side of at least ${side}, 2 (r + v_max x staleness)`)
    }
    this.options = options
    const head = new Uint8Array(2 + 3 * 8)
    const view = new DataView(head.buffer)
    head[0] = dimension
    head[1] = baseLevel
    view.setBigInt64(2, fixed(radius))
    view.setBigInt64(10, fixed(maxSpeed))
    view.setBigInt64(18, fixed(stalenessSeconds))
    this.id = keccak256(text('suprnova world 1'), head, text(name))
  }

  /**
   * Fixed-point coordinates of a position; -0 is 0.
   * @throws DhtError `DHT_BAD_POSITION`
   */
  toFixed(position: readonly number[]): bigint[] {
    const { dimension } = this.options
    if (position.length !== dimension || position.some((x) => !Number.isFinite(x) || Math.abs(x) >= COORDINATE_LIMIT)) {
      throw new DhtError(
        'DHT_BAD_POSITION',
        `position [${position.join(', ')}] is not ${dimension} numbers below ${COORDINATE_LIMIT}`,
        { exitCode: 2, values: { position, dimension, limit: COORDINATE_LIMIT } },
      )
    }
    return position.map(fixed)
  }

  fromFixed(q: readonly bigint[]): number[] {
    return q.map((coordinate) => Number(coordinate) / SCALE)
  }

  /**
   * A radius in fixed point, rounded up: an agent on the edge is inside.
   * @returns `reach`: within it agents are shown; `wide`: r + v_max x staleness, within it cells are read
   * @throws DhtError `DHT_BAD_POSITION`
   */
  radiusToFixed(radius: number): { readonly reach: bigint; readonly wide: bigint } {
    if (!Number.isFinite(radius) || radius < 0 || radius >= COORDINATE_LIMIT) {
      throw new DhtError('DHT_BAD_POSITION', `radius ${radius} is no length`, { exitCode: 2, values: { radius } })
    }
    const reach = BigInt(Math.ceil(radius * SCALE))
    return { reach, wide: reach + this.slack }
  }
}

/** The nearest multiple of 2^-20, the same on every machine: doubles of this size are exact. */
function fixed(x: number): bigint {
  return BigInt(Math.round(x * SCALE))
}

function text(words: string): Uint8Array {
  return new Uint8Array(Buffer.from(words, 'utf8'))
}

/** Where agents are unless a world is named: three dimensions, an interaction range of ten, walking pace. */
export const DEFAULT_WORLD = new World({
  name: 'default',
  dimension: 3,
  baseLevel: FRACTION_BITS + 6,
  radius: 10,
  maxSpeed: 2,
  stalenessSeconds: 10,
})

/** A chess board: a cell of it holds it whole. */
export const CHESS_WORLD = new World({
  name: 'chess',
  dimension: 2,
  baseLevel: FRACTION_BITS + 4,
  radius: 8,
  maxSpeed: 0,
  stalenessSeconds: 0,
})

/** The worlds that have a name of their own: like the default one on a line and in a plane, and a chess board. */
export const WORLDS: Readonly<Record<string, World>> = {
  '1d': new World({ ...DEFAULT_WORLD.options, name: 'line', dimension: 1 }),
  '2d': new World({ ...DEFAULT_WORLD.options, name: 'plane', dimension: 2 }),
  '3d': DEFAULT_WORLD,
  chess: CHESS_WORLD,
}

/** A world, or what fixes one (as an object, or as its JSON), or the name of one of {@link WORLDS}. */
export type WorldLike = World | WorldOptions | string

/** @throws DhtError `DHT_BAD_WORLD` */
export function worldOf(world: WorldLike = DEFAULT_WORLD): World {
  if (world instanceof World) return world
  if (typeof world === 'object' && world !== null) return new World(world)
  if (Object.hasOwn(WORLDS, world)) return WORLDS[world] as World
  try {
    const options: unknown = JSON.parse(world)
    if (typeof options === 'object' && options !== null) return new World(options as WorldOptions)
  } catch (error) {
    // No JSON: then it is meant as a name.
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new DhtError('DHT_BAD_WORLD', `there is no world called ${JSON.stringify(world)}`, {
    exitCode: 2,
    values: { world, known: Object.keys(WORLDS) },
    hint: `one of ${Object.keys(WORLDS).join(', ')}, or JSON of name, dimension, baseLevel, radius, maxSpeed, stalenessSeconds`,
  })
}
