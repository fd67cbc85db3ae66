import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Abi } from 'viem'
import { EXIT, type Hex } from '../../core/index.ts'
import { DeployError } from './errors.ts'

/** A compiled contract. */
export interface Artifact {
  readonly abi: Abi
  readonly bytecode: Hex
}

const require = createRequire(import.meta.url)

/** The project's own contract `source` (`StakeRegistry.sol`, `faults/X.sol`), as the last build left it. */
export async function ownArtifact(source: string): Promise<Artifact> {
  const name = source.slice(source.lastIndexOf('/') + 1, -'.sol'.length)
  return await readArtifact(
    fileURLToPath(new URL(`../../../artifacts/contracts/${source}/${name}.json`, import.meta.url)),
  )
}

/** A contract that a package ships compiled, such as ENS or OpenZeppelin's timelock. */
export async function packagedArtifact(path: string): Promise<Artifact> {
  try {
    return await readArtifact(require.resolve(path))
  } catch (cause) {
    if (cause instanceof DeployError) throw cause
    throw missing(path, 'run `npm install`', cause)
  }
}

async function readArtifact(path: string): Promise<Artifact> {
  try {
    const { abi, bytecode } = JSON.parse(await readFile(path, 'utf8')) as Artifact
    return { abi, bytecode }
  } catch (cause) {
    throw missing(path, 'compile the contracts first: `npm run build`', cause)
  }
}

function missing(path: string, hint: string, cause: unknown): DeployError {
  return new DeployError('ARTIFACT_MISSING', `cannot read the compiled contract ${path}`, {
    exitCode: EXIT.config,
    hint,
    values: { path },
    cause,
  })
}
