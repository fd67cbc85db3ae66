import { parseEventLogs } from 'viem'
import { type Address, type ChunkQuestion, fromHex, type Hex } from '../../core/index.ts'
import { availabilityChallengeAbi } from '../abi.generated.ts'
import type { MinedLog } from '../log-ranges.ts'

/** A challenge that was opened, as its event told it. */
export interface SeenChallenge extends ChunkQuestion {
  readonly challengeId: Hex
  readonly stakeId: number
  readonly opener: Address
  /** Unix seconds and block number: it can be answered while one of them is not past. */
  readonly answerableUntil: number
  readonly answerableUntilBlock: number
}

/** What happened to a challenge. */
export type ChallengeEvent = { readonly blockNumber: number; readonly challengeId: Hex } & (
  | { readonly type: 'opened'; readonly seen: SeenChallenge }
  | { readonly type: 'answered'; readonly answerer: Address; readonly paidWei: bigint }
  | { readonly type: 'concluded'; readonly bondWei: bigint }
  | { readonly type: 'collected' }
)

type ParsedEvent = ReturnType<typeof parseEventLogs<typeof availabilityChallengeAbi, true, undefined>>[number]

/** The events in logs of the contract, in the order of the chain. */
export function readChallengeEvents(logs: readonly MinedLog[]): ChallengeEvent[] {
  const sorted = [...logs].sort((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex)
  return parseEventLogs({ abi: availabilityChallengeAbi, logs: sorted }).map(readEvent)
}

function readEvent(event: ParsedEvent): ChallengeEvent {
  const { challengeId } = event.args
  const common = { blockNumber: Number(event.blockNumber), challengeId }
  switch (event.eventName) {
    case 'Opened':
      return { ...common, type: 'opened', seen: seenOf(event.args) }
    case 'Answered':
      return { ...common, type: 'answered', answerer: lower(event.args.answerer), paidWei: event.args.paidWei }
    case 'Concluded':
      return { ...common, type: 'concluded', bondWei: event.args.bondWei }
    case 'Collected':
      return { ...common, type: 'collected' }
  }
}

function seenOf(args: Extract<ParsedEvent, { eventName: 'Opened' }>['args']): SeenChallenge {
  return {
    challengeId: args.challengeId,
    stakeId: Number(args.stakeId),
    opener: lower(args.opener),
    recordKey: fromHex(args.recordKey),
    putDigest: fromHex(args.putDigest),
    putLeaf: args.putLeaf,
    valueRoot: fromHex(args.valueRoot),
    chunkIndex: args.chunkIndex,
    answerableUntil: Number(args.answerableUntil),
    answerableUntilBlock: Number(args.answerableUntilBlock),
  }
}

function lower(address: string): Address {
  return address.toLowerCase() as Address
}
