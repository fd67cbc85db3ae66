import { type Hex, keccak256, toHex as viemHex } from 'viem'
import { fromHex, type Signer, toHex } from '../../../node/core/index.ts'
import {
  chunkRoot,
  chunksOf,
  createSigner,
  DomainSeparator,
  encodePut,
  encodeReceipt,
  encodeShown,
  merkleTree,
  type PutBody,
  recordKeyOf,
} from '../../../node/statements/index.ts'
import { type Said, say } from '../../unit/statements/world.ts'
import { type Contracts, DEV_PARAMS } from './fixture.ts'

/** The signer behind `key(label)` of the fixture. */
export function signerFor(label: string): Signer {
  return createSigner(fromHex(keccak256(viemHex(label))))
}

export function separatorOf({ domain }: Pick<Contracts, 'domain'>): DomainSeparator {
  const { chainId, salt, verifyingContract } = domain
  return new DomainSeparator({
    chainId: BigInt(chainId),
    salt,
    verifyingContract: verifyingContract.toLowerCase() as Hex,
  })
}

/** Who writes, who holds, and at which indices of which epoch both speak. */
export interface Speaking {
  readonly writer: Signer
  readonly replica: Signer
  readonly writerStakeId: number
  readonly epoch: number
  readonly index: number
  readonly separator: DomainSeparator
}

/** A PUT of one body and the receipt for it, as frames. */
export interface Promised {
  readonly put: Said
  readonly receipt: Said
  readonly receiptSlot: Hex
}

/** Bytes that are not zero, no two chunks alike. */
export function valueBytes(sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, at) => 1 + (((at >> 10) * 7 + at) % 255))
}

export function ownerPut(value: Uint8Array, epoch: number, name = 'a name'): PutBody {
  return {
    keyType: 1,
    keyPreimage: fromHex(keccak256(viemHex(name))),
    valueRoot: chunkRoot(value),
    size: value.length,
    expiryEpoch: BigInt(epoch + DEV_PARAMS.receiptLifeSeconds / DEV_PARAMS.epochSeconds),
  }
}

/** The replica's word that it holds what the writer's PUT says. */
export function promise(
  body: PutBody,
  { epoch, index, replica, separator, writer, writerStakeId }: Speaking,
): Promised {
  const put = say(writer, { kind: 1, epoch, index, bodies: [encodePut(body)], separator })
  const receipt = say(replica, {
    ...({ kind: 3, epoch, index, separator } as const),
    bodies: [
      encodeReceipt({
        putDigest: put.digest,
        leaf: 0,
        recordKey: recordKeyOf(body, writerStakeId),
        valueRoot: body.valueRoot,
        size: body.size,
        untilEpoch: body.expiryEpoch,
        publisherStakeId: BigInt(writerStakeId),
      }),
    ],
  })
  const { position } = receipt.signed.statement
  const slot = `${replica.address}03${'00'.repeat(32)}${position.toString(16).padStart(16, '0')}` as Hex
  return { put, receipt, receiptSlot: keccak256(slot) }
}

/** The statement as the contract reads it. */
export function shown(frame: Uint8Array, separator: DomainSeparator): Hex {
  return toHex(encodeShown(frame, separator))
}

/** Chunk `index` of a value and its path, as `answer` takes them. */
export function chunkAndPath(value: Uint8Array, index: number): { readonly chunk: Hex; readonly path: Hex[] } {
  const chunks = chunksOf(value)
  return {
    chunk: toHex(chunks[index]!),
    path: merkleTree(chunks)
      .path(index)
      .map((node) => toHex(node)),
  }
}
