import { ensureContractsBuilt } from '../node/lab/build-contracts.ts'

/** Compiles the contracts once before the tests that deploy them. */
export async function setup(): Promise<void> {
  await ensureContractsBuilt({ log: (line) => console.log(line) })
}
