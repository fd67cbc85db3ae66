/** Twenty nodes that hold records, and the ways in which they are stored and read there. */
export interface RecordNetwork {
  readonly ways: readonly RecordWay[]
  stop(): Promise<void>
}

/** One way of storing and reading, from one writer and another reader. */
export interface RecordWay extends WayFacts {
  /** Makes what a user has before the clock starts, for records up to `count`: keys and names. */
  prepare(count: number): void
  /** Stores a value of {@link WayFacts.valueBytes} under key number `index`; done when its own rules say so. */
  store(index: number): Promise<Done>
  /** Reads it back where it was neither written nor read before, and checks it. */
  retrieve(index: number): Promise<void>
}

/** What stands in a row beside the numbers. */
export interface WayFacts {
  readonly name: string
  /** How many nodes a record is sent to. */
  readonly replicas: number
  /** After how many of them a store is done. */
  readonly quorum: number
  /** Answers that a read waits for, in words where it is no number. */
  readonly answers: string
  /** Whether a record is on disk before its store is done. */
  readonly durable: 'flushed' | 'in memory'
  /** Whether a reader remembers what it verified: then none is read twice. */
  readonly remembers: boolean
  /** Bytes of a value: 1,024, or less where a peer's own limit asks it. */
  readonly valueBytes: number
}

export interface Done {
  /** Work that the store left behind: the replicas past the quorum. Undefined when all is done. */
  readonly rest?: Promise<unknown>
}

/** Nodes of each network. */
export const NODES = 20

/** Value number `index`: different for each, the same each time. */
export function sampleValue(index: number, bytes: number): Uint8Array {
  const value = new Uint8Array(bytes)
  const view = new DataView(value.buffer)
  for (let at = 0; at + 4 <= bytes; at += 4) view.setUint32(at, Math.imul(index * 8191 + at + 1, 0x9e3779b1) >>> 0)
  return value
}

export function mustEqual(found: Uint8Array | undefined, index: number, bytes: number): void {
  if (found === undefined || Buffer.compare(found, sampleValue(index, bytes)) !== 0) {
    throw new Error(`record ${index} was not read back as it was stored`)
  }
}
