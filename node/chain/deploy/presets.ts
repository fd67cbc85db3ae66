import type { ProtocolParams } from '../../core/index.ts'

/** Networks on one machine: minutes instead of days, so that a person can watch every deadline pass. */
const dev: ProtocolParams = {
  epochSeconds: 10,
  putLimit: 65_536,
  gossipLimit: 65_536,
  receiptLimit: 65_536,
  receiptLifeSeconds: 600,
  responseSeconds: 30,
  responseBlocks: 10,
  evidenceWindowSeconds: 600,
  skewSeconds: 10,
  unbondingSeconds: 1_500,
  rewardWindowSeconds: 30,
  jailSeconds: 60,
  correlationSeconds: 1_200,
  drawDelayBlocks: 2,
}

/** Chains where stake is worth something. */
const publicChain: ProtocolParams = {
  epochSeconds: 60,
  putLimit: 65_536,
  gossipLimit: 65_536,
  receiptLimit: 65_536,
  receiptLifeSeconds: 604_800,
  responseSeconds: 86_400,
  responseBlocks: 10,
  evidenceWindowSeconds: 604_800,
  skewSeconds: 60,
  unbondingSeconds: 1_814_400,
  rewardWindowSeconds: 86_400,
  jailSeconds: 86_400,
  correlationSeconds: 1_209_600,
  drawDelayBlocks: 160,
}

/** Networks that show a whole exit, from unbonding to withdrawal, in real time. */
const exit: ProtocolParams = {
  ...dev,
  receiptLifeSeconds: 60,
  responseSeconds: 20,
  evidenceWindowSeconds: 60,
  correlationSeconds: 60,
  unbondingSeconds: 180,
}

/** What decides validity, by name. Immutable once deployed. */
export const PRESETS = { dev, public: publicChain, exit } as const satisfies Record<string, ProtocolParams>

export type PresetName = keyof typeof PRESETS
