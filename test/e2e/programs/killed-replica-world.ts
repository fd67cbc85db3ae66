import type { Domain, ProtocolParams } from '../../../node/core/index.ts'

/** What the killed replica and whoever kills it agree on. */
export const DOMAIN: Domain = {
  chainId: 31_337n,
  verifyingContract: `0x${'cd'.repeat(20)}`,
  salt: `0x${'ef'.repeat(32)}`,
}
/** One key runs in one process at a time, so each replica has its own. */
export const replicaKey = (replica: number) => new Uint8Array(32).fill(10 + replica)
export const WRITER_KEY = new Uint8Array(32).fill(8)

/** Lives long enough that nothing ends while the test runs, also in the long run. */
export const PARAMS: ProtocolParams = {
  epochSeconds: 2,
  putLimit: 65_536,
  gossipLimit: 65_536,
  receiptLimit: 65_536,
  receiptLifeSeconds: 36_000,
  responseSeconds: 30,
  responseBlocks: 10,
  evidenceWindowSeconds: 36_000,
  skewSeconds: 2,
  unbondingSeconds: 100_000,
  rewardWindowSeconds: 30,
  jailSeconds: 60,
  correlationSeconds: 1200,
  drawDelayBlocks: 2,
}
