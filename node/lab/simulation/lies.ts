import { type Address, KIND, type RequestHandler } from '../../core/index.ts'
import {
  chunkRoot,
  type DomainSeparator,
  encodeFrame,
  encodePut,
  KEY_TYPE,
  merkleRoot,
  ownerKey,
  statementDigest,
} from '../../statements/index.ts'
import type { ConditionalTable } from '../../store/index.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Lie, SimulatedNode } from './simulated-node.ts'
import type { StatementWitness } from './statement-witness.ts'

// What a request asks for and how an answer begins: `node/dht/protocol/messages.ts`. Liars speak the protocol by hand.
const OP = { store: 1, fetch: 2, list: 3, digest: 4 } as const
const STATUS = { ok: 0, superseded: 2 } as const
const FETCH_HEAD_BYTES = 4
const REMEMBERED = 64

/** Gives receipts and holds nothing. */
export const forgetful: Lie = {
  records: (table: ConditionalTable) => ({ ...table, get: () => undefined, range: () => [] }),
}

/** Shows of each record the first version it ever had. */
export const stale = (): Lie => ({
  answers: (honest) => {
    const first = new Map<string, Uint8Array>()
    return async (request, from) => {
      const answer = await honest(request, from)
      if (request[0] !== OP.fetch || answer[0] !== STATUS.ok || answer.length === FETCH_HEAD_BYTES) return answer
      const name = Buffer.from(request).toString('hex')
      if (!first.has(name)) first.set(name, answer)
      return first.get(name) as Uint8Array
    }
  },
})

/** Changes one byte of what it answers. */
export const forging = (random: SeededRandom): Lie => ({
  answers: (honest) => async (request, from) => {
    const answer = (await honest(request, from)).slice()
    const at = random.below(answer.length)
    answer[at] = (answer[at] as number) ^ (1 << random.below(8))
    return answer
  },
})

/** Answers with what others asked for: other records, other receipts. */
export const mistaking = (random: SeededRandom): Lie => ({
  answers: (honest) => {
    const before = new Map<number, Uint8Array[]>()
    return async (request, from) => {
      const answer = await honest(request, from)
      const kept = before.get(request[0] as number) ?? []
      before.set(request[0] as number, [...kept.slice(-REMEMBERED), answer])
      return random.chance(0.5) ? (random.pick(kept) ?? answer) : answer
    }
  },
})

/** What a liar needs to sign things of its own. */
export interface LieModules {
  readonly witness: StatementWitness
  readonly separator: DomainSeparator
  readonly random: SeededRandom
}

/**
 * Says that it lacks everything and that all differs. Of its own records it signs newer versions that it keeps to itself;
 * whoever gives it an older one is shown the newer with a value that is not its own.
 */
export const hungry = (modules: LieModules, names: readonly Uint8Array[]): Lie => ({
  answers: (honest, node) => {
    const { random } = modules
    return async (request, from) => {
      if (request[0] === OP.list && random.chance(0.2)) await keepNewer(node, honest, names, modules)
      const answer = (await honest(request, from)).slice()
      if (answer[0] === STATUS.ok && request[0] === OP.list) answer.fill(0xff, 1)
      if (request[0] === OP.digest) {
        const digest = new Uint8Array(2 + 256 * 12)
        digest.set(random.bytes(256 * 12), 2)
        digest[1] = 1
        return digest
      }
      if (answer[0] === STATUS.superseded) answer[answer.length - 1] = (answer.at(-1) as number) ^ 1
      return answer
    }
  },
})

async function keepNewer(
  node: SimulatedNode,
  honest: RequestHandler,
  names: readonly Uint8Array[],
  modules: LieModules,
): Promise<void> {
  const { process, stakeId } = node
  const position = await process?.guard.reserve(KIND.put).catch(() => undefined)
  const keyPreimage = modules.random.pick(names)
  if (process === undefined || position === undefined || keyPreimage === undefined) return
  const expiryEpoch = process.dht.reader.epoch() + 9
  const request = signedStore(node, { position, keyPreimage, expiryEpoch, value: modules.random.bytes(900) }, modules)
  await honest(request, { address: process.signer.address, stakeId })
}

