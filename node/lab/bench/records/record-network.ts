/** Twenty nodes that hold records in one way; all stores and reads begin at one of them, or at a client beside them. */
export interface RecordNetwork {
  /** How the rows call it. */
  readonly name: string
  /** How many nodes hold a record. */
  readonly replicas: number
  /** Whether a record is on disk before its store is done. */
  readonly durable: boolean
  /** Bytes of a value: 1,024, or less where a peer's own limit asks it. */
  readonly valueBytes: number
  /** Stores a value of {@link valueBytes} under key number `index`, and is done when its own rules say so. */
  store(index: number): Promise<void>
  /** Reads it back and checks it. */
  retrieve(index: number): Promise<void>
  stop(): Promise<void>
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
