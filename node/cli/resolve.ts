import { dirname, join, resolve as resolvePath } from 'node:path'
import { splitArguments, type Written } from './arguments.ts'
import type { Command } from './command.ts'
import { CONFIG_FILE_NAME, type ConfigFile, readConfigFile } from './config-file.ts'
import type { Process } from './context.ts'
import { ConfigError, UsageError } from './errors.ts'
import { environmentOf, flagOf, type Option, type Options, ValueError } from './option.ts'
import { COMMON, OPTION } from './options.ts'

/** Where a value came from, strongest first. */
export type ValueSource = 'flag' | 'environment' | 'config' | 'default'

/** Values by option and argument name, as a command's `run` takes them. */
export type Resolved = Record<string, unknown> & { json: boolean; help: boolean; dataDir: string }

/** Values, and where those that are not defaults came from. */
export interface Resolution {
  readonly values: Resolved
  readonly sources: ReadonlyMap<string, ValueSource>
}

interface Source {
  readonly text: string
  /** How the source is named in an error: `--port`, `SUPRNOVA_PORT`, `port in FILE`. */
  readonly field: string
  readonly from: ValueSource
}

const EVERY_OPTION: Options = { ...COMMON, ...OPTION }
const CONFIG_FIELDS = Object.entries(EVERY_OPTION)
  .filter(([, option]) => option.sources === 'all')
  .map(([name]) => name)
const CONFIG_LISTS = CONFIG_FIELDS.filter((name) => EVERY_OPTION[name]?.kind === 'list')

/**
 * Finds a value for every option and argument of a command: flag, else `SUPRNOVA_*`, else config file, else default.
 * @throws {UsageError} for what the command line or the environment says wrongly
 * @throws {ConfigError} for what the config file says wrongly
 */
export function resolveValues(command: Command, argv: readonly string[], process: Process): Resolution {
  const options: Options = { ...COMMON, ...command.options }
  const written = splitArguments(argv, options)
  const sources = new Map<string, ValueSource>()
  const found: Record<string, unknown> = {}
  if (written.options.has('help')) {
    return { values: { help: true, json: written.options.has('json'), dataDir: '' }, sources }
  }
  const config = openConfig(written, process)
  for (const [name, option] of Object.entries(options)) {
    const source = findSource(name, option, written, process, config)
    if (source !== undefined) sources.set(name, source.from)
    found[name] = foundValue(name, option, source)
  }
  Object.assign(found, readPositionals(command, written.positionals))
  const dataDir = absoluteDataDir(String(found.dataDir), process)
  return { values: { ...(found as Resolved), dataDir }, sources }
}

/** `~` is the home directory, as a default or a config file may say it; anything else is seen from the working directory. */
export function absoluteDataDir(written: string, process: Pick<Process, 'cwd' | 'homeDir'>): string {
  const expanded = written === '~' || written.startsWith('~/') ? join(process.homeDir, written.slice(1)) : written
  return resolvePath(process.cwd, expanded)
}

function openConfig(written: Written, process: Process): ConfigFile | undefined {
  const known = { known: CONFIG_FIELDS, lists: CONFIG_LISTS }
  const named = foundValue('config', COMMON.config, findSource('config', COMMON.config, written, process, undefined))
  if (named !== undefined) {
    return readConfigFile(resolvePath(process.cwd, String(named)), { mustExist: true, ...known })
  }
  const source = findSource('dataDir', COMMON.dataDir, written, process, undefined)
  const dataDir = absoluteDataDir(String(foundValue('dataDir', COMMON.dataDir, source)), process)
  const config = readConfigFile(join(dataDir, CONFIG_FILE_NAME), { mustExist: false, ...known })
  if (config?.fields.has('dataDir')) {
    throw new ConfigError(
      'CONFIG_MOVES_DATA_DIR',
      `dataDir cannot stand in ${config.path}, which lies in the data directory`,
      {
        hint: 'leave it out, or name the file with --config',
        values: { path: config.path, field: 'dataDir' },
      },
    )
  }
  return config
}

function findSource(
  name: string,
  option: Option,
  written: Written,
  process: Pick<Process, 'env'>,
  config: ConfigFile | undefined,
): Source | undefined {
  const flags = written.options.get(name)
  if (flags !== undefined) return { text: flags.join(','), field: flagOf(name), from: 'flag' }
  if (option.sources === 'flag-only') return undefined
  const environment = process.env[environmentOf(name)]
  if (environment !== undefined && environment !== '') {
    return { text: environment, field: environmentOf(name), from: 'environment' }
  }
  const field = option.sources === 'all' ? config?.fields.get(name) : undefined
  if (field === undefined || config === undefined) return undefined
  const text = isPath(option, field) ? resolvePath(dirname(config.path), field) : field
  return { text, field: `${name} in ${config.path}`, from: 'config' }
}

/** Paths in a config file are seen from where it lies, so that they mean the same whatever the working directory. */
function isPath(option: Option, text: string): boolean {
  if (text.startsWith('~')) return false
  return ['FILE', 'DIR'].includes(option.placeholder) || (option.placeholder === 'KEY' && text.includes('/'))
}

function foundValue(name: string, option: Option, source: Source | undefined): unknown {
  if (source !== undefined) return readValue(option.parse, source)
  if (option.fallback !== undefined) return option.parse(option.fallback)
  if (option.required) {
    throw new UsageError('OPTION_MISSING', `${flagOf(name)} ${option.placeholder} is missing: ${option.summary}`, {
      hint: `give ${flagOf(name)}, set ${environmentOf(name)}, or write ${name} in the config file`,
      values: { option: flagOf(name) },
    })
  }
  return option.kind === 'list' ? [] : undefined
}

function readValue(parse: (text: string) => unknown, source: Source): unknown {
  try {
    return parse(source.text)
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    const message = `${source.field}: ${error.message}`
    const values = { field: source.field }
    throw source.from === 'config'
      ? new ConfigError('CONFIG_BAD_VALUE', message, { values })
      : new UsageError('BAD_VALUE', message, { values })
  }
}

function readPositionals(command: Command, positionals: readonly string[]): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  const args = Object.entries(command.args)
  if (positionals.length > args.length) {
    const extra = positionals[args.length] as string
    throw new UsageError('TOO_MANY_ARGUMENTS', `${JSON.stringify(extra)} is one argument too many`, {
      hint: args.length === 0 ? 'this command takes options only, see --help' : 'see --help',
      values: { argument: extra },
    })
  }
  args.forEach(([name, argument], index) => {
    const text = positionals[index]
    if (text === undefined && argument.required) {
      throw new UsageError('ARGUMENT_MISSING', `${argument.placeholder} is missing: ${argument.summary}`, {
        hint: 'see --help',
        values: { argument: argument.placeholder },
      })
    }
    found[name] =
      text === undefined ? undefined : readValue(argument.parse, { text, field: argument.placeholder, from: 'flag' })
  })
  return found
}
