import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { TryAgainError } from '../errors.ts'

/** A node closes everything in order; this is far more than it needs. */
const PATIENCE_MS = 30_000
const LOOK_EVERY_MS = 50

export const command = defineCommand({
  description: ['Asks the node of the data directory to end, and returns once it has.'],
  options: {},
  examples: ['suprnova node stop', 'suprnova node stop --data-dir ./node-1'],
  exits: { [EXIT.tryAgain]: 'no node runs on this data directory, or it has not ended within 30 s' },
  async run(values, context) {
    const { NodeClient } = await import('../../api/index.ts')
    const client = new NodeClient(values.dataDir)
    const { processId } = await client.status()
    await client.shutdown()
    const deadlineMs = context.process.nowMs() + PATIENCE_MS
    while (isAlive(processId)) {
      if (context.process.nowMs() > deadlineMs) {
        throw new TryAgainError('NODE_STILL_ENDING', `process ${processId} was told to end and still runs`, {
          hint: 'look at its logs, and call this again',
          values: { processId, patienceMs: PATIENCE_MS },
        })
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    return { data: { stopped: true, processId }, text: `the node (process ${processId}) has ended` }
  },
})

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false // no such process: it has ended
  }
}
