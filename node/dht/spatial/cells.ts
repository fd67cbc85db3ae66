import { cellKey } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import { CELLS_MAX } from './constants.ts'
import type { World } from './world.ts'

/** A cell: its level, and its place among the cells of that level. */
export interface Cell {
  readonly level: number
  /** q >> level of every point in it, rounded towards minus infinity. */
  readonly index: readonly bigint[]
}

/** The cell of `level` that a point (fixed point) lies in. */
export function cellOf(q: readonly bigint[], level: number): Cell {
  return { level, index: q.map((coordinate) => coordinate >> BigInt(level)) }
}

/** The record key of a cell. */
export function keyOfCell(world: Pick<World, 'id'>, { index, level }: Cell): Uint8Array {
  const corner = index.map((i) => i << BigInt(level))
  return cellKey(world.id, level, corner)
}

/** A cell by name, for maps. */
export function nameOfCell({ index, level }: Cell): string {
  return `${level}:${index.join(',')}`
}

/** A cell by the name that {@link nameOfCell} gave it; `undefined` for any other text. */
export function cellNamed(name: string, dimension: number): Cell | undefined {
  const [, level, indices] = /^(\d{1,2}):(-?\d{1,16}(?:,-?\d{1,16}){0,2})$/.exec(name) ?? []
  const index = indices?.split(',').map(BigInt)
  return index?.length === dimension ? { level: Number(level), index } : undefined
}

/**
 * The cells of `level` that a ball touches, its edge included.
 * @throws DhtError `DHT_RANGE_TOO_WIDE` past 64 cells
 */
export function cellsTouched(q: readonly bigint[], radius: bigint, level: number): Cell[] {
  const cells = cellsOfBox(
    q.map((center) => [center - radius, center + radius] as const),
    level,
  )
  return cells.filter((cell) => distanceSquared(q, cell) <= radius * radius)
}

/**
 * The cells of `level` within `radius` of a cell on every axis.
 * @throws DhtError `DHT_RANGE_TOO_WIDE` past 64 cells
 */
export function cellsAround(cell: Cell, radius: bigint, level: number): Cell[] {
  const side = 1n << BigInt(cell.level)
  return cellsOfBox(
    cell.index.map((i) => [i * side - radius, (i + 1n) * side - 1n + radius] as const),
    level,
  )
}

/** The cells of `level` that a box touches, its faces included. */
function cellsOfBox(box: readonly (readonly [bigint, bigint])[], level: number): Cell[] {
  const ranges = box.map(([from, to]) => [from >> BigInt(level), to >> BigInt(level)] as const)
  const count = ranges.reduce((product, [from, to]) => product * (to - from + 1n), 1n)
  if (count > BigInt(CELLS_MAX)) {
    throw new DhtError('DHT_RANGE_TOO_WIDE', `the range touches ${count} cells, the limit is ${CELLS_MAX}`, {
      exitCode: 2,
      values: { cells: String(count), limit: CELLS_MAX },
      hint: 'ask for a smaller radius, or in a world with larger cells',
    })
  }
  let cells: bigint[][] = [[]]
  for (const [from, to] of ranges) {
    const wider: bigint[][] = []
    for (const cell of cells) for (let i = from; i <= to; i++) wider.push([...cell, i])
    cells = wider
  }
  return cells.map((index) => ({ level, index }))
}

/** The cells one level down that make up a cell. */
export function childrenOf({ index, level }: Cell): Cell[] {
  let children: bigint[][] = [[]]
  for (const i of index)
    children = children.flatMap((child) => [
      [...child, i << 1n],
      [...child, (i << 1n) | 1n],
    ])
  return children.map((child) => ({ level: level - 1, index: child }))
}

/** The squared distance of a point to the nearest point of a cell; 0 inside. */
export function distanceSquared(q: readonly bigint[], { index, level }: Cell): bigint {
  let sum = 0n
  for (const [axis, i] of index.entries()) {
    const low = i << BigInt(level)
    const high = ((i + 1n) << BigInt(level)) - 1n
    const x = q[axis] as bigint
    const away = x < low ? low - x : x > high ? x - high : 0n
    sum += away * away
  }
  return sum
}

/** The squared distance of two points. */
export function squaredDistance(a: readonly bigint[], b: readonly bigint[]): bigint {
  let sum = 0n
  for (const [axis, x] of a.entries()) {
    const away = x - (b[axis] as bigint)
    sum += away * away
  }
  return sum
}
