/**
 * The coordinates that were given, and zero for those that the world has beyond them.
 * @throws DhtError `DHT_BAD_WORLD`
 */
export async function positionOf(given: {
  readonly x: number
  readonly y?: number | undefined
  readonly z?: number | undefined
  readonly world: string
}): Promise<number[]> {
  const { worldOf } = await import('../../dht/index.ts')
  const { dimension } = worldOf(given.world).options
  const { x, y, z } = given
  const count = Math.max(dimension, z !== undefined ? 3 : y !== undefined ? 2 : 1)
  return [x, y ?? 0, z ?? 0].slice(0, count)
}
