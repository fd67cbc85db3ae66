import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Context } from '../context.ts'
import { ConfigError, systemCode } from '../errors.ts'

/** A new password shorter than this is refused. */
export const MIN_PASSWORD_CHARACTERS = 8
const MAX_PASSWORD_FILE_BYTES = 4_096
/** Modes that let the group or the world read. */
const OTHERS_MAY_READ = 0o044

/** Whose password is meant, and where it may be. */
export interface PasswordRequest {
  /** As a person would say it: `operator key /home/me/.suprnova/keys/operator.json`. */
  readonly what: string
  /** Its environment variable of its own, beside `SUPRNOVA_PASSWORD`: `SUPRNOVA_OPERATOR_PASSWORD`. */
  readonly environment?: string
  readonly passwordFile: string | undefined
}

/**
 * The password of something that exists: from `--password-file`, the environment, or the prompt, in this order.
 * @throws {ConfigError} `PASSWORD_NEEDED` when it stands nowhere and there is no terminal to ask at
 */
export async function askPassword(request: PasswordRequest, context: Context): Promise<string> {
  const given = givenPassword(request, context)
  if (given !== undefined) return given
  requireTerminal(request, context)
  return context.prompt.askSecret(`Password of the ${request.what}:`)
}

/**
 * A password for something new; at the prompt it is asked twice.
 * @throws {ConfigError} `PASSWORD_NEEDED`, `PASSWORD_TOO_SHORT`, `PASSWORDS_DIFFER`
 */
export async function askNewPassword(request: PasswordRequest, context: Context): Promise<string> {
  const given = givenPassword(request, context)
  if (given !== undefined) return requireLength(given)
  requireTerminal(request, context)
  const password = requireLength(await context.prompt.askSecret(`New password for the ${request.what}:`))
  if ((await context.prompt.askSecret('The same again:')) !== password) {
    throw new ConfigError('PASSWORDS_DIFFER', 'the two passwords differ', { hint: 'nothing was written; try again' })
  }
  return password
}

/** As everywhere: what was written for this run beats the environment, and that beats the config file. */
function givenPassword(request: PasswordRequest, context: Context): string | undefined {
  const { env, cwd } = context.process
  const { environment, passwordFile } = request
  const fromFile = () =>
    passwordFile === undefined ? undefined : readPasswordFile(resolve(cwd, passwordFile), context)
  const own = environment === undefined ? undefined : env[environment]
  const fromEnvironment = [own, env.SUPRNOVA_PASSWORD].find((password) => password !== undefined && password !== '')
  return context.sourceOf('passwordFile') === 'config'
    ? (fromEnvironment ?? fromFile())
    : (fromFile() ?? fromEnvironment)
}

function requireTerminal(request: PasswordRequest, context: Context): void {
  if (context.prompt.terminal) return
  throw new ConfigError('PASSWORD_NEEDED', `the ${request.what} needs a password, and there is no terminal to ask at`, {
    hint: `give --password-file FILE, or set SUPRNOVA_PASSWORD${request.environment === undefined ? '' : ` (or ${request.environment})`}`,
    values: { what: request.what },
  })
}

function requireLength(password: string): string {
  const characters = [...password].length
  if (characters >= MIN_PASSWORD_CHARACTERS) return password
  throw new ConfigError(
    'PASSWORD_TOO_SHORT',
    `the password has ${characters} characters, a new one needs at least ${MIN_PASSWORD_CHARACTERS}`,
    { values: { limit: MIN_PASSWORD_CHARACTERS } },
  )
}

function readPasswordFile(path: string, context: Context): string {
  let text: string
  try {
    const stat = statSync(path)
    if (stat.isFile() && (stat.mode & OTHERS_MAY_READ) !== 0) {
      context.note(`warning: others on this machine can read ${path} (chmod 600 ends that)`)
    }
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const code = systemCode(cause)
    throw new ConfigError(
      'PASSWORD_FILE_UNREADABLE',
      `password file ${path} cannot be read: ${code ?? String(cause)}`,
      {
        values: { path },
        cause,
      },
    )
  }
  if (text.length > MAX_PASSWORD_FILE_BYTES) {
    throw new ConfigError(
      'PASSWORD_FILE_TOO_LARGE',
      `password file ${path} has more than ${MAX_PASSWORD_FILE_BYTES} bytes`,
      {
        hint: 'its first line is the password',
        values: { path, limit: MAX_PASSWORD_FILE_BYTES },
      },
    )
  }
  const [password = ''] = text.split(/\r?\n/, 1)
  if (password === '') {
    throw new ConfigError('PASSWORD_FILE_EMPTY', `password file ${path} is empty`, {
      hint: 'its first line is the password',
      values: { path },
    })
  }
  return password
}
