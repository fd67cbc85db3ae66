export type { ConditionalTable, Expected } from './conditional-table.ts'
export * from './constants.ts'
export {
  type LockedDirectory,
  type LockModules,
  type LockOptions,
  lockDataDirectory,
} from './data-directory.ts'
export { createDurably, type Disk, machineDisk } from './disk.ts'
export * from './errors.ts'
export {
  type GuardEnvironment,
  type GuardIdentity,
  machineBootId,
  machineEnvironment,
  machineRuntimeDirectory,
} from './guard/environment.ts'
export type { GuardRules } from './guard/guard-state.ts'
export type { Interchange, InterchangeSummary } from './guard/interchange.ts'
export type { GuardModules, GuardOptions, GuardStatus, OpenGuard } from './guard/interface.ts'
export { fileMirror, type GuardMirror, type MirrorRecord } from './guard/mirror.ts'
export { openGuard } from './guard/open-guard.ts'
export {
  addressOf,
  decryptKey,
  encryptKey,
  type Keystore,
  parseKeystore,
} from './keystore.ts'
export { createKeystoreFile, readKeystoreFile } from './keystore-file.ts'
export { openStore, type Store } from './lmdb-table.ts'
export { makePrivateDirectory } from './make-directory.ts'
export { memoryTable } from './memory-table.ts'
export { machineProcesses, type ProcessTable } from './process-table.ts'
export { machineRandom } from './random.ts'
export { type Draw, SimulatedDisk } from './simulated/simulated-disk.ts'
export { openSimulatedTable } from './simulated/simulated-table.ts'
export {
  type OpenSlotIndex,
  openSlotIndex,
  type SlotIndexModules,
  type SlotIndexOptions,
} from './slot-index/open-slot-index.ts'
