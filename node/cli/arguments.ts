import { parseArgs } from 'node:util'
import { systemCode, UsageError } from './errors.ts'
import { flagOf, type Options } from './option.ts'
import { nearest } from './suggest.ts'

/** No option is named by a digit: what looks like a negative number is one, where Node's parser would see options. */
const NEGATIVE = /^-\.?\d/
/** What no word of a command line can contain. */
const MARK = '\0'

/** What stood on the command line: option values as written, by option name, and the rest in order. */
export interface Written {
  readonly options: ReadonlyMap<string, readonly string[]>
  readonly positionals: readonly string[]
}

/**
 * Splits a command line into options and positionals.
 * @throws {UsageError} for an unknown option, a missing value, or one given twice that may be given once
 */
export function splitArguments(argv: readonly string[], options: Options): Written {
  const byFlag = new Map(Object.entries(options).map(([name, option]) => [flagOf(name).slice(2), { name, option }]))
  const config = Object.fromEntries(
    [...byFlag].map(([written, { option }]) => [
      written,
      { type: option.kind === 'flag' ? ('boolean' as const) : ('string' as const), multiple: true },
    ]),
  )
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(argv, config)
  } catch (error) {
    throw asUsageError(error, argv, [...byFlag.keys()])
  }
  const written = new Map<string, string[]>()
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue
    const negated = token.rawName === `--no-${token.name}`
    // `parseArgs` is strict, so the token is one of ours.
    const found = byFlag.get(token.name) as { name: string; option: Options[string] }
    const values = written.get(found.name) ?? []
    if (values.length > 0 && found.option.kind !== 'list') {
      throw new UsageError('OPTION_TWICE', `--${token.name} is given twice`, { values: { option: `--${token.name}` } })
    }
    values.push(found.option.kind === 'flag' ? String(!negated) : unmarked(token.value as string))
    written.set(found.name, values)
  }
  return { options: written, positionals: parsed.positionals.map(unmarked) }
}

function unmarked(word: string): string {
  return word.startsWith(MARK) ? word.slice(MARK.length) : word
}

function parse(argv: readonly string[], options: Record<string, { type: 'boolean' | 'string'; multiple: boolean }>) {
  return parseArgs({
    args: argv.map((word) => (NEGATIVE.test(word) ? `${MARK}${word}` : word)),
    options,
    allowPositionals: true,
    allowNegative: true,
    strict: true,
    tokens: true,
  })
}

function asUsageError(error: unknown, argv: readonly string[], flags: readonly string[]): unknown {
  const code = systemCode(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const written = /'(-{1,2}[^']*)'/.exec(message)?.[1] ?? '-'
    const near = nearest(written.replace(/^-+/, ''), flags)
    const secret = /^--?(password|passphrase|private-key|secret)$/.test(written)
    return new UsageError('UNKNOWN_OPTION', `there is no option ${written} here`, {
      hint: secret
        ? 'secrets on the command line are seen by everyone on this machine: use --password-file, SUPRNOVA_PASSWORD or the prompt'
        : near === undefined
          ? 'see --help'
          : `did you mean --${near}?`,
      values: { option: written },
    })
  }
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    const written = /'(?:-\w, )?(--[\w-]+)/.exec(message)?.[1] ?? argv.at(-1) ?? ''
    const text =
      message.includes('argument missing') || message.includes('ambiguous')
        ? `${written} needs a value`
        : `${written} takes no value`
    return new UsageError('OPTION_VALUE', text, { hint: 'see --help', values: { option: written } })
  }
  return error
}
