/**
 * Writes `node/chain/abi.generated.ts` from the compiled contracts, so that TypeScript knows their types.
 * Every ABI carries the errors of all contracts: a call often reverts inside another one, and viem then decodes it.
 *
 * Run: `npm run generate:abi` (after `npm run build`). With `--check` nothing is written; exit code 1 when the file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface AbiEntry {
  readonly type: string
  readonly name?: string
  readonly inputs?: readonly {
    readonly type: string
    readonly components?: unknown
  }[]
}

const root = join(fileURLToPath(import.meta.url), '../..')
const require = createRequire(import.meta.url)
export const abiFile = join(root, 'node/chain/abi.generated.ts')

/** Exported name -> contracts whose entries it holds, as `source:Name` under `contracts/`. */
const CONTRACTS: Record<string, readonly string[]> = {
  stakeRegistryAbi: ['StakeRegistry.sol:StakeRegistry'],
  faultCourtAbi: ['FaultCourt.sol:FaultCourt'],
  availabilityChallengeAbi: ['AvailabilityChallenge.sol:AvailabilityChallenge'],
  egiTokenAbi: ['EgiToken.sol:EgiToken'],
  egiCoordinatorAbi: ['EgiCoordinator.sol:EgiCoordinator'],
  registryLensAbi: ['RegistryLens.sol:RegistryLens'],
  faultVerifierAbi: ['interfaces/IFaultVerifier.sol:IFaultVerifier'],
  localFaucetAbi: ['LocalFaucet.sol:LocalFaucet'],
}

/** Contracts that only lend their errors. */
const ERRORS_ONLY = [
  'faults/EquivocationVerifier.sol:EquivocationVerifier',
  'faults/OverrunVerifier.sol:OverrunVerifier',
  'ens/LocalUniversalResolver.sol:LocalUniversalResolver',
]

/** Published ENS artifacts, cut down to the functions that the node uses. */
const ENS: Record<string, { readonly artifact: string; readonly functions: readonly string[] }> = {
  ensRegistryAbi: {
    artifact: '@ensdomains/ens/build/contracts/ENSRegistry.json',
    functions: [
      'owner(bytes32)',
      'resolver(bytes32)',
      'setSubnodeOwner(bytes32,bytes32,address)',
      'setSubnodeRecord(bytes32,bytes32,address,address,uint64)',
      'setResolver(bytes32,address)',
    ],
  },
  publicResolverAbi: {
    artifact: '@ensdomains/resolver/build/contracts/PublicResolver.json',
    functions: ['addr(bytes32)', 'setAddr(bytes32,address)', 'text(bytes32,string)', 'setText(bytes32,string,string)'],
  },
}

/** The text that `node/chain/abi.generated.ts` must hold for the contracts as they are compiled now. */
export function generateAbi(): string {
  const own = Object.entries(CONTRACTS).map(([name, contracts]) => [name, contracts.flatMap(contractAbi)] as const)
  const lent = ERRORS_ONLY.flatMap(contractAbi)
  const errors = [...own.flatMap(([, abi]) => abi), ...lent].filter((entry) => entry.type === 'error')

  const parts = [
    '// Generated from the compiled contracts by scripts/generate-abi.ts. Change those, then run `npm run generate:abi`.',
    `const errors = ${print(errors)} as const`,
    ...own.map(
      ([name, abi]) =>
        `export const ${name} = ${print(
          abi.filter((entry) => entry.type !== 'error'),
          'errors',
        )} as const`,
    ),
    ...Object.entries(ENS).map(([name, { artifact, functions }]) => {
      const abi = readAbi(require.resolve(artifact))
      const chosen = functions.map((wanted) => {
        const entry = abi.find((candidate) => signature(candidate) === wanted)
        if (entry === undefined) throw new Error(`${artifact} has no function ${wanted}`)
        return entry
      })
      return `export const ${name} = ${print(chosen)} as const`
    }),
  ]
  return `${parts.join('\n\n')}\n`
}

function contractAbi(contract: string): AbiEntry[] {
  const [source, name] = contract.split(':')
  return readAbi(join(root, 'artifacts/contracts', source as string, `${name}.json`))
}

function readAbi(path: string): AbiEntry[] {
  return (JSON.parse(readFileSync(path, 'utf8')) as { abi: AbiEntry[] }).abi.filter(
    (entry) => entry.type === 'function' || entry.type === 'event' || entry.type === 'error',
  )
}

/** Entries once each, sorted, one a line, in the spelling of the rest of the code. */
function print(abi: readonly AbiEntry[], spread?: string): string {
  const lines = new Map(abi.map((entry) => [`${entry.type} ${signature(entry)}`, JSON.stringify(strip(entry))]))
  const sorted = [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => `  ${line},`)
  if (spread !== undefined) sorted.push(`  ...${spread},`)
  return `[\n${sorted.join('\n')}\n]`
}

/** Without what older compilers add (`constant`, `payable`, `signature`) and newer ones no longer know. */
function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip)
  if (typeof value !== 'object' || value === null) return value
  const dropped = new Set(['internalType', 'constant', 'payable', 'signature'])
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !dropped.has(key))
      .map(([key, inner]) => [key, strip(inner)]),
  )
}

function signature(entry: AbiEntry): string {
  return `${entry.name}(${(entry.inputs ?? []).map(canonical).join(',')})`
}

function canonical(input: { readonly type: string; readonly components?: unknown }): string {
  if (!input.type.startsWith('tuple')) return input.type
  const components = input.components as { readonly type: string }[]
  return `(${components.map(canonical).join(',')})${input.type.slice('tuple'.length)}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = generateAbi()
  if (!process.argv.includes('--check')) {
    writeFileSync(abiFile, wanted)
  } else if (readFileSync(abiFile, 'utf8') !== wanted) {
    console.error('node/chain/abi.generated.ts is stale: run `npm run generate:abi`')
    process.exitCode = 1
  }
}
