import { equalBytes, toHex } from '../../../node/core/index.ts'
import { chunkRoot, leafHash, merklePath, merkleRoot, rootFromPath } from '../../../node/statements/index.ts'
import { bytes32, columns, hex, ZERO_32 } from './cast.ts'

interface Case {
  name: string
  body: Uint8Array
  leaf: number
  path: readonly Uint8Array[]
  root: Uint8Array
}

const bodies = (count: number) =>
  Array.from({ length: count }, (_, i) => bytes32(`body ${i}`).subarray(0, 1 + (i % 32)))

function proof(count: number, leaf: number): Case {
  const all = bodies(count)
  const name = `leaf ${leaf} of ${count}`
  return { name, body: all[leaf]!, leaf, path: merklePath(all, leaf), root: merkleRoot(all) }
}

function cases(): Case[] {
  const good = [
    proof(1, 0),
    proof(2, 0),
    proof(2, 1),
    proof(3, 2),
    proof(5, 4),
    proof(64, 0),
    proof(64, 63),
    proof(255, 254),
    proof(256, 129),
    { ...proof(1, 0), name: 'an empty body', body: new Uint8Array(0), root: leafHash(new Uint8Array(0)) },
  ]
  const five = proof(5, 4)
  return [
    ...good,
    { ...five, name: 'wrong leaf', leaf: 5 },
    { ...five, name: 'wrong body', body: bytes32('another') },
    { ...five, name: 'path in the wrong order', path: [...five.path].reverse() },
    { ...five, name: 'path one short', path: five.path.slice(0, -1), leaf: 0 },
    { ...five, name: 'path one long', path: [...five.path, ZERO_32] },
    {
      ...proof(2, 0),
      name: 'the root as a body: leaf and node hashes cannot be mixed',
      body: proof(2, 0).root,
      path: [],
    },
    { ...five, name: 'a padding leaf has no body', body: new Uint8Array(0), leaf: 7 },
  ]
}

/** Bodies, their place and path, and the root they lead to or not; roots of values over 1 KiB chunks. */
export function merkleVectors() {
  const rows = cases().map(({ body, leaf, name, path, root }) => ({
    name,
    body: toHex(body),
    leaf,
    pathLength: path.length,
    path: hex(...path),
    root: toHex(root),
    valid: equalBytes(rootFromPath(leafHash(body), leaf, path), root),
  }))
  const sizes = [0, 1, 1023, 1024, 1025, 2048, 3000, 65_536]
  const values = sizes.map((size) => ({ size, root: toHex(chunkRoot(vectorValue(size))) }))
  return { ...columns(rows), valueSize: values.map(({ size }) => size), valueRoot: values.map(({ root }) => root) }
}

/** Byte i of a value of the vectors is i * 7 modulo 256. */
export function vectorValue(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7) & 0xff)
}
