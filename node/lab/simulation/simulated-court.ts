import { decodeFunctionData, encodeAbiParameters, encodeEventTopics, type Log } from 'viem'
import { availabilityChallengeAbi, type ChainClient } from '../../chain/index.ts'
import { type Address, equalBytes, fromHex, type Hex, type ProtocolParams, toHex } from '../../core/index.ts'
import {
  CHUNK_BYTES,
  epochAt,
  epochOf,
  isEpochInFuture,
  isInTenure,
  KEY_TYPE,
  keccak256,
  leafHash,
  type PutBody,
  packSlot,
  punishableUntil,
  rootFromPath,
} from '../../statements/index.ts'
import { SIMULATED_BLOCK_HASH, type SimulatedChain } from './simulated-chain.ts'
import type { StatementWitness, WitnessedReceipt } from './statement-witness.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A challenge as the contract keeps it. */
export interface SimulatedChallenge {
  readonly id: Hex
  readonly receipt: WitnessedReceipt
  readonly publisherStakeId: number
  readonly put: { readonly body: PutBody; readonly position: bigint; readonly leaf: number }
  readonly chunkIndex: number
  readonly answerableUntil: number
  readonly answerableUntilBlock: number
  readonly openedBlock: number
  /** The block from which on it is no longer open. */
  endedBlock: number
  status: 'open' | 'answered' | 'superseded' | 'concluded'
}

interface Event {
  readonly block: number
  readonly log: Log
}

/** The opener of every challenge: nobody's node. */
const OPENER: Address = `0x${'0c'.repeat(20)}`
const COURT: Address = `0x${'c0'.repeat(20)}`

/**
 * `AvailabilityChallenge` as its rules are, money left out: what it takes to open, to answer and to conclude. Its events
 * are those of the contract, so that the real challenge desk of a node follows them. A block a second.
 */
export class SimulatedCourt {
  readonly #params: ProtocolParams
  readonly #chain: SimulatedChain
  readonly #time: VirtualTime
  readonly #witness: StatementWitness
  readonly #challenges = new Map<Hex, SimulatedChallenge>()
  readonly #answersOf = new Map<Hex, number>()
  readonly #events: Event[] = []
  /** Challenges that ended in silence. */
  readonly concluded: SimulatedChallenge[] = []

  constructor(
    params: ProtocolParams,
    modules: { readonly chain: SimulatedChain; readonly time: VirtualTime; readonly witness: StatementWitness },
  ) {
    this.#params = params
    this.#chain = modules.chain
    this.#time = modules.time
    this.#witness = modules.witness
  }

  get address(): Address {
    return COURT
  }

  get size(): number {
    return this.#challenges.size
  }

