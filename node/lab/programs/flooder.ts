/**
 * Asks one node as fast as it can, or takes such a flood and drops it, for the lab alone. The first line of standard
 * input holds its options, each further one an order; each is answered with a line of JSON.
 */
import { createInterface } from 'node:readline'
import { Flooder } from '../peers/flooder.ts'
import type { FlooderOptions, FloodOrder } from '../peers/flooder-process.ts'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const options = JSON.parse(String((await lines.next()).value)) as FlooderOptions
const flooder = await Flooder.open(options)
const answer = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`)

async function end(): Promise<void> {
  await flooder.close()
  process.exit(0)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end())
answer({ ready: true })
for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  const { id, ...order } = JSON.parse(line.value) as FloodOrder
  try {
    answer({ id, ...(await flooder.flood(order)) })
  } catch (error) {
    answer({ id, error: String(error) })
  }
}
// Standard input ended: whoever gave the orders is gone.
await end()
