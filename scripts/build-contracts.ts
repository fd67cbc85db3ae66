/** Compiles the contracts without their tests when they changed. Run: `npm run build`. */
import { ensureContractsBuilt } from '../node/lab/build-contracts.ts'

const startedAt = performance.now()
const compiled = await ensureContractsBuilt({ log: (line) => console.log(line) })
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
console.log(compiled ? `contracts compiled in ${seconds} s` : `contracts are up to date (${seconds} s)`)
