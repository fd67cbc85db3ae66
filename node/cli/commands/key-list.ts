import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SuprnovaError } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { ConfigError, systemCode } from '../errors.ts'
import { keyFolder } from '../keys/key-file.ts'
import { table } from '../text.ts'

export const command = defineCommand({
  description: ['Reads no password and opens nothing: a keystore says its address.'],
  options: {},
  examples: ['suprnova key list', 'suprnova key list --data-dir ./operator --json'],
  async run(values) {
    const { readKeystoreFile } = await import('../../store/index.ts')
    const folder = keyFolder(values.dataDir)
    const keys: { name: string; address: string | null; path: string; problem?: string }[] = []
    for (const file of namesIn(folder)) {
      const path = join(folder, file)
      const name = file.slice(0, -'.json'.length)
      try {
        const { address } = await readKeystoreFile(path)
        keys.push({ name, address: address === undefined ? null : `0x${address}`, path })
      } catch (error) {
        if (!(error instanceof SuprnovaError)) throw error
        keys.push({ name, address: null, path, problem: error.message })
      }
    }
    const text =
      keys.length === 0
        ? `no keys in ${folder}; \`suprnova key new\` makes one`
        : table(keys.map((key) => [key.name, key.problem ?? key.address ?? 'address not told', key.path]))
    return { data: { folder, keys }, text }
  },
})

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .sort()
  } catch (cause) {
    const code = systemCode(cause)
    if (code === 'ENOENT') return []
    throw new ConfigError('KEYS_UNREADABLE', `the keys in ${folder} cannot be read: ${code ?? String(cause)}`, {
      hint: 'choose another with --data-dir, or mend this one',
      values: { folder },
      cause,
    })
  }
}
