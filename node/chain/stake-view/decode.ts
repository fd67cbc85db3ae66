import { decodeEventLog, type Hex as ViemHex } from 'viem'
import { type Address, fromHex, type Hex } from '../../core/index.ts'
import { stakeRegistryAbi } from '../abi.generated.ts'
import type { StakeEvent } from './event.ts'

/** The parts of an `eth_getLogs` answer that say what happened. */
export interface RegistryLog {
  readonly topics: readonly ViemHex[]
  readonly data: ViemHex
}

/**
 * The event a registry log stands for, or `undefined` for one that moves no stake.
 * @throws viem's decoding errors when the log is not one of the registry's
 */
export function decodeStakeLog(log: RegistryLog): StakeEvent | undefined {
  const decoded = decodeEventLog({
    abi: stakeRegistryAbi,
    topics: log.topics as [ViemHex, ...ViemHex[]],
    data: log.data,
    strict: true,
  })
  switch (decoded.eventName) {
    case 'Registered': {
      const { stakeId, operator, nodeKey, publicKeyX, publicKeyY, amount, fromEpoch } = decoded.args
      return {
        type: 'registered',
        stakeId: Number(stakeId),
        operator: lower(operator),
        nodeKey: lower(nodeKey),
        publicKey: compress(publicKeyX, publicKeyY),
        amountWei: amount,
        fromEpoch: Number(fromEpoch),
      }
    }
    case 'Activated':
      return { type: 'activated', stakeId: Number(decoded.args.stakeId), placement: decoded.args.placement }
    case 'DrawRenewed':
    case 'ToppedUp':
    case 'Settled':
      return { type: 'amountChanged', stakeId: Number(decoded.args.stakeId), amountWei: decoded.args.newAmount }
    case 'Rotated': {
      const { stakeId, newKey, publicKeyX, publicKeyY, fromEpoch } = decoded.args
      return {
        type: 'rotated',
        stakeId: Number(stakeId),
        nodeKey: lower(newKey),
        publicKey: compress(publicKeyX, publicKeyY),
        fromEpoch: Number(fromEpoch),
      }
    }
    case 'UnbondingStarted': {
      const { stakeId, amount, readyAt } = decoded.args
      return { type: 'unbondingStarted', stakeId: Number(stakeId), amountWei: amount, readyAt: Number(readyAt) }
    }
    case 'Withdrawn':
      return { type: 'withdrawn', stakeId: Number(decoded.args.stakeId) }
    case 'Unjailed':
      return { type: 'unjailed', stakeId: Number(decoded.args.stakeId) }
    case 'Slashed': {
      const { stakeId, newAmount, jailedUntil, tombstoned } = decoded.args
      return {
        type: 'slashed',
        stakeId: Number(stakeId),
        amountWei: newAmount,
        jailedUntil: Number(jailedUntil),
        tombstoned,
      }
    }
    default:
      return undefined
  }
}

/** 33 bytes: the parity of y, then x. */
function compress(x: Hex, y: Hex): Uint8Array {
  const key = new Uint8Array(33)
  key[0] = 2 + ((fromHex(y)[31] as number) & 1)
  key.set(fromHex(x), 1)
  return key
}

function lower(address: string): Address {
  return address.toLowerCase() as Address
}
