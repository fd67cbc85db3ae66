import { EXIT, type GuardRefusal, SuprnovaError } from '../core/index.ts'

const REFUSAL_TEXT: Record<GuardRefusal, readonly [message: string, hint: string]> = {
  lost: [
    'this signing guard counts as lost, so nothing is signed under its key',
    'rotate the node key with `suprnova stake rotate`; or, once no other copy of this key runs, declare the guard lost to wait it out',
  ],
  waiting: [
    'this signing guard waits until clock and reference are both two full epochs past its restart',
    'wait; nothing is wrong when this follows a reboot. After a loss, meshes need a new key',
  ],
  skew: [
    'the clock of this machine differs from the reference by more than the allowed skew, or there is no reference',
    'set the clock (NTP) and see that the chain can be reached',
  ],
  epoch: [
    'the current epoch may not be signed in: it is behind what this guard has signed, or past the reference',
    'set the clock (NTP); the guard goes on by itself once time has caught up',
  ],
  limit: ['the limit of this kind for the current epoch is used up', 'wait for the next epoch, or send larger batches'],
  slot: [
    'another content was signed for this slot of the mesh',
    'this is the guard doing its work; drop the new content',
  ],
  pruned: [
    'this slot of the mesh lies below the mark under which the guard keeps no digests',
    'drop it: the mesh has moved on',
  ],
  draining: [
    'the stake behind this key was slashed or is leaving, so nothing new is signed',
    'see `suprnova stake status`',
  ],
  full: ['the disk has no room for the mark that a signature rests on', 'free some space; the guard goes on by itself'],
  closed: [
    'the signing guard is closed',
    'start the node again; if it closed by itself, look at the cause and the disk',
  ],
}

/** A statement the guard will not let be signed. `values.reason` is a {@link GuardRefusal}. */
export function guardRefused(
  reason: GuardRefusal,
  values: Record<string, unknown> = {},
  cause?: unknown,
): SuprnovaError {
  const [message, hint] = REFUSAL_TEXT[reason]
  return new SuprnovaError('GUARD_REFUSED', `refused to sign (${reason}): ${message}`, {
    exitCode: EXIT.unsafe,
    hint,
    values: { ...values, reason },
    cause,
  })
}

/** Rows of the guard changed underneath it: another process opened the same directory and key. */
export function guardDisplaced(): SuprnovaError {
  return new SuprnovaError('GUARD_DISPLACED', 'another process writes the marks of this signing guard', {
    exitCode: EXIT.unsafe,
    hint: 'two processes, perhaps in two containers, share this data directory; stop one of them for good, then start the other',
  })
}

/** Two contents in one slot, one here and one in the file to import: the harm is done, and nothing is merged. */
export function interchangeConflict(field: string, values: Record<string, unknown>): SuprnovaError {
  return new SuprnovaError(
    'INTERCHANGE_CONFLICT',
    `${field} differs from what this guard has signed in the same slot`,
    {
      exitCode: EXIT.unsafe,
      hint: 'this key has signed two contents in one slot; do not use it again, rotate',
      values,
    },
  )
}

/** A file of marks that is not one. `field` is a path such as `data[0].metered[1].end`. */
export function interchangeInvalid(field: string, expected: string, got: unknown): SuprnovaError {
  return new SuprnovaError('INTERCHANGE_INVALID', `${field} must be ${expected}, got ${shown(got)}`, {
    exitCode: EXIT.config,
    hint: 'nothing was imported; export the file again from the machine that signed last',
    values: { field, expected },
  })
}

/** A directory whose contents cannot be what this program wrote. Nothing was changed in it. */
export function storeCorrupt(path: string, why: string, cause?: unknown): SuprnovaError {
  return new SuprnovaError('STORE_CORRUPT', `${path} is damaged: ${why}`, {
    exitCode: EXIT.config,
    hint: 'nothing was changed. Keep a copy, then look at the disk; a restored backup counts as a lost signing guard',
    values: { path, why },
    cause,
  })
}

/** The store's bound is reached. */
export function storeFull(path: string, usedBytes: number, maxBytes: number): SuprnovaError {
  return new SuprnovaError('STORE_FULL', `${path} holds ${usedBytes} bytes, its limit is ${maxBytes}`, {
    exitCode: EXIT.config,
    hint: 'give the store more room in the configuration, or remove what it need not hold',
    values: { path, usedBytes, maxBytes },
  })
}

