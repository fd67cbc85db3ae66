import { encodeFunctionData, parseEventLogs } from 'viem'
import { type Address, type Hex, toHex } from '../../core/index.ts'
import {
  type DomainSeparator,
  decodeBody,
  decodeFrame,
  encodeShown,
  keccak256,
  packSlot,
  type ReceiptBody,
} from '../../statements/index.ts'
import { availabilityChallengeAbi, stakeRegistryAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act, type ReadModules, read } from './act.ts'

export const CHALLENGE_STATUS = ['none', 'open', 'answered', 'concluded', 'collected'] as const
export type ChallengeStatus = (typeof CHALLENGE_STATUS)[number]

/** A challenge as the chain has it. */
export interface ChallengeRow {
  readonly challengeId: Hex
  readonly status: ChallengeStatus
  /** Who signed the receipt. */
  readonly stakeId: number
  readonly publisherStakeId: number
  readonly opener: Address
  readonly bondWei: bigint
  readonly chunkIndex: number
  /** Unix seconds and block number: it can be answered while one of them is not past. */
  readonly answerableUntil: number
  readonly answerableUntilBlock: number
}

export interface OpenConsequences {
  readonly challengeId: Hex
  readonly stakeId: number
  readonly chunkIndex: number
  readonly bondWei: bigint
}

/** A receipt and its PUT: wire frames, form 0. */
export interface ShownReceipt {
  readonly receipt: Uint8Array
  readonly put: Uint8Array
}

/**
 * Challenges the signer of a receipt to show a chunk of what it promised, with the bond that is needed now.
 * @throws ContractRefusedError with the contract's reason; EncodeError, DecodeError for frames that are none
 */
export async function openChallenge(
  modules: ActionModules,
  args: ShownReceipt & { readonly chunkIndex: number; readonly separator: DomainSeparator },
  options: ActionOptions = {},
): Promise<ActionResult<OpenConsequences>> {
  const { client, deployment } = modules
  const { chunkIndex, put, receipt, separator } = args
  const { bodies, signed } = decodeFrame(receipt)
  const slot = toHex(keccak256(packSlot({ signer: signed.signer, ...signed.statement })))
  const leaf = bodies[0]?.leaf ?? 0
  const registry = { address: deployment.registry, abi: stakeRegistryAbi } as const
  const key = await read(client.readContract({ ...registry, functionName: 'keyRecord', args: [signed.signer] }))
  const { baseFeePerGas } = await read(client.getBlock())
  const bond = await read(
    client.readContract({
      ...contract(modules),
      functionName: 'bondFor',
      // The base fee of the next block is at most an eighth above this one's.
      args: [key.stakeId, slot, leaf, ((baseFeePerGas ?? 0n) * 9n) / 8n + 1n],
    }),
  )
  const data = encodeFunctionData({
    abi: availabilityChallengeAbi,
    functionName: 'open',
    args: [toHex(encodeShown(receipt, separator)), toHex(encodeShown(put, separator)), chunkIndex],
  })
  const consequences = (challengeId: Hex) => ({
    challengeId,
    stakeId: Number(key.stakeId),
    chunkIndex,
    bondWei: bond,
  })
  return act(
    modules,
    {
      to: deployment.availability,
      data,
      value: bond,
      foresee: (returned) => consequences(returned),
      happened: ({ logs }) => {
        const [opened] = parseEventLogs({ abi: availabilityChallengeAbi, eventName: 'Opened', logs })
        return consequences(opened?.args.challengeId as Hex)
      },
    },
    options,
  )
}

/** Shows a chunk (1 KiB, the last one shorter) with its siblings from the leaf upwards. Anyone may; it is paid for. */
export function answerChallenge(
  modules: ActionModules,
  args: { readonly challengeId: Hex; readonly chunk: Uint8Array; readonly path: readonly Uint8Array[] },
  options: ActionOptions = {},
): Promise<ActionResult<{ readonly challengeId: Hex }>> {
  return call(modules, answerCall(args), args.challengeId, options)
}

