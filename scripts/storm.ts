// Plays seeds of the simulated DHT one after the other, and says which break a promise.
//
//   node scripts/on-node24.mjs scripts/storm.ts 0 100           seeds 0 to 99
//   node scripts/on-node24.mjs scripts/storm.ts 0 100 --first   ends at the first that breaks one
//   node scripts/on-node24.mjs scripts/storm.ts 0 9000 450      ends after so many seconds
import { runStorm } from '../node/lab/simulation/storm.ts'

const [from, to, seconds = Number.POSITIVE_INFINITY] = process.argv
  .slice(2)
  .filter((word) => !word.startsWith('--'))
  .map(Number)
if (!Number.isInteger(from) || !Number.isInteger(to)) {
  process.stderr.write('usage: node scripts/on-node24.mjs scripts/storm.ts FROM TO [SECONDS] [--first]\n')
  process.exit(2)
}
const first = process.argv.includes('--first')
const started = performance.now()
const sums: Record<string, number> = {}
let broken = 0
let played = 0
const secondsGone = () => (performance.now() - started) / 1_000
let seed = from as number
for (; seed < (to as number) && secondsGone() < seconds; seed++) {
  const { counts, problems } = await runStorm({ seed: `storm ${seed}` })
  played++
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
  if (problems.length === 0) continue
  broken++
  process.stdout.write(`seed ${seed}: ${problems.length} problems\n`)
  for (const problem of problems.slice(0, first ? 3 : 10)) process.stdout.write(`  ${problem}\n`)
  if (first) break
}
process.stdout.write(
  `seeds ${from} to ${seed - 1}: ${played} in ${secondsGone().toFixed(0)} s, ${broken} broke a promise; ${JSON.stringify(sums)}\n`,
)
if (broken > 0) process.exitCode = 1
