#!/usr/bin/env node
/** The command line. Plain JavaScript, because older versions of Node run this file before handing over to Node 24. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runOnNode24 } from './node24.mjs'

// The sources as they are in a clone, or what the published package holds of them.
const [source, built] = ['./main.ts', '../../dist/cli/main.js'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
)
await runOnNode24(existsSync(source) ? source : built, process.argv.slice(2))
