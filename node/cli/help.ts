import { EXIT } from '../core/index.ts'
import type { Command } from './command.ts'
import { COMMANDS, commandsOf, type Entry, GROUPS, nameOf } from './commands.ts'
import { environmentOf, flagOf, type Option } from './option.ts'
import { COMMON } from './options.ts'

const WIDTH = 100

/** What every exit code means, unless a command says it more exactly. */
export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  [EXIT.ok]: 'done',
  [EXIT.internal]: 'something went wrong that should not have',
  [EXIT.usage]: 'the command line or the environment was not understood',
  [EXIT.config]: 'a config file, key, password or data directory is not usable',
  [EXIT.locked]: 'another process holds the data directory or the key',
  [EXIT.chain]: 'the chain said no, or could not be reached',
  [EXIT.unsafe]: 'refused: signing might not be safe',
  [EXIT.tryAgain]: 'not now: what is needed does not run yet, try again',
}

/** A document and its text: the two forms of one help page. */
export interface HelpPage {
  readonly data: unknown
  readonly text: string
}

/** All commands. */
export function overview(version: string): HelpPage {
  const single = COMMANDS.filter((entry) => entry.path.length === 1)
  const sections = [
    `suprnova ${version}: a peer-to-peer stack where every participant has money at stake and every lie can be proved`,
    'Usage: suprnova COMMAND [OPTIONS]',
    section(
      'Commands',
      single.map((entry) => [nameOf(entry), entry.summary]),
    ),
    section(
      'Groups of commands',
      Object.entries(GROUPS).map(([group, about]) => [
        `${group} ${commandsOf(group)
          .map((entry) => entry.path[1])
          .join(' | ')}`,
        about,
      ]),
    ),
    section('Exit codes', Object.entries(EXIT_MEANINGS)),
    wrap(
      'Each option may also come from the environment (--data-dir: SUPRNOVA_DATA_DIR) or from the config file (dataDir); a flag beats the environment, which beats the config file, which beats the default. `suprnova COMMAND --help` tells more.',
    ),
  ]
  return {
    data: {
      version,
      commands: COMMANDS.map((entry) => ({ name: nameOf(entry), summary: entry.summary })),
      exitCodes: EXIT_MEANINGS,
    },
    text: sections.join('\n\n'),
  }
}

/** The commands of a group. */
export function groupHelp(group: string): HelpPage {
  const entries = commandsOf(group)
  return {
    data: {
      group,
      summary: GROUPS[group],
      commands: entries.map((entry) => ({ name: nameOf(entry), summary: entry.summary })),
    },
    text: [
      `suprnova ${group}: ${GROUPS[group]}`,
      section(
        'Commands',
        entries.map((entry) => [nameOf(entry), entry.summary]),
      ),
      `suprnova ${group} COMMAND --help tells more.`,
    ].join('\n\n'),
  }
}

/** One command; where many stand together, what all have in common is left out. */
export function commandHelp(entry: Entry, command: Command, { alone = true } = {}): HelpPage {
  const exits = exitsOf(command)
  const args = Object.values(command.args)
  const sections = [
    `${usageOf(entry, command)}\n\n${entry.summary}.`,
    ...command.description.map((paragraph) => wrap(paragraph)),
    ...(args.length === 0
      ? []
      : [
          section(
            'Arguments',
            args.map((arg) => [arg.placeholder, arg.summary]),
          ),
        ]),
    ...(Object.keys(command.options).length === 0 ? [] : [section('Options', optionRows(command.options))]),
    ...(alone ? [commonHelp()] : []),
    section('Exit codes', Object.entries(exits)),
    `Examples:\n${command.examples.map((example) => `  ${example}`).join('\n')}`,
  ]
  return {
    data: {
      name: nameOf(entry),
      summary: entry.summary,
      usage: usageOf(entry, command),
      description: command.description,
      arguments: args.map(({ placeholder, summary, required }) => ({ name: placeholder, summary, required })),
      options: Object.entries({ ...command.options, ...COMMON }).map(([name, option]) => describeOption(name, option)),
      exitCodes: exits,
      examples: command.examples,
      streams: command.streams,
    },
    text: sections.join('\n\n'),
  }
}

/** The options that every command has. */
export function commonHelp(): string {
  return section('Options of every command', optionRows(COMMON))
}

/** The exit codes of a command with what they mean there. */
export function exitsOf(command: Command): Record<string, string> {
  return {
    0: EXIT_MEANINGS[0] as string,
    1: EXIT_MEANINGS[1] as string,
    2: EXIT_MEANINGS[2] as string,
    3: EXIT_MEANINGS[3] as string,
    ...command.exits,
  }
}

/** The usage line of a command. */
export function usageOf(entry: Entry, command: Command): string {
  const args = Object.values(command.args).map((arg) => (arg.required ? arg.placeholder : `[${arg.placeholder}]`))
  return ['Usage: suprnova', nameOf(entry), ...args, '[OPTIONS]'].join(' ')
}

function describeOption(name: string, option: Option): Record<string, unknown> {
  return {
    flag: flagOf(name),
    ...(option.sources === 'flag-only' ? {} : { environment: environmentOf(name) }),
    ...(option.sources === 'all' ? { config: name } : {}),
    ...(option.placeholder === '' ? {} : { value: option.placeholder }),
    ...(option.kind === 'flag' || option.fallback === undefined ? {} : { default: option.fallback }),
    required: option.required,
    summary: option.summary,
  }
}

function optionRows(options: Readonly<Record<string, Option>>): [string, string][] {
  return Object.entries(options).map(([name, option]) => {
    const written = option.placeholder === '' ? flagOf(name) : `${flagOf(name)} ${option.placeholder}`
    const note = option.required
      ? ' (required)'
      : option.kind !== 'flag' && option.fallback !== undefined
        ? ` (default: ${option.fallback})`
        : ''
    return [written, `${option.summary}${note}`]
  })
}

/** A titled list of terms with what they mean, in two columns. */
function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const column = Math.min(30, Math.max(...rows.map(([term]) => term.length)))
  const indent = ' '.repeat(column + 4)
  const lines = rows.map(([term, meaning]) => {
    const text = wrap(meaning, WIDTH - column - 4)
      .split('\n')
      .join(`\n${indent}`)
    return term.length > column ? `  ${term}\n${indent}${text}` : `  ${term.padEnd(column)}  ${text}`
  })
  return `${title}:\n${lines.join('\n')}`
}

function wrap(text: string, width = WIDTH): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line].join('\n')
}
