import { writeSync } from 'node:fs'
import { SuprnovaError } from '../../../../node/core/index.ts'
import { openStore } from '../../../../node/store/index.ts'

// Writes on and on in a process whose files may not grow, several at once and alone, and says what came of each, at once:
// LMDB writes its words about a failed commit past the end of their buffer, which may end the process at any later moment.
const say = (word: string) => void writeSync(1, `${word}\n`)
process.on('unhandledRejection', () => say('unhandled'))
const store = await openStore(process.argv[2] ?? '')
const table = store.table('t')
const write = async (row: number) => {
  try {
    await table.write([[Buffer.from(`row ${row}`), Buffer.alloc(row % 3 === 0 ? 16_000 : 300, 1)]])
    say(`written ${row}`)
  } catch (error) {
    if (!(error instanceof SuprnovaError)) throw error
    say(error.code)
  }
}
for (let row = 0; row < 200; row += 4) {
  await Promise.all([write(row), write(row + 1), write(row + 2)])
  await write(row + 3)
}
