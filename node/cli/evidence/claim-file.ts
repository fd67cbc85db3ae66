import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Address, Hex } from '../../core/index.ts'
import { ConfigError, systemCode } from '../errors.ts'

const VERSION = 1

/** What a reward can be claimed with. Its salt is a secret until the claim: whoever has it cannot take the reward, but can see that a report is coming. */
export interface ClaimRecord {
  readonly faultId: Hex
  readonly faultType: number
  readonly evidence: Hex
  readonly reporter: Address
  readonly beneficiary: Address
  readonly salt: Hex
}

/** Where the claim of a fault lies in a data directory. */
export function claimPath(dataDir: string, faultId: Hex): string {
  return join(dataDir, 'claims', `${faultId}.json`)
}

/**
 * Writes a claim, mode 0600, and returns once it is on disk: a commit without its salt could never be claimed.
 * @returns false when there is one already, which then stays as it is
 */
export function writeClaim(dataDir: string, claim: ClaimRecord): boolean {
  mkdirSync(join(dataDir, 'claims'), { recursive: true, mode: 0o700 })
  let file: number
  try {
    file = openSync(claimPath(dataDir, claim.faultId), 'wx', 0o600)
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return false
    throw cause
  }
  try {
    writeSync(file, `${JSON.stringify({ version: VERSION, ...claim }, undefined, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return true
}

/**
 * Reads a claim.
 * @returns undefined when there is none
 * @throws {ConfigError} `CLAIM_INVALID` naming the field
 */
export function readClaim(dataDir: string, faultId: Hex): ClaimRecord | undefined {
  const path = claimPath(dataDir, faultId)
  const invalid = (problem: string, cause?: unknown) =>
    new ConfigError('CLAIM_INVALID', `claim file ${path}: ${problem}`, {
      hint: 'restore it from a backup; without it the reward cannot be claimed',
      values: { path },
      cause,
    })
  let json: Record<string, unknown>
  try {
    json = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause)
  }
  const hex = (field: string, shape: RegExp): Hex => {
    const item = json[field]
    if (typeof item !== 'string' || !shape.test(item)) throw invalid(`${field} is not what was written there`)
    return item as Hex
  }
  if (json.version !== VERSION) throw invalid(`version must be ${VERSION}`)
  if (json.faultId !== faultId) throw invalid('faultId is not that of its name')
  if (typeof json.faultType !== 'number') throw invalid('faultType must be a number')
  return {
    faultId,
    faultType: json.faultType,
    evidence: hex('evidence', /^0x([0-9a-f]{2})+$/),
    reporter: hex('reporter', /^0x[0-9a-f]{40}$/),
    beneficiary: hex('beneficiary', /^0x[0-9a-f]{40}$/),
    salt: hex('salt', /^0x[0-9a-f]{64}$/),
  }
}
