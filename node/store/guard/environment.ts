import { createHash, randomUUID } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { hostname, tmpdir, uptime } from 'node:os'
import { join } from 'node:path'
import type { Address, Clock, Domain, Random } from '../../core/index.ts'
import { prepareOwnDirectory } from '../private-files.ts'
import { machineRandom } from '../random.ts'
import { fileMirror, type GuardMirror } from './mirror.ts'

/** Where a guard lives: what tells a copy from the original, and a restart from a reboot. */
export interface GuardIdentity {
  readonly machineId: string
  /** Another one after every boot. */
  readonly bootId: string
  /** The data directory's, as the file system gives them. */
  readonly inode: string
  readonly device: string
}

/** All that the guard asks of its machine, so that tests can be the machine. */
export interface GuardEnvironment {
  readonly identity: GuardIdentity
  /** Outside the data directory, kept until the next boot. */
  readonly mirror: GuardMirror
  readonly clock: Clock
  /** Milliseconds since boot, suspended time included. Never set by anybody. */
  uptimeMs(): number
  /** Unix seconds as the chain's head or the connected stakes have it; `undefined` when neither is known. */
  reference(): number | undefined
  readonly random: Random
}

/**
 * The machine this process runs on.
 * @param options.dataDirectory the locked data directory
 * @param modules.runtimeDirectory the one given to `lockDataDirectory`
 * @throws SuprnovaError `RUNTIME_DIRECTORY_UNSAFE` (exit 3) when others could write there
 */
export function machineEnvironment(
  options: { readonly dataDirectory: string; readonly address: Address; readonly domain: Domain },
  modules: {
    readonly clock: Clock
    readonly reference: () => number | undefined
    readonly runtimeDirectory?: string
  },
): GuardEnvironment {
  const runtimeDirectory = modules.runtimeDirectory ?? machineRuntimeDirectory()
  prepareOwnDirectory(runtimeDirectory)
  const stat = statSync(options.dataDirectory, { bigint: true })
  const { chainId, verifyingContract, salt } = options.domain
  const deployment = createHash('sha256').update(`${chainId}:${verifyingContract}:${salt}`.toLowerCase()).digest('hex')
  const name = `${options.address.toLowerCase()}-${deployment.slice(0, 16)}`
  return {
    identity: {
      machineId: machineId(),
      bootId: machineBootId(),
      inode: `${stat.ino}`,
      device: `${stat.dev}`,
    },
    mirror: fileMirror(join(runtimeDirectory, 'mirrors', name)),
    clock: modules.clock,
    uptimeMs: () => Math.round(uptime() * 1_000),
    reference: modules.reference,
    random: machineRandom,
  }
}

let bootId: string | undefined

/** The kernel's id of this boot. Where there is none, one of this process: every start then counts as a new boot. */
export function machineBootId(): string {
  bootId ??= readTrimmed('/proc/sys/kernel/random/boot_id') ?? `process:${randomUUID()}`
  return bootId
}

/** A private directory that a reboot empties; the system's temporary one where there is no /dev/shm. */
export function machineRuntimeDirectory(): string {
  const base = statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory() ? '/dev/shm' : tmpdir()
  return join(base, `suprnova-${process.getuid?.() ?? 'user'}`)
}

/** systemd's id of this installation, hashed as its manual asks; the host's name where there is none. */
function machineId(): string {
  const id = readTrimmed('/etc/machine-id') ?? readTrimmed('/var/lib/dbus/machine-id') ?? `host:${hostname()}`
  return createHash('sha256').update(`suprnova signing guard ${id}`).digest('hex').slice(0, 32)
}

function readTrimmed(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return undefined
    throw error
  }
}
