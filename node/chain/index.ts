export * from './abi.generated.ts'
export type { ActionModules, ActionOptions, ActionResult, ReadModules } from './actions/act.ts'
export * from './actions/activateStake.ts'
export * from './actions/challenges.ts'
export * from './actions/claimReward.ts'
export * from './actions/commitEvidence.ts'
export * from './actions/commitmentOf.ts'
export * from './actions/faucet.ts'
export * from './actions/readNetwork.ts'
export * from './actions/readParams.ts'
export * from './actions/readStake.ts'
export * from './actions/registerStake.ts'
export * from './actions/releaseReward.ts'
export * from './actions/renewDraw.ts'
export * from './actions/rotateKey.ts'
export * from './actions/settle.ts'
export * from './actions/submitEvidence.ts'
export * from './actions/tokenBalance.ts'
export * from './actions/topUp.ts'
export * from './actions/transferToken.ts'
export * from './actions/unbond.ts'
export * from './actions/unjail.ts'
export * from './actions/withdraw.ts'
export * from './actions/withdrawCredits.ts'
export {
  ChallengeDesk,
  type ChallengeDeskModules,
  type ChallengeDeskOptions,
  type ChallengeDeskStatus,
} from './challenges/challenge-desk.ts'
export type { SeenChallenge } from './challenges/challenge-event.ts'
export * from './client.ts'
export * from './consent.ts'
export * from './constants.ts'
export { explainChainError } from './contract-errors.ts'
export { CONTRACT_REFUSALS } from './contract-refusals.ts'
export * from './deploy/index.ts'
export * from './deploy/index.ts'
export * from './ens.ts'
export * from './errors.ts'
export * from './person.ts'
export * from './pin.ts'
export {
  agreedOn,
  type CoordinatorDescription,
  describeCoordinator,
  identityOf,
  type PinSource,
} from './pin-description.ts'
export * from './reference-time.ts'
export { RegistryReader, type RegistryReaderOptions } from './registry-snapshot/registry-reader.ts'
export {
  type PlacedSince,
  parseRegistrySnapshot,
  type RegistrySnapshot,
  registrySnapshotToJson,
  type SnapshotDeployment,
} from './registry-snapshot/registry-snapshot.ts'
export { snapshotOfView } from './registry-snapshot/snapshot-of-view.ts'
export { SnapshotView } from './registry-snapshot/snapshot-view.ts'
export type { Case, Outcome } from './reporter/case.ts'
export { type Court, openCourt } from './reporter/court.ts'
export {
  type CaseStatus,
  type Errand,
  openReporter,
  type Reporter,
  type ReporterEvent,
  type ReporterHealth,
  type ReporterModules,
  type ReporterOptions,
} from './reporter/reporter.ts'
export { type ChainIdentity, openRpc, type Rpc, type RpcModules, type RpcOptions, type RpcStatus } from './rpc.ts'
export type { ChainStakeView, StakeViewHealth, StakeViewModules, StakeViewOptions } from './stake-view/interface.ts'
export type { HistoricView } from './stake-view/ledger.ts'
export { openStakeView } from './stake-view/stake-view.ts'
