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
  addressOf,
  decryptKey,
  encryptKey,
  type Keystore,
  parseKeystore,
} from './keystore.ts'
export { createKeystoreFile, readKeystoreFile } from './keystore-file.ts'
export { openStore, type Store } from './lmdb-table.ts'
export { machineProcesses, type ProcessTable } from './process-table.ts'
export { machineRandom } from './random.ts'
