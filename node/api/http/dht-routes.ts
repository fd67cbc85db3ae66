import type { IncomingMessage, ServerResponse } from 'node:http'
import { EXIT, fromHex, type Hex, SuprnovaError, type Timers, toHex } from '../../core/index.ts'
import {
  type Dht,
  type KeptReceipt,
  nameHashOf,
  type QueryResult,
  REPLICAS_DEFAULT,
  type SpatialAgent,
  type StateKey,
  worldOf,
} from '../../dht/index.ts'
import { epochEnd } from '../../statements/index.ts'
import { STATE_LIMIT_BYTES } from '../constants.ts'
import { RequestError } from '../errors.ts'
import { readJson, sendJson } from './answer.ts'
import { hashOf, nameOf, numbersOf, wholeOf } from './fields.ts'
import type { NodeApi } from './node-api.ts'
import { bodyOf, bodyTooLarge, ERROR_TRAILER, sendParts } from './state-body.ts'

/** A receipt as a client sees it. */
export interface ReceiptLine {
  readonly id: Hex
  readonly stakeId: number
  readonly recordKey: Hex
  readonly size: number
  readonly untilEpoch: number
  /** Unix seconds at which that epoch is over. */
  readonly untilSeconds: number
}

/** The answer to a store. */
export interface StoredLine {
  readonly recordKey: Hex
  /** Decimal: epoch << 32 | index. */
  readonly position: string
  readonly leaf: number
  readonly size: number
  /** Content records it was cut into; 0 for a value that fits one record. */
  readonly parts: number
  readonly degraded: boolean
  /** The last epoch of its life. */
  readonly expiryEpoch: number
  /** Unix seconds at which that epoch is over. */
  readonly expirySeconds: number
  readonly receipts: readonly ReceiptLine[]
}

/** The answer to a renewal. */
export interface RenewedLine {
  readonly recordKey: Hex
  /** The last epoch of its life now. */
  readonly expiryEpoch: number
  /** Unix seconds at which that epoch is over. */
  readonly expirySeconds: number
  /** False when it lives almost as long as it may: then nothing was signed. */
  readonly renewed: boolean
  readonly parts: number
  readonly size: number
  readonly receipts: readonly ReceiptLine[]
  /** Whether the node keeps it alive from now on. */
  readonly kept: boolean
}

/** A state that the node keeps alive. */
export interface KeptLine {
  readonly nameHash: Hex
  readonly expiryEpoch: number
  /** Unix seconds at which that epoch is over. */
  readonly expirySeconds: number
}

/** Who holds a key now. */
export interface ClosestLine {
  readonly recordKey: Hex
  readonly epoch: number
  readonly replicas: readonly { readonly stakeId: number; readonly address: string | null }[]
  readonly standIns: readonly number[]
}

/** Headers of a value that was read. */
export const HEADER = {
  recordKey: 'x-suprnova-record-key',
  position: 'x-suprnova-position',
  writer: 'x-suprnova-writer',
  quorum: 'x-suprnova-quorum',
  size: 'x-suprnova-size',
  missing: 'x-suprnova-missing',
} as const

/** What epochs are shown with. */
type Shown = Pick<NodeApi, 'dht' | 'epochSeconds'>

export interface DhtRouteModules {
  readonly api: NodeApi
  readonly timers: Timers
}

/** Answers what begins with /dht/. @returns whether there is such a route */
export async function answerDht(
  { api, timers }: DhtRouteModules,
  { path, query }: { readonly path: string; readonly query: URLSearchParams },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const route = `${request.method} ${path}`
  const receipt = /^GET \/dht\/receipts\/([^/]+)$/.exec(route)
  if (route === 'PUT /dht/state') sendJson(response, 200, await store(api, query, request, timers))
  else if (route === 'GET /dht/state') await retrieve(api.dht, query, response, timers)
  else if (route === 'POST /dht/renew') sendJson(response, 200, await renew(api, query))
  else if (route === 'GET /dht/kept') sendJson(response, 200, { states: keptOf(api) })
  else if (route === 'GET /dht/closest') sendJson(response, 200, closest(api.dht, query))
  else if (route === 'GET /dht/peers') sendJson(response, 200, await api.network.findPeers(walkTarget(api.dht, query)))
  else if (route === 'GET /dht/receipts') sendJson(response, 200, { receipts: receiptsOf(api, query) })
  else if (route === 'GET /dht/query') sendJson(response, 200, await nearby(api.dht, query))
  else if (route === 'POST /dht/presence')
    sendJson(response, 200, await announce(api.dht, await readJson(request, timers)))
  else if (receipt?.[1] !== undefined) sendJson(response, 200, exported(api.dht, hashOf(receipt[1], 'receipt id')))
  else return false
  return true
}

