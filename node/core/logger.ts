export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Structured logging: a short constant message, and the values as fields. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
  /** A logger that adds `fields` to every line. */
  with(fields: Record<string, unknown>): Logger
}
