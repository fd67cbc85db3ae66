/**
 * Checks and tests everything: types, lint, format, Solidity tests, TypeScript tests. The Solidity tests run beside the tiers
 * that need no compiled contracts, no sockets and no chain; all else one after the other.
 * The last line is `N passed, N failed`, summed from the runners' own reports; a check that fails counts as one failed.
 *
 * `npm test`; `npm run test:long` (`--long`) for far more inputs; `npm run check` (`--checks`) for the checks alone.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isEnding, step, type Tally } from './steps.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
if (process.argv.includes('--long')) process.env.SUPRNOVA_LONG = '1'
const onlyChecks = process.argv.includes('--checks')

const CHECKS = [
  ['types', 'tsc', ['-p', '.']],
  ['lint and format of TypeScript', 'biome', ['check', '--error-on-warnings']],
  ['lint of Solidity', 'solhint', ['--disc', '--noPoster', '--max-warnings', '0', 'contracts/**/*.sol']],
  ['format of Solidity', 'prettier', ['--check', '--log-level', 'warn', 'contracts/**/*.sol']],
] as const

const broken: string[] = []
let total: Tally = { passed: 0, failed: 0 }

for (const [title, tool, args] of CHECKS) {
  if ((await step(title, join(root, 'node_modules/.bin', tool), args)) !== 0) broken.push(title)
}
if (!onlyChecks) {
  const reports = await mkdtemp(join(tmpdir(), 'suprnova-reports-'))
  try {
    const solidity = join(reports, 'solidity.json')
    await Promise.all([
      runner('Solidity tests', solidity, readSolidity, ['scripts/solidity-tests.ts', solidity], { isBeside: true }),
      vitest(['unit', 'sim'], reports),
    ])
    await vitest(['integration', 'fuzz', 'e2e'], reports)
  } finally {
    await rm(reports, { recursive: true, force: true })
  }
}

console.log('')
for (const reason of broken) console.log(`failed: ${reason}`)
console.log(`${total.passed} passed, ${total.failed + broken.length} failed`)
if (!isEnding()) process.exitCode = total.failed + broken.length === 0 ? 0 : 1

/** One test runner. It also fails when it ends badly for a reason its report does not count, or ran nothing at all. */
async function runner(
  title: string,
  report: string,
  read: (json: string) => Tally,
  args: readonly string[],
  options: { readonly isBeside?: boolean } = {},
): Promise<void> {
  const code = await step(title, process.execPath, args, options)
  let tally: Tally
  try {
    tally = read(await readFile(report, 'utf8'))
  } catch (error) {
    broken.push(`${title} wrote no report: ${(error as Error).message}`)
    return
  }
  total = { passed: total.passed + tally.passed, failed: total.failed + tally.failed }
  if (tally.passed + tally.failed === 0) broken.push(`${title} ran no test`)
  else if (code !== 0 && tally.failed === 0) broken.push(`${title} ended with exit code ${code}`)
}

/** Some tiers of the TypeScript tests. */
function vitest(tiers: readonly string[], reports: string): Promise<void> {
  const report = join(reports, `${tiers.join('-')}.json`)
  return runner(`TypeScript tests: ${tiers.join(', ')}`, report, readVitest, [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...tiers.map((tier) => `--project=${tier}`),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ])
}

function readSolidity(json: string): Tally {
  const { passed, failed } = JSON.parse(json) as Tally
  return { passed, failed }
}

function readVitest(json: string): Tally {
  const report = JSON.parse(json) as { numPassedTests: number; numFailedTests: number }
  return { passed: report.numPassedTests, failed: report.numFailedTests }
}