async function store(
  { dht, epochSeconds }: Shown,
  query: URLSearchParams,
  request: IncomingMessage,
  timers: Timers,
): Promise<StoredLine> {
  if (Number(request.headers['content-length'] ?? 0) > STATE_LIMIT_BYTES) throw bodyTooLarge()
  const stored = await dht.states.storeState(keyOf(query), bodyOf(request, timers), {
    ...quorumOf(query),
    keep: query.get('keep') === '1',
  })
  return {
    recordKey: toHex(stored.recordKey),
    position: String(stored.position),
    leaf: stored.leaf,
    size: stored.size,
    parts: stored.parts,
    degraded: stored.degraded,
    expiryEpoch: stored.expiryEpoch,
    expirySeconds: epochEnd(stored.expiryEpoch, epochSeconds),
    // The third receipt of a healthy network is a moment behind the second: whoever asked may as well have it.
    receipts: linesOf(query.get('all') === '1' ? await stored.rest : stored.receipts, epochSeconds),
  }
}

/** Signs a state anew; with `keep=1` again before each end, with `keep=0` no more. */
async function renew({ dht, epochSeconds }: Shown, query: URLSearchParams): Promise<RenewedLine> {
  const key = keyOf(query)
  const nameHash = nameHashOf(key)
  const { owner } = ownerOf(query)
  const quorum = quorumOf(query)
  if (query.get('keep') === '0') await dht.states.keeper?.letGo(nameHash)
  const { receipts, recordKey, ...renewed } = await dht.states.renew(key, { ...quorum, ...ownerOf(query) })
  const isOwn = owner === undefined || owner === dht.ownStakeId
  if (query.get('keep') === '1' && isOwn) await dht.states.keeper?.keep(nameHash, { ...quorum, ...renewed })
  const kept = isOwn && keptOf({ dht, epochSeconds }).some((state) => state.nameHash === toHex(nameHash))
  const expirySeconds = epochEnd(renewed.expiryEpoch, epochSeconds)
  return { recordKey: toHex(recordKey), ...renewed, expirySeconds, receipts: linesOf(receipts, epochSeconds), kept }
}

function keptOf({ dht, epochSeconds }: Shown): KeptLine[] {
  return (dht.states.keeper?.list() ?? []).map(({ expiryEpoch, nameHash }) => ({
    nameHash,
    expiryEpoch,
    expirySeconds: epochEnd(expiryEpoch, epochSeconds),
  }))
}

async function retrieve(dht: Dht, query: URLSearchParams, response: ServerResponse, timers: Timers): Promise<void> {
  const found = await dht.states.retrieveState(keyOf(query), { ...quorumOf(query), ...ownerOf(query) })
  if (found.record === undefined) {
    throw new RequestError(404, 'DHT_NOT_FOUND', `nobody showed a record of ${toHex(found.recordKey)}`, {
      exitCode: EXIT.tryAgain,
      values: { recordKey: toHex(found.recordKey) },
      hint: 'that a replica shows nothing proves nothing: it may be away, or the record may be over',
    })
  }
  const { parts, record, size } = found
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    trailer: ERROR_TRAILER,
    [HEADER.recordKey]: toHex(found.recordKey),
    [HEADER.position]: String(record.version.position),
    [HEADER.writer]: String(record.writerStakeId),
    [HEADER.quorum]: String(found.quorum),
    [HEADER.size]: String(size),
    [HEADER.missing]: found.missing.join(','),
  })
  await sendParts(response, parts, timers)
}

function closest(dht: Dht, query: URLSearchParams): ClosestLine {
  const recordKey = dht.states.keyOf(keyOf(query), ownerOf(query).owner)
  const epoch = dht.reader.epoch()
  const { members, standIns } = dht.tables.setsOf(recordKey, epoch, quorumOf(query).replicas ?? REPLICAS_DEFAULT)
  const replicas = members.map((stakeId) => ({ stakeId, address: dht.addressOf(stakeId) ?? null }))
  return { recordKey: toHex(recordKey), epoch, replicas, standIns }
}

/** An agent as a client sees it. */
export interface AgentLine {
  readonly agentId: Hex
  readonly position: readonly number[]
  readonly capabilities: readonly string[]
  /** Unix milliseconds, by the agent's own clock. */
  readonly timestamp: number
  readonly data: unknown
  readonly stakeId: number
}

