import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromPublicKey } from '@libp2p/peer-id'
import type { Address } from '../../core/index.ts'
import { addressOfPublicKey } from '../../statements/index.ts'

/** The libp2p key of a raw 32-byte secp256k1 private key: one key speaks, dials and is slashed. */
export function libp2pKey(privateKey: Uint8Array): PrivateKey {
  return privateKeyFromRaw(privateKey)
}

/** The PeerId of a raw 32-byte secp256k1 private key. */
export function peerIdOfPrivateKey(privateKey: Uint8Array): PeerId {
  return peerIdFromPrivateKey(libp2pKey(privateKey))
}

/** The PeerId of a compressed secp256k1 public key of 33 bytes. */
export function peerIdOfPublicKey(publicKey: Uint8Array): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey))
}

/** The Ethereum address of a PeerId; `undefined` when its key is not secp256k1, and so can hold no stake. */
export function addressOfPeerId(peerId: PeerId): Address | undefined {
  return peerId.type === 'secp256k1' ? addressOfPublicKey(peerId.publicKey.raw) : undefined
}
