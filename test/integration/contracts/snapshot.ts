import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'

/**
 * Compares `measured` with `test/snapshots/<name>.json`, exactly.
 * `SUPRNOVA_UPDATE_SNAPSHOTS=1` writes the file instead, so that a change shows its cost in the diff.
 */
export function expectSnapshot(name: 'gas' | 'bytecode', measured: Record<string, number>): void {
  const path = new URL(`../../snapshots/${name}.json`, import.meta.url)
  if (process.env.SUPRNOVA_UPDATE_SNAPSHOTS === '1') {
    writeFileSync(path, `${JSON.stringify(measured, null, 2)}\n`)
    return
  }
  expect(measured).toEqual(JSON.parse(readFileSync(path, 'utf8')))
}
