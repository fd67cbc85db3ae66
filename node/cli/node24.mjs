/**
 * Finds Node 24 and runs scripts under it, whatever Node the machine has: the current one when it is new enough, else the one that
 * npm installed as a package. Plain JavaScript, because older versions of Node run this file.
 */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const WANTED_MAJOR = 24
/** `EXIT.config` of `node/core`, which this file cannot import. */
const EXIT_CONFIG = 3
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Whether the current process is new enough by itself. */
export function isNode24() {
  return Number(process.versions.node.split('.')[0]) >= WANTED_MAJOR
}

/**
 * The path of a Node that is new enough.
 * @returns {string}
 * @throws {Error} when the machine's Node is too old and the packaged one is not installed; the message says what to do.
 */
export function findNode24() {
  if (isNode24()) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin/node')
  } catch {
    throw new Error(
      `Node ${process.versions.node} is too old and the package ${name} with Node ${WANTED_MAJOR} is not installed.\n` +
        `Run \`npm install\` (without --omit=optional), or install Node ${WANTED_MAJOR} or newer.`,
    )
  }
}

/** `env` with the folder of `node` first on PATH, so that children find the same one. */
export function withNode24(env, node = findNode24()) {
  return { ...env, PATH: [dirname(node), env.PATH].filter(Boolean).join(delimiter) }
}

/**
 * Runs `script` with `args` under Node 24: here when this process is new enough, else in a child. Signals are passed on
 * to the child, and this process ends as the child ended: with its exit code, or by its signal.
 * @param {string} script absolute path
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
export async function runOnNode24(script, args) {
  if (isNode24()) {
    process.env.PATH = withNode24(process.env).PATH
    process.argv = [process.execPath, script, ...args]
    await import(pathToFileURL(script).href)
    return
  }
  let node
  try {
    node = findNode24()
  } catch (error) {
    console.error(error.message)
    process.exitCode = EXIT_CONFIG
    return
  }
  const child = spawn(node, [...process.execArgv, script, ...args], {
    stdio: 'inherit',
    env: withNode24(process.env, node),
  })
  const forward = (signal) => {
    // A terminal has sent its Ctrl-C to the child already, and a second one may mean "at once".
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    child.kill(signal)
  }
  for (const signal of FORWARDED) process.on(signal, forward)
  child.on('error', (error) => {
    console.error(`cannot start ${node}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    for (const name of FORWARDED) process.off(name, forward)
    if (signal === null) process.exitCode = code ?? 1
    else process.kill(process.pid, signal)
  })
}
