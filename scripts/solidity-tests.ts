/**
 * Runs the Solidity tests and writes what came of them as JSON.
 * Run: `node scripts/on-node24.mjs scripts/solidity-tests.ts REPORT_FILE`.
 */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createHardhatRuntimeEnvironment, importUserConfig } from 'hardhat/hre'

interface Result {
  readonly success: boolean
  readonly value?: { readonly summary: Summary }
  readonly error?: { readonly summary: Summary }
}

interface Summary {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const [report] = process.argv.slice(2)
if (report === undefined) throw new TypeError('usage: solidity-tests.ts REPORT_FILE')

process.env.HARDHAT_DISABLE_TELEMETRY = 'true'
const config = fileURLToPath(new URL('../hardhat.config.ts', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))
const hre = await createHardhatRuntimeEnvironment(await importUserConfig(config), { config }, root)
const result = (await hre.tasks.getTask(['test', 'solidity']).run({})) as Result
const summary = (result.value ?? result.error)?.summary
if (summary === undefined) throw new TypeError('Hardhat gave no summary of the Solidity tests')
const { passed, failed, skipped } = summary
await writeFile(report, JSON.stringify({ passed, failed, skipped }))
if (!result.success) process.exitCode = 1
