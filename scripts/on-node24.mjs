/** Runs a script of this project under Node 24 or newer: `node scripts/on-node24.mjs SCRIPT [ARG...]`. */
import { resolve } from 'node:path'
import { runOnNode24 } from '../node/cli/node24.mjs'

const [script, ...args] = process.argv.slice(2)
if (script === undefined) {
  console.error('usage: node scripts/on-node24.mjs SCRIPT [ARG...]')
  process.exitCode = 2
} else {
  await runOnNode24(resolve(script), args)
}
