import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { ConfigError, systemCode, UsageError } from '../errors.ts'
import { keyPath, openKey } from '../keys/key-file.ts'
import { argument, described, required } from '../option.ts'
import { OPTION } from '../options.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Writes a copy of a keystore, or with --raw the private key itself, to a new file of mode 0600. The key is never printed. It opens the keystore first, so that a copy that cannot be opened is never made.',
    'Two nodes that run with one key sign two things in one slot sooner or later, and lose the stake for it. Move the signing guard with the key: `suprnova guard export`.',
  ],
  args: { key: argument('KEY', 'name of a key, or a keystore file', parseText) },
  options: {
    out: required(OPTION.out),
    raw: described(OPTION.raw, 'Write the private key as hex, readable to whoever gets the file'),
    passwordFile: OPTION.passwordFile,
    yes: described(OPTION.yes, 'Do not ask whether this is meant'),
  },
  examples: [
    'suprnova key export operator --out ./operator.json',
    'suprnova key export node --raw --out ./raw-key --yes',
  ],
  exits: { [EXIT.config]: 'no such key, wrong password, or the file exists already' },
  async run(values, context) {
    await confirm(values.raw, values.yes, context)
    const { createKeystoreFile, readKeystoreFile } = await import('../../store/index.ts')
    const { cwd } = context.process
    const opened = await openKey(undefined, values.key, values, context)
    const out = resolve(cwd, values.out)
    if (values.raw) writeSecret(out, `${opened.privateKey}\n`)
    else await createKeystoreFile(out, await readKeystoreFile(keyPath(values.key, values.dataDir, cwd)))
    const { address } = opened
    return { data: { address, path: out, raw: values.raw }, text: `${address}\n${out}` }
  },
})

async function confirm(raw: boolean, yes: boolean, context: Context): Promise<void> {
  if (yes) return
  if (!context.prompt.terminal) {
    throw new UsageError(
      'CONFIRMATION_NEEDED',
      'exporting a key must be confirmed, and there is no terminal to ask at',
      {
        hint: 'add --yes when it is meant',
      },
    )
  }
  const what = raw ? 'the bare private key' : 'a copy of the keystore'
  const answer = await context.prompt.ask(`Write ${what} out of the data directory? Type yes:`)
  if (answer.trim() !== 'yes') throw new UsageError('NOT_CONFIRMED', 'not confirmed; nothing was written')
}

function writeSecret(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    const code = systemCode(cause)
    const message =
      code === 'EEXIST'
        ? `${path} exists already and is not overwritten`
        : `${path} cannot be written: ${code ?? String(cause)}`
    throw new ConfigError('FILE_NOT_WRITTEN', message, { values: { path }, cause })
  }
}
