import { describe, expect, it } from 'vitest'
import { BoundedMap } from '../../../node/net/bounded-map.ts'

describe('BoundedMap', () => {
  // Break it caught: eviction of the newest entry.
  it('holds its limit and puts the oldest out', () => {
    const evicted: number[] = []
    const map = new BoundedMap<number, string>(3, (key) => evicted.push(key))
    for (let i = 0; i < 5; i++) map.set(i, `${i}`)
    expect(map.size).toBe(3)
    expect([...map].map(([key]) => key)).toEqual([2, 3, 4])
    expect(evicted).toEqual([0, 1])
  })

  it('makes a key that is set again the newest', () => {
    const map = new BoundedMap<string, number>(2)
    map.set('a', 1)
    map.set('b', 1)
    map.set('a', 2)
    map.set('c', 1)
    expect([...map]).toEqual([
      ['a', 2],
      ['c', 1],
    ])
  })
})
