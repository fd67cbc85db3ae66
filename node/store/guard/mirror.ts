import { closeSync, constants, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { openOwnFile, prepareOwnDirectory, readOwnFile } from '../private-files.ts'
import { checksum } from './checksum.ts'

/** What outlives the process but not the boot. */
export interface MirrorRecord {
  readonly bootId: string
  /** Which guard wrote it: random, drawn when the guard began. */
  readonly guardId: string
  /** Number of the newest durable write that something may have been signed after. */
  readonly sequence: number
  /** Clock minus uptime when indices were last reserved: constant until somebody sets the clock. Null before. */
  readonly clockOffsetMs: number | null
}

/** Holds one record. A write is in force when the call returns; it need not survive a power loss. */
export interface GuardMirror {
  read(): MirrorRecord | undefined
  write(record: MirrorRecord): void
  close(): void
}

/**
 * The mirror as one file of fixed length, written in place by one system call, which no signal cuts in half.
 * A file that cannot be read as a mirror counts as none: the guard then waits, which is always safe.
 */
export function fileMirror(path: string): GuardMirror {
  let file: number | undefined
  return {
    read() {
      const text = readOwnFile(path)
      if (text === undefined) return undefined
      const json = text.slice(9).trimEnd()
      return text.slice(0, 8) === checksum(json) ? (JSON.parse(json) as MirrorRecord) : undefined
    },
    write(record) {
      if (file === undefined) {
        prepareOwnDirectory(dirname(path))
        // Not truncated: until the write below the old record stands.
        file = openOwnFile(path, constants.O_RDWR | constants.O_CREAT)
      }
      const json = JSON.stringify(record)
      writeSync(file, Buffer.from(`${checksum(json)} ${json}`.padEnd(MIRROR_BYTES)), 0, MIRROR_BYTES, 0)
    },
    close() {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}

/** Longer than any record; the rest is spaces. */
const MIRROR_BYTES = 512
