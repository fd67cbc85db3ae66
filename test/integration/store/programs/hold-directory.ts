import { SuprnovaError } from '../../../../node/core/index.ts'
import { lockDataDirectory } from '../../../../node/store/index.ts'

// Holds a data directory until it is killed, and says whether it could.
const [directory = '', runtimeDirectory = '', address = ''] = process.argv.slice(2)
try {
  await lockDataDirectory(directory, { address: address as `0x${string}` }, { runtimeDirectory })
  process.stdout.write('held\n')
} catch (error) {
  if (!(error instanceof SuprnovaError)) throw error
  process.stdout.write(`${error.code}\n`)
}
setInterval(() => {}, 1_000_000)
