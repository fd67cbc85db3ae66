import { keccak256, toRlp } from 'viem'
import type { Hex } from '../../core/index.ts'
import type { ChainClient } from '../client.ts'
import { ChainError } from '../errors.ts'

/** Header fields in the order of their RLP. From `baseFeePerGas` on each fork added some; a header ends where its chain's fork does. */
const FIELDS = [
  { name: 'parentHash' },
  { name: 'sha3Uncles' },
  { name: 'miner' },
  { name: 'stateRoot' },
  { name: 'transactionsRoot' },
  { name: 'receiptsRoot' },
  { name: 'logsBloom' },
  { name: 'difficulty', number: true },
  { name: 'number', number: true },
  { name: 'gasLimit', number: true },
  { name: 'gasUsed', number: true },
  { name: 'timestamp', number: true },
  { name: 'extraData' },
  { name: 'mixHash' },
  { name: 'nonce' },
  { name: 'baseFeePerGas', number: true },
  { name: 'withdrawalsRoot' },
  { name: 'blobGasUsed', number: true },
  { name: 'excessBlobGas', number: true },
  { name: 'parentBeaconBlockRoot' },
  { name: 'requestsHash' },
] as const

/**
 * The RLP of a block's header, checked against the block's hash.
 * @throws {ChainError} `CHAIN_HEADER_UNKNOWN` when this chain's headers have fields this list does not
 */
export async function headerRlp(client: ChainClient, blockNumber: number): Promise<Hex> {
  const block = (await client.request({
    method: 'eth_getBlockByNumber',
    params: [`0x${blockNumber.toString(16)}`, false],
  })) as unknown as Record<string, Hex | undefined> | null
  if (block === null) {
    throw new ChainError('CHAIN_BLOCK_UNKNOWN', `the RPC has no block ${blockNumber}`, { values: { blockNumber } })
  }
  const values: Hex[] = []
  for (const field of FIELDS) {
    const value = block[field.name]
    if (value === undefined || value === null) continue
    values.push('number' in field ? minimal(value) : value)
  }
  const rlp = toRlp(values)
  if (keccak256(rlp) !== block.hash) {
    throw new ChainError('CHAIN_HEADER_UNKNOWN', `the header of block ${blockNumber} does not hash to ${block.hash}`, {
      hint: 'this chain has header fields this version does not know; update it',
      values: { blockNumber, hash: block.hash, computed: keccak256(rlp) },
    })
  }
  return rlp
}

/** A quantity as RLP wants it: no leading zeros, zero as nothing. */
function minimal(quantity: Hex): Hex {
  const digits = quantity.slice(2).replace(/^0+/, '')
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`
}
