import { createPublicClient, custom, http, type Transport } from 'viem'
import {
  type Clock,
  EXIT,
  type Hex,
  type Logger,
  type Metrics,
  type SuprnovaError,
  type Timers,
} from '../core/index.ts'
import type { ChainClient } from './client.ts'
import { RPC_BACKOFF_MS, RPC_REST_MS, RPC_ROUNDS, RPC_TIMEOUT_MS } from './constants.ts'
import { ChainError, RpcUnavailableError } from './errors.ts'
import { rpcMetrics } from './metrics.ts'
import { canAnotherAnswer, type Requester, withTimeout } from './rpc-request.ts'
import { hideSecrets, secretsOf } from './rpc-secrets.ts'

/** The chain every RPC must be on. */
export interface ChainIdentity {
  readonly chainId: bigint
  readonly genesisHash: Hex
}

export interface RpcOptions {
  /** Best first. With a single one, that one is trusted. */
  readonly urls: readonly string[]
  readonly timeoutMs?: number
  /** How often viem asks again where it waits, such as for a receipt. */
  readonly pollMs?: number
}

export interface RpcModules {
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  readonly metrics: Metrics
  /** How to speak to a URL; HTTP by default. */
  readonly connect?: (url: string, timeoutMs: number) => Requester
}

export type RpcStanding = 'unchecked' | 'agrees' | 'unreachable' | 'wrong chain' | 'disagrees' | 'disputed'

/** How one RPC stands. `origin` leaves out what may be a secret in the URL. */
export interface RpcStatus {
  readonly origin: string
  readonly standing: RpcStanding
  readonly resting: boolean
  readonly lastError: string | undefined
}

/** Several RPCs that look like one. */
export interface Rpc {
  readonly client: ChainClient
  readonly transport: Transport
  status(): RpcStatus[]
  /** Each RPC by itself, to hear what it alone says. */
  sources(): { readonly origin: string; readonly client: ChainClient }[]
  /** Compares chain id, genesis and the newest block all have as final. Whoever is on another chain is not asked again. */
  check(identity?: ChainIdentity): Promise<RpcStatus[]>
}

interface Endpoint {
  readonly origin: string
  /** What of its URL must reach neither logs nor health. */
  readonly secrets: readonly string[]
  readonly request: Requester
  standing: RpcStanding
  failures: number
  restUntilMs: number
  lastError: string | undefined
}

/**
 * Opens a client over ranked RPCs: the best one that is not resting answers, a failing one rests ever longer, and what no
 * RPC answers is asked again a few times before it fails.
 * @throws {ChainError} `RPC_BAD_URL`
 */
export function openRpc(opts: RpcOptions, modules: RpcModules): Rpc {
  return new RankedRpc(opts, modules)
}

class RankedRpc implements Rpc {
  readonly client: ChainClient
  readonly transport: Transport
  readonly #endpoints: Endpoint[]
  readonly #modules: RpcModules
  readonly #timeoutMs: number
  readonly #pollMs: number | undefined
  readonly #metrics: ReturnType<typeof rpcMetrics>
  /** Once known, nobody is asked who has not shown it since it last failed. */
  #identity: ChainIdentity | undefined
  #checking: Promise<unknown> | undefined

