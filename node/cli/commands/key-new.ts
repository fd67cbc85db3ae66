import { randomBytes } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { keyPath } from '../keys/key-file.ts'
import { askNewPassword } from '../keys/password.ts'
import { described, optionalArgument } from '../option.ts'
import { OPTION } from '../options.ts'
import { parseKeyName } from '../values/text.ts'

/** Keys of these names never speak as a node. */
const OTHER_ROLES = new Set(['operator', 'gas'])

export const command = defineCommand({
  description: [
    'Draws a secp256k1 key from the random source of this machine and writes it as a Web3 keystore (version 3, scrypt), mode 0600. Nothing is ever overwritten.',
    'By their names keys take their roles: `node` speaks, `operator` owns the stake, `gas` pays for transactions.',
    'A node key made here, in the data directory of its node, has said nothing anywhere: its node may speak at once. With any other key it waits two epochs first.',
  ],
  args: { name: optionalArgument('NAME', 'name in the data directory (default: node)', parseKeyName) },
  options: {
    out: described(OPTION.out, 'Write this file instead of keys/NAME.json in the data directory'),
    passwordFile: OPTION.passwordFile,
    privateNetwork: OPTION.privateNetwork,
  },
  examples: ['suprnova key new operator', 'suprnova key new node --password-file ./password --json'],
  exits: { [EXIT.config]: 'no password, too short a password, or the file exists already' },
  async run(values, context) {
    const { addressOf, createKeystoreFile, encryptKey, makePrivateDirectory } = await import('../../store/index.ts')
    const { cwd } = context.process
    const path =
      values.out === undefined ? keyPath(values.name ?? 'node', values.dataDir, cwd) : resolve(cwd, values.out)
    const password = await askNewPassword({ what: `key ${path}`, passwordFile: values.passwordFile }, context)
    const privateKey = randomBytes(32)
    const keystore = await encryptKey(privateKey, password, { privateNetwork: values.privateNetwork })
    makePrivateDirectory(dirname(path))
    await createKeystoreFile(path, keystore)
    const address = addressOf(privateKey)
    if (values.out === undefined && !OTHER_ROLES.has(values.name ?? 'node')) {
      const { declareFreshKey } = await import('../../api/index.ts')
      await declareFreshKey(values.dataDir, address)
    }
    return { data: { address, path }, text: `${address}\n${path}` }
  },
})
