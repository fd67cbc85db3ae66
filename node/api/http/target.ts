import type { IncomingMessage } from 'node:http'
import { RequestError } from '../errors.ts'

/** What a request asks for. */
export interface Target {
  readonly path: string
  readonly query: URLSearchParams
}

/**
 * Splits a request's target by hand: `URL` throws on some that the HTTP parser lets through, `//` among them.
 * @throws RequestError `BAD_TARGET` for anything but `/path` or `/path?query`
 */
export function targetOf({ url = '/' }: Pick<IncomingMessage, 'url'>): Target {
  if (!/^\/(?!\/)/.test(url)) {
    throw new RequestError(400, 'BAD_TARGET', `${JSON.stringify(url.slice(0, 100))} is no path`, {
      hint: 'ask for /path or /path?query',
    })
  }
  const mark = url.indexOf('?')
  return mark === -1
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) }
}