/** The answer to a query. */
export interface NearbyLine {
  readonly agents: readonly AgentLine[]
  /** Whether every cell was read with a quorum. */
  readonly quorum: boolean
  /** False: more lies there than one query reads. */
  readonly complete: boolean
  readonly cells: number
  readonly requests: number
}

async function nearby(dht: Dht, query: URLSearchParams): Promise<NearbyLine> {
  const position = numbersOf(query.get('position'), 'position')
  const radius = numbersOf(query.get('radius'), 'radius')[0] as number
  const consistency = query.get('consistency') === 'one' ? 'one' : 'quorum'
  const world = worldOf(query.get('world') ?? undefined)
  const found = await dht.spatial.queryRange(position, radius, { consistency, world })
  return nearbyLine(found)
}

export function nearbyLine({ agents, asked, cells, complete, quorum }: QueryResult): NearbyLine {
  return { agents: agents.map(agentLine), quorum, complete, cells, requests: asked }
}

async function announce(dht: Dht, body: Record<string, unknown>): Promise<{ readonly agentId: Hex }> {
  const agentId = nameOf(typeof body.agentId === 'string' ? body.agentId : null)
  const { capabilities, data, position } = body
  const at = numbersOf(Array.isArray(position) ? position.join(',') : null, 'position')
  const can = Array.isArray(capabilities) ? capabilities.map(String) : []
  const world = worldOf(typeof body.world === 'string' ? body.world : undefined)
  return {
    agentId: toHex(await dht.agents.announcePresence({ agentId, position: at, capabilities: can, data, world })),
  }
}

export function agentLine({ agentId, position, presence, writerStakeId }: SpatialAgent): AgentLine {
  const { capabilities, data = null, timestamp } = presence
  return { agentId: toHex(agentId), position, capabilities, timestamp, data, stakeId: writerStakeId }
}

/** Peers are looked for by the key of a record, or by any 32 bytes. */
function walkTarget(dht: Dht, query: URLSearchParams): Uint8Array {
  return dht.states.keyOf(keyOf(query), ownerOf(query).owner)
}

function receiptsOf({ dht, epochSeconds }: Shown, query: URLSearchParams): ReceiptLine[] {
  const key = query.get('key')
  const recordKey = key === null ? {} : { recordKey: toHex(dht.states.keyOf(keyOf(query))) }
  const stake = wholeOf(query, 'stake', 1, Number.MAX_SAFE_INTEGER)
  const stakeId = stake === undefined ? {} : { stakeId: stake }
  const limit = wholeOf(query, 'limit', 1, 10_000) ?? 100
  return linesOf(dht.receipts.list({ ...recordKey, ...stakeId, limit }), epochSeconds)
}

function exported(dht: Dht, id: Hex): unknown {
  const kept = dht.receipts.get(id)
  if (kept !== undefined) return dht.receipts.export(kept)
  throw new RequestError(404, 'UNKNOWN_RECEIPT', `this node was given no receipt ${id}`, {
    values: { id },
    hint: 'list those it has with `suprnova dht receipts`',
  })
}

function linesOf(receipts: Iterable<KeptReceipt>, epochSeconds: number): ReceiptLine[] {
  return Array.from(receipts, ({ id, recordKey, size, stakeId, untilEpoch }) => {
    return { id, stakeId, recordKey, size, untilEpoch, untilSeconds: epochEnd(untilEpoch, epochSeconds) }
  })
}

/** A name, or with `hash=1` its 32 bytes in hex. */
function keyOf(query: URLSearchParams): StateKey {
  if (query.get('hash') === '1') return fromHex(hashOf(query.get('key') ?? '', 'key'))
  return nameOf(query.get('key'))
}

function ownerOf(query: URLSearchParams): { readonly owner?: number } {
  const owner = wholeOf(query, 'owner', 1, Number.MAX_SAFE_INTEGER)
  return owner === undefined ? {} : { owner }
}

function quorumOf(query: URLSearchParams): { readonly replicas?: number; readonly quorum?: number } {
  const replicas = wholeOf(query, 'replicas', 1, 20)
  const quorum = wholeOf(query, 'quorum', 1, 20)
  return { ...(replicas === undefined ? {} : { replicas }), ...(quorum === undefined ? {} : { quorum }) }
}

/** Whether an error says that nothing was found. */
export function isNotFound(error: unknown): boolean {
  return error instanceof SuprnovaError && error.code === 'DHT_NOT_FOUND'
}
