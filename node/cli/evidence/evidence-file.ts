import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT, SuprnovaError } from '../../core/index.ts'
import type { EvidenceBundle } from '../../statements/index.ts'
import type { Context } from '../context.ts'
import { ConfigError, systemCode, UsageError } from '../errors.ts'

/** A bundle has about 3,000 bytes. */
const MAX_FILE_BYTES = 65_536

/**
 * Reads an evidence file; - reads standard input.
 * @throws {ConfigError} `EVIDENCE_UNREADABLE`
 * @throws {UsageError} `NOT_EVIDENCE`, saying what is wrong with it
 */
export async function readEvidenceFile(from: string, context: Context): Promise<EvidenceBundle> {
  const { decodeBundle } = await import('../../statements/index.ts')
  const bytes = await readBytes(from, context)
  if (bytes.length > MAX_FILE_BYTES) {
    throw new UsageError(
      'NOT_EVIDENCE',
      `${from} is no evidence: it has ${bytes.length} bytes, at most ${MAX_FILE_BYTES}`,
      {
        values: { file: from, limit: MAX_FILE_BYTES },
      },
    )
  }
  try {
    return decodeBundle(bytes)
  } catch (cause) {
    if (!(cause instanceof SuprnovaError) || cause.exitCode !== EXIT.usage) throw cause
    throw new UsageError('NOT_EVIDENCE', `${from} is no evidence: ${cause.message}`, {
      hint: cause.hint ?? '`suprnova evidence show FAULT --out FILE` writes one from a running node',
      values: { file: from, ...cause.values },
    })
  }
}

async function readBytes(from: string, context: Context): Promise<Uint8Array> {
  try {
    if (from !== '-') return readFileSync(resolve(context.process.cwd, from))
    const chunks: Buffer[] = []
    for await (const chunk of context.process.stdin) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks)
  } catch (cause) {
    throw new ConfigError(
      'EVIDENCE_UNREADABLE',
      `evidence file ${from} cannot be read: ${systemCode(cause) ?? String(cause)}`,
      {
        hint: 'give the path of a file, or - for standard input',
        values: { file: from },
        cause,
      },
    )
  }
}