  get answered(): number {
    return [...this.#challenges.values()].filter(({ status }) => status === 'answered' || status === 'superseded')
      .length
  }

  /**
   * Opens a challenge in the block after the running second.
   * @returns the challenge, or why the contract takes none
   */
  open(receipt: WitnessedReceipt, chunkIndex: number): SimulatedChallenge | string {
    const at = this.#chain.timestamp + 1
    const { body, leaf, signed } = receipt
    const { epochSeconds, receiptLifeSeconds, responseBlocks, responseSeconds } = this.#params
    const put = this.#witness.promised(body)
    const what = put?.puts[body.leaf]
    if (put === undefined || what === undefined) return 'no such PUT'
    for (const { signer, statement } of [signed, put.signed]) {
      const key = this.#chain.newestKey(signer)
      if (key === undefined || !isInTenure(statement.kind, statement.position, key)) return 'key not in tenure'
      if (isEpochInFuture(statement.position, at, this.#params)) return 'epoch in future'
      if (at > punishableUntil(statement.kind, key, this.#params)) return 'too old'
    }
    if (!equalBytes(what.valueRoot, body.valueRoot) || what.size !== body.size) return 'foreign PUT'
    const longest = epochOf(signed.statement.position) + Math.floor(receiptLifeSeconds / epochSeconds)
    if (epochAt(at, epochSeconds) > Math.min(Number(body.untilEpoch), longest)) return 'over'
    if (chunkIndex * CHUNK_BYTES >= body.size) return 'beyond size'
    const slot = toHex(keccak256(packSlot({ signer: signed.signer, ...signed.statement })))
    const promise = toHex(keccak256(fromHex(slot), Uint8Array.of(leaf)))
    for (const other of this.#challenges.values()) {
      const isSame = other.receipt === receipt && other.chunkIndex === chunkIndex
      if (isSame && (other.status === 'open' || other.status === 'concluded')) return 'already open'
    }
    const answers = this.#answersOf.get(promise) ?? 0
    const id = toHex(keccak256(fromHex(promise), Uint8Array.of(chunkIndex, answers & 0xff)))
    if (this.#challenges.has(id)) return 'already open'
    const challenge: SimulatedChallenge = {
      ...{ id, receipt, chunkIndex, publisherStakeId: put.writerStakeId, status: 'open' },
      put: { body: what, position: put.signed.statement.position, leaf: body.leaf },
      answerableUntil: at + responseSeconds,
      answerableUntilBlock: at + responseBlocks,
      openedBlock: at,
      endedBlock: Number.POSITIVE_INFINITY,
    }
    this.#challenges.set(id, challenge)
    this.#emitOpened(challenge, at, slot)
    this.#concludeWhenOver(challenge)
    return challenge
  }

  /** What a node sends to the contract, mined in the next block; what the contract refuses changes nothing. */
  send(data: Hex, account: Address): void {
    const inMs = 1_000 - (this.#time.nowMs() % 1_000)
    this.#time.after(inMs, `${account} to court`, () => this.#execute(data, account))
  }

  /** The chain as the challenge desk of a node reads it. Nothing of the court is ever undone, and all blocks hash alike. */
  client(): ChainClient {
    const countAt = (stakeId: number, block: number) =>
      [...this.#challenges.values()].filter(
        (one) => one.receipt.stakeId === stakeId && one.openedBlock <= block && block < one.endedBlock,
      ).length
    return {
      getLogs: async ({ fromBlock, toBlock }: { fromBlock: bigint; toBlock: bigint }) =>
        this.#events
          .filter(({ block }) => block >= Number(fromBlock) && block <= Number(toBlock))
          .map(({ log }) => log),
      getBlock: async ({ blockNumber }: { blockNumber?: bigint }) => {
        const number = blockNumber ?? BigInt(this.#chain.timestamp)
        return { number, timestamp: number, hash: SIMULATED_BLOCK_HASH }
      },
      readContract: async ({ args, blockNumber }: { args: readonly [bigint]; blockNumber: bigint }) =>
        BigInt(countAt(Number(args[0]), Number(blockNumber))),
      getBalance: async () => 10n ** 18n,
      getGasPrice: async () => 10n ** 9n,
    } as unknown as ChainClient
  }

  #execute(data: Hex, account: Address): void {
    const { args, functionName } = decodeFunctionData({ abi: availabilityChallengeAbi, data })
    const challenge = this.#challenges.get(args?.[0] as Hex)
    if (challenge === undefined || challenge.status !== 'open') return
    const at = this.#chain.timestamp
    if (at > challenge.answerableUntil && at > challenge.answerableUntilBlock) return
    if (functionName === 'answer') {
      const [, chunk, path] = args
      const root = rootFromPath(leafHash(fromHex(chunk)), challenge.chunkIndex, path.map(fromHex))
      if (equalBytes(root, challenge.put.body.valueRoot)) this.#settle(challenge, 'answered', account)
    } else if (functionName === 'answerSuperseded' && this.#isSuperseded(challenge, fromHex(args[1]))) {
      this.#settle(challenge, 'superseded', account)
    }
  }

  /** Whether `shown` (see `encodeShown`) is a later PUT of the same writer for the same owner entry, signed as it says. */
  #isSuperseded({ publisherStakeId, put }: SimulatedChallenge, shown: Uint8Array): boolean {
    const signer = toHex(shown.subarray(0, 20))
    const position = new DataView(shown.buffer, shown.byteOffset).getBigUint64(53)
    const leaf = shown[125] ?? 0
    const body = shown.subarray(127 + 32 * (shown[126] ?? 0))
    const said = this.#witness.putAt(signer, position)
    const what = said?.puts[leaf]
    if (said === undefined || what === undefined || !equalBytes(said.bodies[leaf] as Uint8Array, body)) return false
    const isLater = position !== put.position ? position > put.position : leaf > put.leaf
    return (
      said.writerStakeId === publisherStakeId &&
      put.body.keyType === KEY_TYPE.owner &&
      what.keyType === KEY_TYPE.owner &&
      equalBytes(what.keyPreimage, put.body.keyPreimage) &&
      isLater
    )
  }

  #settle(challenge: SimulatedChallenge, status: 'answered' | 'superseded', account: Address): void {
    challenge.status = status
    challenge.endedBlock = this.#chain.timestamp
    const { leaf, signed, stakeId } = challenge.receipt
    const slot = keccak256(packSlot({ signer: signed.signer, ...signed.statement }))
    const promise = toHex(keccak256(slot, Uint8Array.of(leaf)))
    this.#answersOf.set(promise, (this.#answersOf.get(promise) ?? 0) + 1)
    const topics = encodeEventTopics({
      ...{ abi: availabilityChallengeAbi, eventName: 'Answered' },
      args: { challengeId: challenge.id, stakeId: BigInt(stakeId) },
    })
    const types = [{ type: 'address' }, { type: 'bool' }, { type: 'uint256' }] as const
    this.#emit(this.#chain.timestamp, topics, encodeAbiParameters(types, [account, status === 'superseded', 1n]))
  }

  /** Anyone may conclude, and somebody always does. */
  #concludeWhenOver(challenge: SimulatedChallenge): void {
    const over = Math.max(challenge.answerableUntil, challenge.answerableUntilBlock) + 1
    this.#time.after(over * 1_000 - this.#time.nowMs() + 1, 'a challenge is over', () => {
      if (challenge.status !== 'open') return
      challenge.status = 'concluded'
      challenge.endedBlock = this.#chain.timestamp
      this.concluded.push(challenge)
      const args = { challengeId: challenge.id, stakeId: BigInt(challenge.receipt.stakeId) }
      const topics = encodeEventTopics({ abi: availabilityChallengeAbi, eventName: 'Concluded', args })
      this.#emit(this.#chain.timestamp, topics, encodeAbiParameters([{ type: 'uint256' }], [1n]))
    })
  }

  #emitOpened(challenge: SimulatedChallenge, block: number, slot: Hex): void {
    const { body, leaf, stakeId } = challenge.receipt
    const topics = encodeEventTopics({
      ...{ abi: availabilityChallengeAbi, eventName: 'Opened' },
      args: { challengeId: challenge.id, stakeId: BigInt(stakeId), recordKey: toHex(body.recordKey) },
    })
    const opened = availabilityChallengeAbi.find((item) => item.type === 'event' && item.name === 'Opened')
    const inputs = (opened as { inputs: readonly { readonly indexed: boolean; readonly type: string }[] }).inputs
    const data = encodeAbiParameters(
      inputs.filter(({ indexed }) => !indexed),
      [
        BigInt(challenge.publisherStakeId),
        ...[toHex(body.putDigest), body.leaf, toHex(body.valueRoot), body.size, challenge.chunkIndex],
        ...[slot, leaf, OPENER, 1n, BigInt(challenge.answerableUntil), BigInt(challenge.answerableUntilBlock)],
      ],
    )
    this.#emit(block, topics, data)
  }

  #emit(block: number, topics: unknown, data: Hex): void {
    const log = { address: COURT, topics, data, blockNumber: BigInt(block), logIndex: this.#events.length }
    this.#events.push({ block, log: log as unknown as Log })
  }
}
