/**
 * A real node on a machine whose clock is wrong by so many milliseconds, or can be made wrong: `jump MILLISECONDS` on
 * standard input sets it off by that. It is put together here, with a clock of its own, so that the program people run
 * has no such switch.
 */
import { createInterface } from 'node:readline'
import { createNode, type NodeConfigInput, parseNodeConfig, systemClock } from '../../api/index.ts'

let offsetMs = Number(process.argv[3] ?? 0)
const input = JSON.parse(process.argv[2] ?? '') as NodeConfigInput
const node = await createNode(parseNodeConfig(input), { clock: { nowMs: () => systemClock.nowMs() + offsetMs } })

createInterface({ input: process.stdin }).on('line', (line) => {
  const jump = /^jump (-?\d+)$/.exec(line)
  if (jump?.[1] !== undefined) offsetMs = Number(jump[1])
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => node.shutdown())
await node.ended
process.exit(0)
