import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { described } from '../option.ts'
import { OPTION } from '../options.ts'

/** How many nodes run unless told otherwise. */
const USUAL_NODES = 5

export const command = defineCommand({
  description: [
    'What `npm start` runs: compiles the contracts if they changed, starts a local chain, deploys, and runs staked nodes as processes of their own. It shows the head of the chain, the coordinator, and of each node its stake, peers, messages, rejects, faults and slashes; without a terminal it prints plain lines. With --json they go to stderr.',
    'With --lie one node then says two things in one slot, and is caught. Ctrl-C ends every process and leaves nothing behind. Each start is a new network.',
  ],
  options: {
    lie: OPTION.lie,
    nodes: described(OPTION.nodes, `How many nodes (default: ${USUAL_NODES})`),
  },
  examples: ['suprnova start', 'suprnova start --lie', 'suprnova start --nodes 8'],
  exits: { [EXIT.chain]: 'the local chain did not start, or refused something' },
  endsOnSignal: true,
  async run(values, context) {
    const { startNetwork } = await import('../../lab/index.ts')
    const { stderr, stdout } = context.process
    const shown = values.json ? stderr : stdout
    const nodes = values.nodes ?? USUAL_NODES
    await startNetwork({
      nodes,
      lie: values.lie,
      signal: context.signal,
      terminal: {
        isTty: shown.isTTY === true,
        size: () => ({ columns: shown.columns ?? 80, rows: shown.rows ?? 24 }),
        write: (text) => void shown.write(text),
      },
    })
    if (values.json) context.emit({ nodes, lie: values.lie, ended: true }, '')
    return undefined
  },
})
