/**
 * Runs the Solidity tests and writes what came of them as JSON.
 * Run: `node scripts/on-node24.mjs scripts/solidity-tests.ts REPORT_FILE`.
 */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createHardhatRuntimeEnvironment, importUserConfig } from 'hardhat/hre'

interface Outcome {
  readonly suiteResults: readonly { readonly testResults: readonly { readonly status: string }[] }[]
}

const [report] = process.argv.slice(2)
if (report === undefined) throw new TypeError('usage: solidity-tests.ts REPORT_FILE')

process.env.HARDHAT_DISABLE_TELEMETRY = 'true'
const config = fileURLToPath(new URL('../hardhat.config.ts', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))
const hre = await createHardhatRuntimeEnvironment(await importUserConfig(config), { config }, root)
const result = (await hre.tasks.getTask(['test', 'solidity']).run({})) as {
  readonly success: boolean
  readonly value?: Outcome
  readonly error?: Outcome
}
const suites = (result.value ?? result.error)?.suiteResults
if (suites === undefined) throw new TypeError('Hardhat gave no results of the Solidity tests')
const statuses = suites.flatMap(({ testResults }) => testResults.map(({ status }) => status))
const count = (wanted: string): number => statuses.filter((status) => status === wanted).length
await writeFile(
  report,
  JSON.stringify({ passed: count('Success'), failed: count('Failure'), skipped: count('Skipped') }),
)
if (!result.success) process.exitCode = 1
