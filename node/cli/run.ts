import { readFileSync } from 'node:fs'
import { EXIT, SuprnovaError } from '../core/index.ts'
import type { Command, Result } from './command.ts'
import { COMMANDS, commandsOf, type Entry, GROUPS, nameOf } from './commands.ts'
import type { Context, Process } from './context.ts'
import { UsageError } from './errors.ts'
import { commandHelp, groupHelp, type HelpPage, overview } from './help.ts'
import { toJsonDocument, toJsonLine } from './json.ts'
import { createPrompt, PromptCancelled } from './prompt.ts'
import { type Resolution, type Resolved, resolveValues } from './resolve.ts'
import { nearest } from './suggest.ts'

/** As a shell reports a program that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130

/**
 * Runs one command line to its end.
 * @param argv what was written after `suprnova`
 * @param signal aborted by the first Ctrl-C or SIGTERM
 * @returns the exit code; never throws
 */
export async function run(
  argv: readonly string[],
  process: Process,
  signal: AbortSignal,
  onCommand: (command: Command) => void = () => {},
): Promise<number> {
  let json = asksForJson(argv, process)
  try {
    const page = pageFor(argv)
    if (page !== undefined) {
      printHelp(page, json, process)
      return EXIT.ok
    }
    const { entry, rest } = findEntry(argv)
    const { command } = await entry.load()
    onCommand(command)
    const { values, sources } = resolveValues(command, rest, process)
    json = values.json
    if (values.help) {
      printHelp(commandHelp(entry, command), json, process)
      return EXIT.ok
    }
    const result = await command.run(values, createContext(values, sources, process, signal))
    if (result !== undefined) printResult(result, json, process)
    return result?.exitCode ?? EXIT.ok
  } catch (error) {
    const isCutOff = signal.aborted && !(error instanceof SuprnovaError)
    return report(isCutOff ? new PromptCancelled('interrupted') : error, json, process)
  }
}

