import { keccak256 } from '../../statements/index.ts'
import type { Cell } from './cells.ts'

// A hint is an entry of a cell that stands for no agent: its writer says that it has written entries in these children
// of the cell, which live no longer than the hint. Readers follow hints alone. So what a reader finds hangs on nothing
// that others write, let expire or take back: the writer of an entry has also written the way to it.

/** The agent id of hints. One a cell and writer, by the writer's own authority. */
export const HINT_ID: Uint8Array = keccak256(new Uint8Array(Buffer.from('suprnova cell hint', 'utf8')))

/** Bit i stands for child i: bit a of i is the lower bit of the child's index on axis a. */
export function childBit(child: Cell): number {
  return child.index.reduce((bits, i, axis) => bits | (Number(i & 1n) << axis), 0)
}

/** A hint's value: one byte, a bit for each child. */
export function encodeHint(mask: number): Uint8Array {
  return Uint8Array.of(mask)
}

/** The children that a hint names; none for any other value. */
export function readHint(value: Uint8Array): number {
  return value.length === 1 ? (value[0] as number) : 0
}
