import { artifacts } from 'hardhat'
import { expect, test } from 'vitest'
import { expectSnapshot } from './snapshot.ts'

const DEPLOYED = [
  'EgiToken',
  'EgiCoordinator',
  'StakeRegistry',
  'FaultCourt',
  'AvailabilityChallenge',
  'EquivocationVerifier',
  'OverrunVerifier',
  'RegistryLens',
  'PermissivePersonVerifier',
  'LocalFaucet',
]
/** EIP-170, in bytes. */
const MAX_CODE_BYTES = 24_576

test('deployed code stays as large as recorded, and below the limit of the chain', async () => {
  const sizes: Record<string, number> = {}
  for (const name of DEPLOYED) {
    const { deployedBytecode } = await artifacts.readArtifact(name)
    const bytes = (deployedBytecode.length - 2) / 2
    expect(bytes, name).toBeLessThan(MAX_CODE_BYTES)
    sizes[name] = bytes
  }
  expectSnapshot('bytecode', sizes)
})
