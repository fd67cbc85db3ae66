#!/usr/bin/env node
/** The command line. Plain JavaScript, because older versions of Node run this file before handing over to Node 24. */
import { fileURLToPath } from 'node:url'
import { runOnNode24 } from './node24.mjs'

await runOnNode24(fileURLToPath(new URL('./main.ts', import.meta.url)), process.argv.slice(2))
