import { scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { encodeAbiParameters, keccak256, stringToHex } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { type Address, EXIT, fromHex, type Hex, toHex } from '../core/index.ts'
import { ChainError } from './errors.ts'

const BIOMETRIC_HASH_BYTES = 32
/** scrypt at 128 MiB and about half a second: dear to guess, bearable to do once. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 } as const
/** 16 bytes more than the order has, so that the remainder is as good as uniform (FIPS 186-5, A.2.1). */
const DERIVED_BYTES = 48
const PURPOSE = keccak256(stringToHex('Suprnova person key 1'))

const derive = promisify<Buffer, Buffer, number, typeof SCRYPT, Buffer>(scrypt)

/** The secp256k1 key that stands for a person towards one coordinator. Its address is what must be unique. */
export interface PersonKey {
  readonly privateKey: Hex
  readonly address: Address
}

/**
 * Derives the person key from a hash of a biometric template; the template itself never comes here.
 *
 * Limits, plainly: whoever knows the hash can derive the key, so the keys of one person at two coordinators are
 * unlinkable only to those who do not know it; and nothing here proves that the hash came from a person.
 *
 * @param biometricHash 32 bytes
 * @param coordinatorNode namehash of the coordinator's name
 * @throws {ChainError} `PERSON_BAD_HASH`
 */
export async function personKey(biometricHash: Uint8Array, chainId: bigint, coordinatorNode: Hex): Promise<PersonKey> {
  if (biometricHash.length !== BIOMETRIC_HASH_BYTES) {
    throw new ChainError(
      'PERSON_BAD_HASH',
      `the biometric hash has ${biometricHash.length} bytes, not ${BIOMETRIC_HASH_BYTES}`,
      {
        exitCode: EXIT.config,
        hint: 'give the 32-byte hash of the template, never the template',
        values: { bytes: biometricHash.length },
      },
    )
  }
  const salt = fromHex(
    keccak256(
      encodeAbiParameters(
        [{ type: 'bytes32' }, { type: 'uint256' }, { type: 'bytes32' }],
        [PURPOSE, chainId, coordinatorNode],
      ),
    ),
  )
  const derived = await derive(Buffer.from(biometricHash), Buffer.from(salt), DERIVED_BYTES, SCRYPT)
  const scalar = (BigInt(toHex(derived)) % (secp256k1.Point.CURVE().n - 1n)) + 1n
  const privateKey: Hex = `0x${scalar.toString(16).padStart(64, '0')}`
  return { privateKey, address: privateKeyToAddress(privateKey).toLowerCase() as Address }
}
