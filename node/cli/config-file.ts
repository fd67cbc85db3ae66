import { readFileSync } from 'node:fs'
import { ConfigError, systemCode } from './errors.ts'
import { nearest } from './suggest.ts'

/** Config files are written by hand: more than this is some other file. */
const MAX_CONFIG_BYTES = 65_536

/** The name of the config file in the data directory. */
export const CONFIG_FILE_NAME = 'suprnova.json'

/** The fields of a config file, each still as it was written. */
export interface ConfigFile {
  readonly path: string
  readonly fields: ReadonlyMap<string, string>
}

/**
 * Reads a config file: a JSON object whose fields are options in camelCase.
 * @returns undefined when there is none and none was asked for
 * @throws {ConfigError} when it cannot be read, is no JSON object, or has a field that is no option or of a wrong type
 */
export function readConfigFile(
  path: string,
  options: { mustExist: boolean; known: readonly string[]; lists: readonly string[] },
): ConfigFile | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const code = systemCode(cause)
    if (!options.mustExist && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    throw new ConfigError('CONFIG_UNREADABLE', `config file ${path} cannot be read: ${code ?? String(cause)}`, {
      hint: code === 'ENOENT' ? '`suprnova init` writes one' : 'look at its permissions',
      values: { path },
      cause,
    })
  }
  return { path, fields: readFields(path, parseObject(path, text), options) }
}

function parseObject(path: string, text: string): Record<string, unknown> {
  if (text.length > MAX_CONFIG_BYTES) {
    throw new ConfigError(
      'CONFIG_TOO_LARGE',
      `config file ${path} has ${text.length} characters, at most ${MAX_CONFIG_BYTES}`,
      {
        hint: 'is it a config file?',
        values: { path, limit: MAX_CONFIG_BYTES },
      },
    )
  }
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError('CONFIG_NOT_JSON', `config file ${path} is not JSON: ${reason}`, {
      hint: 'mend it, or move it away and run `suprnova init`',
      values: { path },
      cause,
    })
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ConfigError('CONFIG_NOT_OBJECT', `config file ${path} must hold one JSON object`, { values: { path } })
  }
  return document as Record<string, unknown>
}

function readFields(
  path: string,
  document: Record<string, unknown>,
  options: { known: readonly string[]; lists: readonly string[] },
): Map<string, string> {
  const fields = new Map<string, string>()
  for (const [field, item] of Object.entries(document)) {
    if (!options.known.includes(field)) {
      const near = nearest(field, options.known)
      const secret = /password|secret|private/i.test(field)
      throw new ConfigError('CONFIG_UNKNOWN_FIELD', `${field} in ${path} is no option`, {
        hint: secret
          ? 'passwords and keys do not belong in a config file: use passwordFile, SUPRNOVA_PASSWORD or the prompt'
          : near === undefined
            ? 'its fields are the options of the commands, written in camelCase'
            : `did you mean ${near}?`,
        values: { path, field },
      })
    }
    fields.set(field, writtenForm(path, field, item, options.lists.includes(field)))
  }
  return fields
}

/** The value as it would stand in the environment, so that one reader serves all sources. */
function writtenForm(path: string, field: string, item: unknown, isList: boolean): string {
  if (typeof item === 'string') return item
  if (typeof item === 'boolean') return String(item)
  if (typeof item === 'number' && Number.isSafeInteger(item)) return String(item)
  if (isList && Array.isArray(item) && item.every((part) => typeof part === 'string')) return item.join(',')
  const wanted = isList ? 'a list of strings' : 'a string, a whole number, true or false'
  throw new ConfigError('CONFIG_WRONG_TYPE', `${field} in ${path} must be ${wanted}, got ${JSON.stringify(item)}`, {
    ...(typeof item === 'number' ? { hint: 'write numbers with decimals as strings: they are read exactly' } : {}),
    values: { path, field },
  })
}
