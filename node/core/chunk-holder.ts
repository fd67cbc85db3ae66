/** What a challenge asks for, as the chain tells it. */
export interface ChunkQuestion {
  /** 32 bytes each. */
  readonly recordKey: Uint8Array
  readonly putDigest: Uint8Array
  readonly putLeaf: number
  readonly valueRoot: Uint8Array
  readonly chunkIndex: number
}

/** Finds bytes that a receipt promised, whoever gave it. */
export interface ChunkHolder {
  /** The chunk (1 KiB, the last one shorter) and its siblings from the leaf upwards; `undefined` when they are not here. */
  find(
    question: ChunkQuestion,
  ): Promise<{ readonly chunk: Uint8Array; readonly path: readonly Uint8Array[] } | undefined>
  /** A wire frame (form 0) of a later PUT of the same entry; `undefined` when there is none here. */
  laterPut(question: ChunkQuestion): Promise<Uint8Array | undefined>
}