/** Sends again what it was sent, to whomever. */
export const replaying = (random: SeededRandom, addresses: () => readonly Address[]): Lie => ({
  answers: (honest, node) => {
    const heard: Uint8Array[] = []
    return async (request, from) => {
      if (request[0] === OP.store) {
        if (heard.length < REMEMBERED) heard.push(request.slice())
        const to = random.pick(addresses())
        const again = random.pick(heard)
        if (to !== undefined && again !== undefined) send(node, to, again)
      }
      return honest(request, from)
    }
  },
})

/** A lie of each sort, drawn. */
export function drawLie(
  modules: LieModules,
  { addresses, names }: { readonly addresses: () => readonly Address[]; readonly names: readonly Uint8Array[] },
): Lie {
  const { random } = modules
  const lies = [
    forgetful,
    stale(),
    forging(random.fork('forging')),
    mistaking(random.fork('mistaking')),
    hungry({ ...modules, random: random.fork('hungry') }, names),
    replaying(random.fork('replaying'), addresses),
  ]
  return random.pick(lies) as Lie
}

/** Two values for one name under one position, ready to be sent. */
export interface TwoFaces {
  readonly recordKey: Uint8Array
  readonly requests: readonly [Uint8Array, Uint8Array]
}

/**
 * Signs two values for one name in one slot.
 * @returns `undefined` while nothing can be signed
 */
export async function equivocate(
  node: SimulatedNode,
  options: { readonly nameHash: Uint8Array; readonly expiryEpoch: number },
  modules: LieModules,
): Promise<TwoFaces | undefined> {
  const { process } = node
  const position = await process?.guard.reserve(KIND.put).catch(() => undefined)
  if (process === undefined || position === undefined) return undefined
  const { expiryEpoch, nameHash: keyPreimage } = options
  const request = (bytes: number) =>
    signedStore(node, { position, keyPreimage, expiryEpoch, value: modules.random.bytes(bytes) }, modules)
  return { recordKey: ownerKey(node.stakeId, keyPreimage), requests: [request(1_500), request(700)] }
}

/** A PUT of an owner record at a position that was granted, and its value, as a STORE. */
function signedStore(
  node: SimulatedNode,
  put: {
    readonly position: bigint
    readonly keyPreimage: Uint8Array
    readonly expiryEpoch: number
    readonly value: Uint8Array
  },
  { separator, witness }: LieModules,
): Uint8Array {
  const { expiryEpoch, keyPreimage, position, value } = put
  const common = { keyType: KEY_TYPE.owner, keyPreimage, valueRoot: chunkRoot(value), size: value.length }
  const body = encodePut({ ...common, expiryEpoch: BigInt(expiryEpoch) })
  const statement = { kind: KIND.put, scope: new Uint8Array(32), position, content: merkleRoot([body]) }
  const signature = node.signer.sign(statementDigest(separator, statement))
  const signed = { signer: node.signer.address, statement, signature }
  witness.saw(signed, [body], node)
  return storeRequest(encodeFrame(signed, [body]), value)
}

/** op | flags | u16 frame length | frame | value. */
function storeRequest(frame: Uint8Array, value: Uint8Array): Uint8Array {
  const head = Uint8Array.of(OP.store, 0, frame.length >> 8, frame.length & 0xff)
  return new Uint8Array(Buffer.concat([head, frame, value]))
}

/** Sends, whatever comes of it. */
export function send(node: SimulatedNode, to: Address, request: Uint8Array): void {
  node.process?.transport.request(to, request).catch(() => undefined)
}

/** Answers nothing false, and is a liar by what it signs. */
export const twoFaced: Lie = { answers: (honest: RequestHandler) => honest }
