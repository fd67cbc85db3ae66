import type { Clock, Logger, LogLevel } from '../core/index.ts'

/** From chatty to terse; a level prints itself and what follows it. */
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Longest line that is written; a longer one loses its fields, never its message. */
export const LOG_LINE_LIMIT_CHARACTERS = 16_384

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (value instanceof Error) {
    const { name, message, stack, cause } = value
    const code = 'code' in value ? value.code : undefined
    return { name, code, message, stack, cause }
  }
  return value
}

/**
 * Writes one JSON document a line: `{"time":…,"level":…,"message":…,…fields}`. Numbers too large for JSON become
 * decimal strings and bytes become hex. What cannot be written as JSON is said to be so rather than thrown.
 */
export function createLogger(
  options: { level: LogLevel; fields?: Record<string, unknown> },
  modules: { clock: Clock; write(line: string): void },
): Logger {
  const least = LOG_LEVELS.indexOf(options.level)
  const base = options.fields ?? {}
  const put = (level: LogLevel, message: string, fields?: Record<string, unknown>) => {
    if (LOG_LEVELS.indexOf(level) < least) return
    const head = { time: new Date(modules.clock.nowMs()).toISOString(), level, message }
    let line: string
    try {
      line = JSON.stringify({ ...head, ...base, ...fields }, plain)
    } catch (error) {
      line = JSON.stringify({ ...head, unwritable: String(error) })
    }
    if (line.length > LOG_LINE_LIMIT_CHARACTERS) line = JSON.stringify({ ...head, cutFromCharacters: line.length })
    modules.write(`${line}\n`)
  }
  return {
    debug: (message, fields) => put('debug', message, fields),
    info: (message, fields) => put('info', message, fields),
    warn: (message, fields) => put('warn', message, fields),
    error: (message, fields) => put('error', message, fields),
    with: (fields) => createLogger({ ...options, fields: { ...base, ...fields } }, modules),
  }
}
