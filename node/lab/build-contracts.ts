import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createHardhatRuntimeEnvironment, importUserConfig } from 'hardhat/hre'
import { SuprnovaError } from '../core/index.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const STAMP = join(root, 'cache/contracts.stamp')
const LOCK = join(root, 'cache/contracts.lock')
const LOCK_POLL_MS = 200
/** What decides what the compiler writes, beside the sources. */
const SETTINGS = [
  'hardhat.config.ts',
  'node_modules/solc/package.json',
  'node_modules/@openzeppelin/contracts/package.json',
]

export interface BuildContractsOptions {
  /** Called with one line when there is something to wait for. */
  readonly log?: (line: string) => void
}

/**
 * Compiles the contracts without their tests, unless sources, settings and artifacts are those of the last build: then
 * it costs milliseconds, as Hardhat is not even asked. Processes that build at once wait for each other.
 *
 * @returns whether anything was compiled
 * @throws SuprnovaError `CONTRACTS_NOT_BUILT` when the compiler refuses; its messages went to the terminal.
 */
export async function ensureContractsBuilt({ log }: BuildContractsOptions = {}): Promise<boolean> {
  // A published package holds what was compiled, and not the sources.
  if ((await filesUnder('contracts', () => true)).length === 0) return false
  if (await isUpToDate()) return false
  return await underLock(log, async () => {
    if (await isUpToDate()) return false
    const sources = await hashOfSources()
    log?.('compiling contracts (once, and again when they change)')
    await compile()
    await writeFile(STAMP, `${sources} ${await hashOfArtifacts()}\n`)
    return true
  })
}

async function compile(): Promise<void> {
  process.env.HARDHAT_DISABLE_TELEMETRY = 'true'
  const config = join(root, 'hardhat.config.ts')
  const hre = await createHardhatRuntimeEnvironment(await importUserConfig(config), { config }, root)
  try {
    await hre.tasks.getTask('build').run({ noTests: true, quiet: true })
  } catch (cause) {
    throw new SuprnovaError('CONTRACTS_NOT_BUILT', `the contracts do not compile: ${(cause as Error).message}`, {
      hint: 'run `npx hardhat build` to see every message of the compiler',
      cause,
    })
  }
}

async function isUpToDate(): Promise<boolean> {
  const stamp = await readIfThere(STAMP)
  return stamp === `${await hashOfSources()} ${await hashOfArtifacts()}\n`
}

async function hashOfSources(): Promise<string> {
  const contracts = await filesUnder('contracts', (name) => name.endsWith('.sol') && !name.endsWith('.t.sol'))
  return await hashOf([...contracts, ...SETTINGS])
}

/** Artifacts of our own contracts. A build of the tests adds others beside them, which changes nothing here. */
async function hashOfArtifacts(): Promise<string> {
  return await hashOf(
    await filesUnder('artifacts/contracts', (name) => name.endsWith('.json') && !name.includes('.t.sol')),
  )
}

async function filesUnder(folder: string, wanted: (path: string) => boolean): Promise<string[]> {
  try {
    const entries = await readdir(join(root, folder), { recursive: true })
    return entries.filter(wanted).map((entry) => join(folder, entry))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function hashOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths.toSorted()) {
    const content = await readFile(join(root, path))
    hash.update(`${path}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/** Runs `work` while this process alone holds the lock file. A lock whose process is gone is taken over. */
async function underLock<T>(log: BuildContractsOptions['log'], work: () => Promise<T>): Promise<T> {
  await mkdir(join(root, 'cache'), { recursive: true })
  for (let told = false; !(await tryLock()); told = true) {
    if (!told) log?.('another process is compiling the contracts: waiting for it')
    await delay(LOCK_POLL_MS)
  }
  try {
    return await work()
  } finally {
    await rm(LOCK, { force: true })
  }
}

async function tryLock(): Promise<boolean> {
  try {
    const file = await open(LOCK, 'wx')
    await file.writeFile(String(process.pid))
    await file.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const holder = await readIfThere(LOCK)
  // Empty: its maker is between making and filling it.
  if (holder !== undefined && holder !== '' && !isRunning(Number(holder))) await rm(LOCK, { force: true })
  return false
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
