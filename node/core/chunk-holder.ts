/** What a challenge asks for, as the chain tells it. */
export interface ChunkQuestion {
  /** 32 bytes each. */
  readonly recordKey: Uint8Array
  readonly putDigest: Uint8Array
  readonly putLeaf: number
  readonly valueRoot: Uint8Array
  readonly chunkIndex: number
}

/** A chunk (1 KiB, the last one shorter) and its siblings from the leaf upwards. */
export interface ShownChunk {
  readonly chunk: Uint8Array
  readonly path: readonly Uint8Array[]
}

/** Finds bytes that a receipt promised, whoever gave it. */
export interface ChunkHolder {
  /** `undefined` when they are not here. */
  find(question: ChunkQuestion): Promise<ShownChunk | undefined>
  /** Asks others who may have them; takes as long as they take to answer, or not to. */
  search(question: ChunkQuestion): Promise<ShownChunk | undefined>
  /** A wire frame (form 0) of a later PUT of the same entry; `undefined` when there is none here. */
  laterPut(question: ChunkQuestion): Promise<Uint8Array | undefined>
}
