import { openStore } from '../../../../node/store/index.ts'

// Raises one row by one, again and again, each time only if it is as it was read. Prints how often that went through.
const [directory = '', times = ''] = process.argv.slice(2)
const store = await openStore(directory)
const table = store.table('t')
const key = Buffer.from('row')
let raised = 0
for (let i = 0; i < Number(times); i++) {
  const value = table.get(key)
  const next = Buffer.alloc(4)
  next.writeUInt32BE((value ? Buffer.from(value).readUInt32BE(0) : 0) + 1)
  // Lets the other process in between.
  await new Promise((resolve) => setImmediate(resolve))
  if (await table.writeIf([[key, value]], [[key, next]])) raised++
}
await store.close()
process.stdout.write(`${raised}\n`)
