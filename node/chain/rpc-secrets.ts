/** Path segments and values this long are taken for keys wherever they stand; shorter ones are words such as `rpc`. */
const KEY_CHARS = 8

/** What of a URL may be a secret, the longest first: the URL itself, without its credentials, its path and query, keys in them. */
export function secretsOf(url: string): string[] {
  const parsed = new URL(url)
  const { username, password, pathname, search, searchParams } = parsed
  const credentials = [username, password].flatMap((part) => [part, decode(part)])
  const keys = [...pathname.split('/'), ...searchParams.values()].filter((part) => part.length >= KEY_CHARS)
  const open = new URL(url)
  open.username = ''
  open.password = ''
  const all = [url, parsed.href, open.href, `${pathname}${search}`, search, ...credentials, ...keys]
  return [...new Set(all)].filter((part) => part.length > 1).sort((a, b) => b.length - a.length)
}

/** Puts the origin where the URL stands, and dots where a part of it does, in all texts of an error and its causes. */
export function hideSecrets(
  error: unknown,
  endpoint: { readonly origin: string; readonly secrets: readonly string[] },
): void {
  const seen = new Set<unknown>()
  const hide = (text: string) =>
    endpoint.secrets.reduce(
      (left, secret) => left.replaceAll(secret, secret.includes('://') ? endpoint.origin : '…'),
      text,
    )
  const clean = (value: unknown): unknown => {
    // Revert data is read by programs, and a short user name may look like a part of it.
    if (typeof value === 'string') return /^0x[0-9a-f]*$/i.test(value) ? value : hide(value)
    if (typeof value === 'object' && value !== null && !seen.has(value)) {
      seen.add(value)
      // Own fields that are not enumerable too: `message`, `stack` and `cause` of an error are such.
      for (const name of Object.getOwnPropertyNames(value)) {
        if (name === 'name') continue
        const { writable = false, value: held } = Object.getOwnPropertyDescriptor(value, name) ?? {}
        const cleaned = writable ? clean(held) : held
        if (cleaned !== held) Object.assign(value, { [name]: cleaned })
      }
    }
    return value
  }
  clean(error)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
