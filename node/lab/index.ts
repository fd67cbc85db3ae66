export type { Bench, BenchAim, BenchMachine, BenchOptions, BenchReport } from './bench/bench.ts'
export { benchNames, runBench } from './bench/run.ts'
export { type BuildContractsOptions, ensureContractsBuilt } from './build-contracts.ts'
export {
  LOCAL_CHAIN_ID,
  type LocalAccount,
  type LocalChain,
  type LocalChainOptions,
  localAccount,
  startLocalChain,
} from './local-chain.ts'
export type { Terminal } from './network/screen.ts'
export { NODES_LEAST, NODES_MOST, type StartNetworkOptions, startNetwork } from './network/start-network.ts'
export { runScenario, type ScenarioOptions, type ScenarioReport, scenarioNames } from './scenarios/run.ts'
export type { Transcript, TranscriptEvent } from './transcript.ts'
export type { Finding } from './verdicts/verdict.ts'
