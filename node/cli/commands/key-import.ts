import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { EXIT, fromHex } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { ConfigError, systemCode, UsageError } from '../errors.ts'
import { keyPath } from '../keys/key-file.ts'
import { askNewPassword, askPassword } from '../keys/password.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { parseKeyName, parseText } from '../values/text.ts'

/** Far above any keystore. */
const MAX_INPUT_CHARACTERS = 65_536

export const command = defineCommand({
  description: [
    'Reads a raw private key (64 hex digits, with or without 0x) or a version 3 keystore, from a file or from standard input (-), and writes it as a keystore of its own, mode 0600. A keystore is opened with its own password and closed with a new one; --password-file and SUPRNOVA_PASSWORD then hold the new one.',
    'A private key is never taken from the command line, where everyone on the machine can read it.',
  ],
  args: {
    name: argument('NAME', 'name in the data directory', parseKeyName),
    from: argument('FILE', 'raw key or keystore; - reads standard input', parseText),
  },
  options: {
    passwordFile: OPTION.passwordFile,
    oldPasswordFile: described(
      OPTION.oldPasswordFile,
      'File whose first line opens the keystore that is imported (default: the same password as the new one)',
    ),
    privateNetwork: OPTION.privateNetwork,
  },
  examples: [
    'suprnova key import operator ./raw-key',
    'suprnova key import node ~/geth/UTC--2026 --password-file ./password',
  ],
  exits: { [EXIT.config]: 'no key in the file, wrong password, or the name is taken' },
  async run(values, context) {
    const { addressOf, createKeystoreFile, encryptKey, makePrivateDirectory } = await import('../../store/index.ts')
    const path = keyPath(values.name, values.dataDir, context.process.cwd)
    const text = await readInput(values.from, context)
    const privateKey = await readPrivateKey(text, values, context)
    const password = await askNewPassword({ what: `key ${path}`, passwordFile: values.passwordFile }, context)
    const keystore = await encryptKey(privateKey, password, { privateNetwork: values.privateNetwork })
    makePrivateDirectory(dirname(path))
    await createKeystoreFile(path, keystore)
    const address = addressOf(privateKey)
    return { data: { address, path }, text: `${address}\n${path}` }
  },
})

async function readInput(from: string, context: Context): Promise<string> {
  if (/^(0x)?[0-9a-fA-F]{64}$/.test(from)) {
    throw new UsageError('SECRET_ON_COMMAND_LINE', 'FILE looks like a private key itself', {
      hint: 'this key has now been seen by this machine: put it into a file or send it through standard input (-)',
    })
  }
  let text = ''
  try {
    if (from === '-') for await (const chunk of context.process.stdin) text += chunk.toString()
    else text = readFileSync(resolve(context.process.cwd, from), 'utf8')
  } catch (cause) {
    throw new ConfigError('KEY_UNREADABLE', `${from} cannot be read: ${systemCode(cause) ?? String(cause)}`, {
      values: { path: from },
      cause,
    })
  }
  if (text.length > MAX_INPUT_CHARACTERS) {
    throw new ConfigError(
      'KEY_TOO_LARGE',
      `${from} has ${text.length} characters, a key has at most ${MAX_INPUT_CHARACTERS}`,
      {
        values: { limit: MAX_INPUT_CHARACTERS },
      },
    )
  }
  return text.trim()
}

async function readPrivateKey(
  text: string,
  values: { oldPasswordFile: string | undefined; passwordFile: string | undefined; from: string },
  context: Context,
): Promise<Uint8Array> {
  const { addressOf, decryptKey, parseKeystore } = await import('../../store/index.ts')
  if (text.startsWith('{')) {
    const keystore = parseKeystore(parseJson(text))
    const passwordFile = values.oldPasswordFile ?? values.passwordFile
    return decryptKey(keystore, await askPassword({ what: `keystore ${values.from}`, passwordFile }, context))
  }
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
    throw new ConfigError(
      'KEY_INVALID',
      `expected 64 hex digits or a JSON keystore, got ${text.length} characters that are neither`,
      {
        hint: 'the file holds the key and nothing else',
      },
    )
  }
  const privateKey = fromHex(`0x${text.replace(/^0x/, '')}`)
  try {
    addressOf(privateKey)
  } catch (cause) {
    throw new ConfigError('KEY_INVALID', 'these 32 bytes are no secp256k1 private key: zero, or not below the order', {
      cause,
    })
  }
  return privateKey
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ConfigError(
      'KEYSTORE_INVALID',
      `not a keystore: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        hint: 'give a Web3 Secret Storage version 3 file',
        cause,
      },
    )
  }
}