/** The version in package.json. */
export function version(): string {
  const path = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

/** Which command is meant, and what was written after its words. @throws {UsageError} */
export function findEntry(argv: readonly string[]): { entry: Entry; rest: readonly string[] } {
  const [first, second] = argv
  if (first === undefined) throw new UsageError('NO_COMMAND', 'which command?', { hint: 'see suprnova --help' })
  const single = COMMANDS.find((entry) => entry.path.length === 1 && entry.path[0] === first)
  if (single !== undefined) return { entry: single, rest: argv.slice(1) }
  if (first.startsWith('-')) {
    throw new UsageError('NO_COMMAND', `${first} comes before the command`, {
      hint: 'options stand after the command: suprnova COMMAND [OPTIONS]',
      values: { option: first },
    })
  }
  if (!(first in GROUPS)) {
    const names = [...COMMANDS.map(nameOf), ...Object.keys(GROUPS)]
    const near = nearest(second === undefined ? first : `${first} ${second}`, names) ?? nearest(first, names)
    throw new UsageError('UNKNOWN_COMMAND', `there is no command ${first}`, {
      hint: near === undefined ? 'see suprnova --help' : `did you mean suprnova ${near}?`,
      values: { command: first },
    })
  }
  const entries = commandsOf(first)
  const words = entries.map((entry) => entry.path[1] as string)
  const found = entries.find((entry) => entry.path[1] === second)
  if (found !== undefined) return { entry: found, rest: argv.slice(2) }
  if (second === undefined || second.startsWith('-')) {
    throw new UsageError('NO_COMMAND', `suprnova ${first} needs one of: ${words.join(', ')}`, {
      hint: `see suprnova ${first} --help`,
      values: { command: first },
    })
  }
  const near = nearest(second, words)
  throw new UsageError('UNKNOWN_COMMAND', `there is no command ${first} ${second}`, {
    hint: near === undefined ? `it has: ${words.join(', ')}` : `did you mean suprnova ${first} ${near}?`,
    values: { command: `${first} ${second}` },
  })
}

/** A help page that no command has to be loaded for. */
function pageFor(argv: readonly string[]): HelpPage | undefined {
  const [first, second] = argv.filter((word) => word !== '--json')
  if (first === '--version') return { data: { version: version() }, text: version() }
  if (first === '--help' || first === '-h' || (first === 'help' && second === undefined)) return overview(version())
  const isGroup = first !== undefined && first in GROUPS
  if (isGroup && (second === '--help' || second === '-h')) return groupHelp(first)
  return undefined
}

function asksForJson(argv: readonly string[], process: Process): boolean {
  const end = argv.indexOf('--')
  const flags = end === -1 ? argv : argv.slice(0, end)
  if (flags.includes('--json')) return true
  if (flags.includes('--no-json')) return false
  return ['1', 'true', 'yes', 'on'].includes(process.env.SUPRNOVA_JSON?.toLowerCase() ?? '')
}

function createContext(
  values: Resolved,
  sources: Resolution['sources'],
  process: Process,
  signal: AbortSignal,
): Context {
  return {
    sourceOf: (name) => sources.get(name) ?? 'default',
    process,
    signal,
    prompt: createPrompt(process),
    note: (line) => process.stderr.write(`${line}\n`),
    bytes: async (parts) => {
      for await (const part of parts) await new Promise<void>((taken) => process.stdout.write(part, () => taken()))
    },
    emit: (data, text) => process.stdout.write(`${values.json ? toJsonLine(data) : text}\n`),
  }
}

function printHelp(page: HelpPage, json: boolean, process: Process): void {
  process.stdout.write(`${json ? toJsonDocument(page.data) : page.text}\n`)
}

function printResult(result: Result, json: boolean, process: Process): void {
  process.stdout.write(`${json ? toJsonDocument(result.data) : result.text}\n`)
}

/** Tells a failure on stderr, with `--json` on stdout too, and gives its exit code. */
function report(error: unknown, json: boolean, process: Process): number {
  if (error instanceof PromptCancelled) {
    process.stderr.write(`suprnova: ${error.message}\n`)
    if (json) process.stdout.write(`${toJsonDocument({ error: { code: 'CANCELLED', message: error.message } })}\n`)
    return EXIT_INTERRUPTED
  }
  const known = error instanceof SuprnovaError ? error : unexpected(error)
  process.stderr.write(`suprnova: ${known.message}\n`)
  if (known.hint !== undefined) process.stderr.write(`  ${known.hint}\n`)
  if (process.env.SUPRNOVA_DEBUG === '1') process.stderr.write(`${stackOf(error)}\n`)
  if (json) {
    const { code, message, hint, values } = known
    process.stdout.write(`${toJsonDocument({ error: { code, message, hint, values } })}\n`)
  }
  return known.exitCode
}

/** What only developers have installed, because running a node needs none of it. */
const DEVELOPMENT_PACKAGES = /^Cannot find package '(hardhat|@nomicfoundation\/[^']+|hyperdht)'/

function unexpected(error: unknown): SuprnovaError {
  const missing = error instanceof Error ? DEVELOPMENT_PACKAGES.exec(error.message)?.[1] : undefined
  if (missing !== undefined) {
    return new SuprnovaError(
      'PACKAGE_MISSING',
      `this command needs the package ${missing}, which Suprnova does not bring along`,
      {
        exitCode: EXIT.config,
        hint: `run \`npm install ${missing === 'hardhat' ? 'hardhat@3' : missing}\` beside it, or work in a clone of the repository`,
        values: { package: missing },
      },
    )
  }
  const message = error instanceof Error ? error.message : String(error)
  return new SuprnovaError('UNEXPECTED', `unexpected: ${message}`, {
    hint: 'SUPRNOVA_DEBUG=1 in front of the command shows where',
    cause: error,
  })
}

/** The stack, and those of the causes below it. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.stack ?? error.message
  return error.cause === undefined ? own : `${own}\ncaused by ${stackOf(error.cause)}`
}
