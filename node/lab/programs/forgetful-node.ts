/**
 * A real node that drops what it promised: `forget` on standard input, and from then on it shows no record that it holds
 * and answers no challenge. It is put together here, around a store that hides its values, so that the program people run
 * has no such switch.
 */
import { createInterface } from 'node:readline'
import { createNode, type NodeConfigInput, parseNodeConfig } from '../../api/index.ts'
import { type ConditionalTable, openStore } from '../../store/index.ts'

let hasForgotten = false
const input = JSON.parse(process.argv[2] ?? '') as NodeConfigInput

/** A table that shows nothing once its owner has forgotten. */
function forgetful(table: ConditionalTable): ConditionalTable {
  return {
    ...table,
    get: (key) => (hasForgotten ? undefined : table.get(key)),
    range: (start, end) => (hasForgotten ? [] : table.range(start, end)),
  }
}

const node = await createNode(parseNodeConfig(input), {
  async openStore(directory) {
    const store = await openStore(directory)
    return {
      ...store,
      table: (name) => (name.startsWith('records') ? forgetful(store.table(name)) : store.table(name)),
    }
  },
})

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line !== 'forget') return
  hasForgotten = true
  // A cheat that asked its neighbours for the bytes would be none.
  const nothing = async () => undefined
  node.challenges.use({ find: nothing, search: nothing, laterPut: nothing })
  process.stdout.write('forgotten\n')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => node.shutdown())
await node.ended
process.exit(0)
