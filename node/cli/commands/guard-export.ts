import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { ConfigError, systemCode } from '../errors.ts'
import { withGuard } from '../guard/offline-guard.ts'
import { addressOfKey } from '../keys/key-file.ts'
import { described } from '../option.ts'
import { OPTION } from '../options.ts'

export const command = defineCommand({
  description: [
    'Writes what the signing guard has given out, as an interchange file in the manner of EIP-3076. It holds no secret. Take it along whenever a node key moves to another machine: without it the other one could sign a second thing in a slot of this one, and the stake is slashed.',
    'Stop the node first, and do not start it again here. A running node is asked through its socket, for a look at its marks; what it signs afterwards is not in the file.',
  ],
  options: {
    nodeKey: OPTION.nodeKey,
    rpc: OPTION.rpc,
    out: described(OPTION.out, 'Write this file instead of standard output'),
  },
  examples: ['suprnova node stop && suprnova guard export --out guard.json'],
  exits: {
    [EXIT.config]: 'no node ever ran on this data directory, or its guard is damaged',
    [EXIT.tryAgain]: 'the RPC did not answer',
  },
  async run(values, context) {
    const { NodeClient, NodeNotRunningError } = await import('../../api/index.ts')
    let running = true
    const interchange = await new NodeClient(values.dataDir).exportGuard().catch(async (error: unknown) => {
      if (!(error instanceof NodeNotRunningError)) throw error
      running = false
      const address = await addressOfKey('node', values.nodeKey, values.dataDir, context)
      return withGuard(values, address, context, (guard) => guard.exportInterchange())
    })
    if (running) context.note('the node runs: stop it and export again before its key moves anywhere')
    const document = JSON.stringify(interchange, undefined, 2)
    if (values.out === undefined) return { data: interchange, text: document }
    const path = resolve(context.process.cwd, values.out)
    write(path, `${document}\n`)
    return { data: interchange, text: `written to ${path}` }
  },
})

function write(path: string, document: string): void {
  try {
    writeFileSync(path, document, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    const code = systemCode(cause)
    const why =
      code === 'EEXIST' ? 'exists already and is not overwritten' : `cannot be written: ${code ?? String(cause)}`
    throw new ConfigError('FILE_NOT_WRITTEN', `${path} ${why}`, { values: { path }, cause })
  }
}
