/** What is known of a value that was read, whoever read it. */
export interface ReadFacts {
  readonly size: number
  /** The stake that signed it. */
  readonly writer: number
  readonly quorum: boolean
  /** Stakes that promised this very version to the node and did not show it; a reader was promised nothing. */
  readonly missing?: readonly number[]
}

/** Says it to a person, and what to do about a promise that was not kept. */
export function describeRead({ missing = [], quorum, size, writer }: ReadFacts): string {
  const about = `${size} bytes of stake ${writer}${quorum ? '' : ', not confirmed by a quorum'}`
  const broken = missing.map(
    (stakeId) =>
      `stake ${stakeId} promised it and did not show it: see \`suprnova dht receipts --stake ${stakeId}\`, then \`suprnova evidence challenge\``,
  )
  return [about, ...broken].join('\n')
}