/** Shows a later PUT (wire frame, form 0) of the same writer for the same owner or cell entry. */
export function answerSuperseded(
  modules: ActionModules,
  args: { readonly challengeId: Hex; readonly laterPut: Uint8Array; readonly separator: DomainSeparator },
  options: ActionOptions = {},
): Promise<ActionResult<{ readonly challengeId: Hex }>> {
  return call(modules, supersededCall(args), args.challengeId, options)
}

/** After the deadline: slashes, gives the victim its share, frees the opener's bond. Anyone may. */
export function concludeChallenge(
  modules: ActionModules,
  args: { readonly challengeId: Hex },
  options: ActionOptions = {},
): Promise<ActionResult<{ readonly challengeId: Hex }>> {
  return call(modules, concludeCall(args.challengeId), args.challengeId, options)
}

/** Pays what a challenge that is over leaves to whom it is due. Anyone may. */
export function collectChallenge(
  modules: ActionModules,
  args: { readonly challengeId: Hex },
  options: ActionOptions = {},
): Promise<ActionResult<{ readonly challengeId: Hex }>> {
  return call(modules, collectCall(args.challengeId), args.challengeId, options)
}

/** A challenge as it stands, or `undefined` for an id that was never opened. */
export async function readChallenge(modules: ReadModules, challengeId: Hex): Promise<ChallengeRow | undefined> {
  const { client } = modules
  const [row, [answerableUntil, answerableUntilBlock]] = await read(
    Promise.all([
      client.readContract({ ...contract(modules), functionName: 'challengeOf', args: [challengeId] }),
      client.readContract({ ...contract(modules), functionName: 'answerableUntil', args: [challengeId] }),
    ]),
  )
  const status = CHALLENGE_STATUS[row.status] ?? 'none'
  if (status === 'none') return undefined
  return {
    challengeId,
    status,
    stakeId: Number(row.stakeId),
    publisherStakeId: Number(row.publisherStakeId),
    opener: row.opener.toLowerCase() as Address,
    bondWei: row.bondWei,
    chunkIndex: row.chunkIndex,
    answerableUntil: Number(answerableUntil),
    answerableUntilBlock: Number(answerableUntilBlock),
  }
}

/** The chunks that a receipt's value has: the receipt's own word. */
export function chunksPromised(receipt: Uint8Array): number {
  const body = decodeBody(3, decodeFrame(receipt).bodies[0]?.bytes ?? new Uint8Array()) as ReceiptBody
  return Math.ceil(body.size / 1024)
}

export function answerCall(args: {
  readonly challengeId: Hex
  readonly chunk: Uint8Array
  readonly path: readonly Uint8Array[]
}): Hex {
  return encodeFunctionData({
    abi: availabilityChallengeAbi,
    functionName: 'answer',
    args: [args.challengeId, toHex(args.chunk), args.path.map(toHex)],
  })
}

export function supersededCall(args: {
  readonly challengeId: Hex
  readonly laterPut: Uint8Array
  readonly separator: DomainSeparator
}): Hex {
  return encodeFunctionData({
    abi: availabilityChallengeAbi,
    functionName: 'answerSuperseded',
    args: [args.challengeId, toHex(encodeShown(args.laterPut, args.separator))],
  })
}

export function concludeCall(challengeId: Hex): Hex {
  return encodeFunctionData({ abi: availabilityChallengeAbi, functionName: 'conclude', args: [challengeId] })
}

export function collectCall(challengeId: Hex): Hex {
  return encodeFunctionData({ abi: availabilityChallengeAbi, functionName: 'collect', args: [challengeId] })
}

function call(modules: ActionModules, data: Hex, challengeId: Hex, options: ActionOptions) {
  return act(modules, { to: modules.deployment.availability, data, foresee: () => ({ challengeId }) }, options)
}

function contract({ deployment }: ReadModules) {
  return { address: deployment.availability, abi: availabilityChallengeAbi } as const
}