  constructor(opts: RpcOptions, modules: RpcModules) {
    this.#pollMs = opts.pollMs
    this.#modules = modules
    this.#timeoutMs = opts.timeoutMs ?? RPC_TIMEOUT_MS
    this.#metrics = rpcMetrics(modules.metrics)
    const connect = modules.connect ?? connectHttp
    if (opts.urls.length === 0) throw badUrl('is missing')
    this.#endpoints = opts.urls.map((url) => ({
      origin: originOf(url),
      secrets: secretsOf(url),
      request: connect(url, this.#timeoutMs),
      standing: 'unchecked',
      failures: 0,
      restUntilMs: 0,
      lastError: undefined,
    }))
    this.transport = this.#transportOver(() => this.#usable())
    this.client = this.#clientOf(this.transport)
  }

  sources(): { readonly origin: string; readonly client: ChainClient }[] {
    return this.#endpoints.map((endpoint) => {
      return { origin: endpoint.origin, client: this.#clientOf(this.#transportOver(() => [endpoint])) }
    })
  }

  #transportOver(endpoints: () => readonly Endpoint[] | Promise<readonly Endpoint[]>): Transport {
    const provider = { request: (args: { method: string; params?: unknown }) => this.#request(args, endpoints) }
    return custom(provider, { retryCount: 0 })
  }

  #clientOf(transport: Transport): ChainClient {
    return createPublicClient({ transport, pollingInterval: this.#pollMs, cacheTime: 0 }) as ChainClient
  }

  status(): RpcStatus[] {
    const now = this.#modules.clock.nowMs()
    return this.#endpoints.map(({ origin, standing, restUntilMs, lastError }) => {
      return { origin, standing, resting: restUntilMs > now, lastError }
    })
  }

  async check(identity?: ChainIdentity): Promise<RpcStatus[]> {
    this.#identity = identity ?? this.#identity
    const before = this.#endpoints.map(({ standing }) => standing)
    const finals = await Promise.all(this.#endpoints.map((endpoint) => this.#identify(endpoint, this.#identity)))
    const all = this.#endpoints.map((endpoint, index) => ({ endpoint, final: finals[index] }))
    const present = all.flatMap(({ endpoint, final }) => (final === undefined ? [] : [{ endpoint, final }]))
    const common = [...present].sort((a, b) => Number(a.final - b.final))[0]?.final ?? 0n
    const hashes = await Promise.all(
      present.map(async ({ endpoint }) => ({ endpoint, hash: await this.#hashOf(endpoint, common) })),
    )
    for (const { endpoint, hash } of hashes) {
      const same = hashes.filter((other) => other.hash === hash).length
      if (hash === undefined) endpoint.standing = 'unreachable'
      else if (same === hashes.length) endpoint.standing = 'agrees'
      else endpoint.standing = same * 2 > hashes.length ? 'agrees' : this.#isMajority(hashes) ? 'disagrees' : 'disputed'
    }
    for (const [index, { origin, standing }] of this.#endpoints.entries()) {
      if (standing === 'agrees' || standing === before[index]) continue
      this.#modules.logger.error('rpc does not agree', { origin, standing, block: String(common) })
    }
    this.#metrics.healthy.set(this.#endpoints.filter(({ standing }) => standing === 'agrees').length)
    return this.status()
  }

  #isMajority(hashes: readonly { hash: Hex | undefined }[]): boolean {
    return hashes.some(({ hash }) => hashes.filter((other) => other.hash === hash).length * 2 > hashes.length)
  }

  /** The endpoint's final block number, or `undefined` when it is of no use. */
  async #identify(endpoint: Endpoint, identity: ChainIdentity | undefined): Promise<bigint | undefined> {
    try {
      const chainId = BigInt((await this.#ask(endpoint, { method: 'eth_chainId' })) as string)
      const genesis = await this.#blockOf(endpoint, '0x0')
      if (identity !== undefined && (chainId !== identity.chainId || genesis?.hash !== identity.genesisHash)) {
        endpoint.standing = 'wrong chain'
        endpoint.lastError = `chain ${chainId}, genesis ${genesis?.hash}`
        return undefined
      }
      const final = (await this.#blockOf(endpoint, 'finalized')) ?? (await this.#blockOf(endpoint, 'latest'))
      if (final !== undefined) return BigInt(final.number)
      endpoint.standing = 'unreachable'
      return undefined
    } catch (error) {
      this.#failed(endpoint, error)
      endpoint.standing = 'unreachable'
      return undefined
    }
  }

  async #hashOf(endpoint: Endpoint, number: bigint): Promise<Hex | undefined> {
    try {
      return (await this.#blockOf(endpoint, `0x${number.toString(16)}`))?.hash
    } catch (error) {
      this.#failed(endpoint, error)
      return undefined
    }
  }

  async #blockOf(endpoint: Endpoint, at: string): Promise<{ number: Hex; hash: Hex } | undefined> {
    const block = await this.#ask(endpoint, { method: 'eth_getBlockByNumber', params: [at, false] })
    return (block as { number: Hex; hash: Hex } | null) ?? undefined
  }

  async #request(
    args: { method: string; params?: unknown },
    endpoints: () => readonly Endpoint[] | Promise<readonly Endpoint[]>,
  ): Promise<unknown> {
    let last: unknown
    for (let round = 0; round < RPC_ROUNDS; round++) {
      if (round > 0) await this.#pause(RPC_BACKOFF_MS * 2 ** (round - 1))
      for (const endpoint of await endpoints()) {
        try {
          const answer = await this.#ask(endpoint, args)
          endpoint.failures = 0
          return answer
        } catch (error) {
          if (!canAnotherAnswer(error)) throw error
          last = error
          this.#failed(endpoint, error)
        }
      }
    }
    throw new RpcUnavailableError(`no RPC answered ${args.method}: ${this.#reasons()}`, {
      hint: 'check --rpc and the network',
      values: { method: args.method },
      cause: last,
    })
  }

  /** Whom to ask now. Who comes back is checked anew first, beside the others; with nobody else, it is waited for. */
  async #usable(): Promise<Endpoint[]> {
    if (this.#identity === undefined) return this.#ranked()
    const now = this.#modules.clock.nowMs()
    const isBack = ({ standing, restUntilMs }: Endpoint) => standing === 'unreachable' && restUntilMs <= now
    const isAlone = this.#ranked().length === 0
    if (isAlone || this.#endpoints.some(isBack)) {
      this.#checking ??= this.check().finally(() => {
        this.#checking = undefined
      })
      if (isAlone) await this.#checking
    }
    return this.#ranked()
  }

  /** The rested ones by rank, then the others: an RPC at rest is better than none. */
  #ranked(): Endpoint[] {
    const now = this.#modules.clock.nowMs()
    const refused: RpcStanding[] = ['wrong chain', 'disagrees', ...(this.#identity ? ['unreachable' as const] : [])]
    const usable = this.#endpoints.filter(({ standing }) => !refused.includes(standing))
    return [
      ...usable.filter((endpoint) => endpoint.restUntilMs <= now),
      ...usable.filter((endpoint) => endpoint.restUntilMs > now),
    ]
  }

  async #ask(endpoint: Endpoint, args: { method: string; params?: unknown }): Promise<unknown> {
    try {
      return await withTimeout(endpoint.request(args), this.#timeoutMs, this.#modules.timers)
    } catch (error) {
      hideSecrets(error, endpoint)
      throw error
    }
  }

  #failed(endpoint: Endpoint, error: unknown): void {
    const rank = String(this.#endpoints.indexOf(endpoint))
    this.#metrics.failures.inc({ rank })
    endpoint.restUntilMs = this.#modules.clock.nowMs() + RPC_REST_MS * 2 ** Math.min(endpoint.failures, 5)
    endpoint.failures++
    if (this.#identity !== undefined && endpoint.standing === 'agrees') endpoint.standing = 'unreachable'
    endpoint.lastError = error instanceof Error ? (error.message.split('\n')[0] as string) : String(error)
  }

  #reasons(): string {
    return this.#endpoints.map(({ origin, standing, lastError }) => `${origin} (${lastError ?? standing})`).join(', ')
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#modules.timers.after(delayMs, resolve))
  }
}

function connectHttp(url: string, timeoutMs: number): Requester {
  return http(url, { timeout: timeoutMs, retryCount: 0 })({}).request as Requester
}

function originOf(url: string): string {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw badUrl('is not a URL')
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') throw badUrl('is neither http nor https')
  return parsed.origin
}

/** Says nothing of the URL, which may hold a secret; nor does its cause, whose message would. */
function badUrl(why: string): SuprnovaError {
  return new ChainError('RPC_BAD_URL', `an RPC URL ${why}`, {
    exitCode: EXIT.config,
    hint: 'give --rpc http://HOST:PORT or https://HOST/PATH',
  })
}
