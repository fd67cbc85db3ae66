import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { ConfigError, systemCode } from '../errors.ts'
import { withGuard } from '../guard/offline-guard.ts'
import { addressOfKey } from '../keys/key-file.ts'
import { argument } from '../option.ts'
import { OPTION } from '../options.ts'
import { parseText } from '../values/text.ts'

/** Far above what a guard with every mesh slot it keeps writes. */
const MAX_FILE_BYTES = 64 * 1024 * 1024

export const command = defineCommand({
  description: [
    'Merges an interchange file into the signing guard of this data directory. It only ever merges upward: what either side has given out is given out. The file must hold this node key in this deployment; other keys in it are left alone. The node must not run; an imported key then waits two epochs before it signs, or is silent in meshes, as after any move.',
  ],
  args: { file: argument('FILE', 'interchange file of `suprnova guard export`', parseText) },
  options: { nodeKey: OPTION.nodeKey, rpc: OPTION.rpc },
  examples: ['suprnova guard import ./guard.json'],
  exits: {
    [EXIT.config]: 'the file is no interchange file (nothing was imported), or the directory has no guard yet',
    [EXIT.locked]: 'the node runs',
    [EXIT.unsafe]: 'the file shows another content in a slot this guard signed: rotate the key',
    [EXIT.tryAgain]: 'the RPC did not answer',
  },
  async run(values, context) {
    const document = readDocument(resolve(context.process.cwd, values.file))
    const address = await addressOfKey('node', values.nodeKey, values.dataDir, context)
    const summary = await withGuard(values, address, context, (guard) => guard.importInterchange(document))
    const others = summary.otherKeys === 0 ? '' : `; ${summary.otherKeys} keys of others were left alone`
    return {
      data: { key: address, ...summary },
      text: `merged ${summary.metered} marks and ${summary.meshSlots} mesh slots for ${address}${others}`,
    }
  },
})

function readDocument(path: string): unknown {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > MAX_FILE_BYTES) throw new RangeError(`has ${bytes.length} bytes, at most ${MAX_FILE_BYTES}`)
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    const why = systemCode(cause) ?? (cause instanceof Error ? cause.message : String(cause))
    throw new ConfigError('INTERCHANGE_UNREADABLE', `${path} is no interchange file: ${why}`, {
      hint: 'nothing was imported; give the file that `suprnova guard export` wrote',
      values: { path },
      cause,
    })
  }
}
