/** How an option is written: alone, with one value, or several times. */
export type OptionKind = 'flag' | 'value' | 'list'

/** Where a value may come from besides the command line. */
export type OptionSources = 'all' | 'no-config' | 'flag-only'

/**
 * One option of a command. Its name is the key under which a command lists it: `dataDir` is `--data-dir` on the
 * command line, `SUPRNOVA_DATA_DIR` in the environment and `dataDir` in the config file.
 */
export interface Option<T = unknown> {
  readonly kind: OptionKind
  /** What stands for the value in the help: `FILE`, `EGI`. Empty for flags. */
  readonly placeholder: string
  readonly summary: string
  /** Reads one written value. @throws {ValueError} when it is not one */
  readonly parse: (text: string) => T
  /** The default as it would be written, read by `parse` like any other value. */
  readonly fallback?: string
  readonly required: boolean
  readonly sources: OptionSources
}

/** One positional argument. */
export interface Argument<T = unknown> {
  readonly placeholder: string
  readonly summary: string
  readonly parse: (text: string) => T
  readonly required: boolean
}

// `any` lets options of every type stand in one record; each command still sees its own exact types.
// biome-ignore lint/suspicious/noExplicitAny: variance of `parse`
export type Options = Readonly<Record<string, Option<any>>>
// biome-ignore lint/suspicious/noExplicitAny: variance of `parse`
export type Arguments = Readonly<Record<string, Argument<any>>>

/** What a command is given: a value for each of its options and arguments. */
export type Values<S extends Options | Arguments> = {
  readonly [K in keyof S]: S[K] extends Option<infer T> ? T : S[K] extends Argument<infer T> ? T : never
}

/** Says why a written value is not one; whoever reads it adds where it was written. */
export class ValueError extends Error {
  override readonly name = 'ValueError'
}

interface ValueDescription<T> {
  placeholder: string
  summary: string
  parse: (text: string) => T
  sources?: OptionSources
}

/** An option with one value, undefined when it is given nowhere. */
export function value<T>(description: ValueDescription<T>): Option<T | undefined> {
  return { kind: 'value', required: false, sources: 'all', ...description }
}

/** An option with one value and a default, written as on the command line. */
export function valueOr<T>(fallback: string, description: ValueDescription<T>): Option<T> {
  return { kind: 'value', required: false, sources: 'all', fallback, ...description }
}

/** An option that may be given several times; in the environment its values are parted by commas. */
export function list<T>(description: ValueDescription<T>): Option<readonly T[]> {
  const { parse, ...rest } = description
  return {
    kind: 'list',
    required: false,
    sources: 'all',
    ...rest,
    parse: (text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .map(parse),
  }
}

/** An option that is on or off; `--no-NAME` turns off what the environment or the config file turned on. */
export function flag(description: { summary: string; sources?: OptionSources }): Option<boolean> {
  return {
    kind: 'flag',
    placeholder: '',
    required: false,
    sources: 'all',
    parse: parseFlag,
    fallback: 'false',
    ...description,
  }
}

/** The same option, but one that must be given. */
export function required<T>(option: Option<T>): Option<Exclude<T, undefined>> {
  return { ...option, required: true } as Option<Exclude<T, undefined>>
}

/** The same option, said in the words of one command. */
export function described<T>(option: Option<T>, summary: string): Option<T> {
  return { ...option, summary }
}

/** A positional argument that must be given. */
export function argument<T>(placeholder: string, summary: string, parse: (text: string) => T): Argument<T> {
  return { placeholder, summary, parse, required: true }
}

/** A positional argument that may be left out. */
export function optionalArgument<T>(
  placeholder: string,
  summary: string,
  parse: (text: string) => T,
): Argument<T | undefined> {
  return { placeholder, summary, parse, required: false }
}

/** `dataDir` as `--data-dir`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** `dataDir` as `SUPRNOVA_DATA_DIR`. */
export function environmentOf(name: string): string {
  return `SUPRNOVA_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

function parseFlag(text: string): boolean {
  const word = text.toLowerCase()
  if (['1', 'true', 'yes', 'on'].includes(word)) return true
  if (['0', 'false', 'no', 'off'].includes(word)) return false
  throw new ValueError(`expected true or false, got ${JSON.stringify(text)}`)
}