/** The disk is about to be full. Nothing was written. */
export function diskFull(path: string, freeBytes: number, neededBytes: number): SuprnovaError {
  return new SuprnovaError('STORE_FULL', `the disk of ${path} has ${freeBytes} bytes left, ${neededBytes} are needed`, {
    exitCode: EXIT.config,
    hint: 'free some space; what was promised is kept and served meanwhile, and new records are taken again by themselves',
    values: { path, freeBytes, neededBytes },
  })
}

/** A write that the disk did not take. What it held may or may not be there. */
export function storeWriteFailed(path: string, cause: unknown): SuprnovaError {
  return new SuprnovaError('STORE_WRITE_FAILED', `writing to ${path} failed: ${describe(cause)}`, {
    hint: 'look at the disk: free space, permissions, errors in the kernel log; then start the node again',
    values: { path },
    cause,
  })
}

/** Use of a store after its `close()`. */
export function storeClosed(path: string): SuprnovaError {
  return new SuprnovaError('STORE_CLOSED', `${path} is closed`, {
    values: { path },
  })
}

/**
 * Another live process holds the directory or the key.
 * @param here whether this process can see it; else it runs in another container, and `pid` is its number there
 */
export function locked(what: 'data directory' | 'node key', name: string, pid: number, here: boolean): SuprnovaError {
  const holder = here ? `process ${pid}` : `process ${pid} of another container`
  return new SuprnovaError('LOCKED', `the ${what} ${name} is in use by ${holder}`, {
    exitCode: EXIT.locked,
    hint: `stop it first: \`suprnova node stop\`, or end ${here ? `process ${pid}` : 'that container'}`,
    values: { what, name, pid },
  })
}

/** The directory for what outlives a process is not this user's own, so others could tell the guard lies. */
export function runtimeDirectoryUnsafe(path: string, why: string, cause?: unknown): SuprnovaError {
  return new SuprnovaError('RUNTIME_DIRECTORY_UNSAFE', `${path} cannot be trusted: ${why}`, {
    exitCode: EXIT.config,
    hint: 'stop all nodes of this user, look who made it and remove it; the signing guard then waits as after a reboot',
    values: { path, why },
    cause,
  })
}

/** A data directory that cannot be used as one. */
export function directoryUnusable(path: string, why: string, cause?: unknown): SuprnovaError {
  return new SuprnovaError('DATA_DIRECTORY_UNUSABLE', `the data directory ${path} cannot be used: ${why}`, {
    exitCode: EXIT.config,
    hint: 'choose another with --data-dir, or mend this one',
    values: { path, why },
    cause,
  })
}

/** A file that is no Web3 Secret Storage v3 keystore. `field` names what is wrong with it. */
export function keystoreInvalid(field: string, expected: string, got: unknown): SuprnovaError {
  return new SuprnovaError('KEYSTORE_INVALID', `not a keystore: ${field} must be ${expected}, got ${shown(got)}`, {
    exitCode: EXIT.config,
    hint: 'give a Web3 Secret Storage version 3 file',
    values: { field, expected },
  })
}

/** A keystore that asks for a derivation this program does not do, or for too much of it. */
export function keystoreUnsupported(field: string, got: unknown, limit: string): SuprnovaError {
  return new SuprnovaError('KEYSTORE_UNSUPPORTED', `keystore ${field} is ${shown(got)}, supported is ${limit}`, {
    exitCode: EXIT.config,
    hint: 'encrypt the key again with scrypt, N = 262144, r = 8, p = 1',
    values: { field, limit },
  })
}

/** The file is a keystore, the password is not its own. */
export function wrongPassword(): SuprnovaError {
  return new SuprnovaError('WRONG_PASSWORD', 'the password does not open this keystore', {
    exitCode: EXIT.config,
    hint: 'try again; a lost password cannot be recovered',
  })
}

/** A keystore is never written over. */
export function keystoreExists(path: string): SuprnovaError {
  return new SuprnovaError('KEYSTORE_EXISTS', `${path} exists already and is not overwritten`, {
    exitCode: EXIT.config,
    hint: 'choose another name, or move the old file away yourself',
    values: { path },
  })
}

/** A file that cannot be read at all. */
export function keystoreUnreadable(path: string, cause: unknown): SuprnovaError {
  return new SuprnovaError('KEYSTORE_UNREADABLE', `cannot read ${path}: ${describe(cause)}`, {
    exitCode: EXIT.config,
    hint: 'check the path and its permissions',
    values: { path },
    cause,
  })
}

function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
