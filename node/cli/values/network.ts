import type { Address } from '../../core/index.ts'
import { ValueError } from '../option.ts'
import { parseAddress } from './hex.ts'
import { parsePort } from './number.ts'

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])
const MAX_NAME_LENGTH = 255

/** Where something listens. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** An http or https URL. */
export function parseUrl(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new ValueError(`expected a URL such as http://127.0.0.1:8545, got ${JSON.stringify(text)}`)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ValueError(
      `expected http or https, got ${JSON.stringify(url.protocol.slice(0, -1))} in ${JSON.stringify(text)}`,
    )
  }
  if (url.port === '0') throw new ValueError('port 0 cannot be connected to')
  return text
}

/** A loopback host with a port; nothing here is protected well enough to stand in the open. */
export function parseLoopback(text: string): HostPort {
  const match = /^(.+):([^:]*)$/.exec(text)
  if (match === null) throw new ValueError(`expected HOST:PORT such as 127.0.0.1:9180, got ${JSON.stringify(text)}`)
  const [, host = '', port = ''] = match
  if (!LOOPBACK.has(host)) {
    throw new ValueError(`expected a loopback host (127.0.0.1, localhost or [::1]), got ${JSON.stringify(host)}`)
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: parsePort(port) }
}

/** A multiaddr on which to listen or to dial. Only its outer form is read here, libp2p reads the rest. */
export function parseMultiaddr(text: string): string {
  if (!/^\/(ip4|ip6|dns|dns4|dns6|dnsaddr)\/[^/\s]+(\/[^/\s]+)*$/.test(text)) {
    throw new ValueError(`expected a multiaddr such as /ip4/0.0.0.0/tcp/4001, got ${JSON.stringify(text)}`)
  }
  const port = /\/(?:tcp|udp)\/([^/]*)/.exec(text)?.[1]
  if (port !== undefined) parsePort(port)
  return text
}

/** Names a coordinator: an ENS name, plain or as a URL, or its address. */
export type CoordinatorName = { readonly name: string } | { readonly address: Address }

/** `current-reality.eth`, `https://current-reality.eth` or the address of a coordinator contract. */
export function parseCoordinator(text: string): CoordinatorName {
  if (text.startsWith('0x') && !text.includes('.')) return { address: parseAddress(text) }
  return { name: parseEnsName(text) }
}

/** An ENS name, plain or as an https URL with nothing after it. Unicode is normalised where it is resolved. */
export function parseEnsName(text: string): string {
  const bare = text.replace(/^https?:\/\//, '').replace(/\/$/, '')
  if (bare.length > MAX_NAME_LENGTH) throw new ValueError(`has ${bare.length} characters, at most ${MAX_NAME_LENGTH}`)
  const labels = bare.split('.')
  const broken = labels.length < 2 || labels.some((label) => label === '' || /[\s/:@?#%\\]/.test(label))
  if (broken) {
    throw new ValueError(
      `expected an ENS name such as https://current-reality.eth, got ${JSON.stringify(text.slice(0, 80))}`,
    )
  }
  return bare
}
