import { privateKeyToAccount } from 'viem/accounts'
import type { Address, Hex } from '../core/index.ts'
import type { Deployment } from './client.ts'

const CONSENT = [
  { name: 'operator', type: 'address' },
  { name: 'nodeKey', type: 'address' },
  { name: 'registry', type: 'address' },
  { name: 'deadline', type: 'uint256' },
] as const

/** What `register` and `rotate` take for a node key. */
export interface NodeKeyProof {
  readonly publicKeyX: Hex
  readonly publicKeyY: Hex
  /** 65 bytes: r, s, v. */
  readonly signature: Hex
}

/** What `register` takes for a person. */
export interface PersonProof {
  readonly person: Address
  readonly signature: Hex
  /** For the deployment's person verifier. */
  readonly proof: Hex
}

/** The node key's word that it will speak for `operator`. The only thing a node key signs beside statements. */
export async function provePossession(
  deployment: Deployment,
  nodePrivateKey: Hex,
  operator: Address,
  deadline: bigint,
): Promise<NodeKeyProof> {
  const key = privateKeyToAccount(nodePrivateKey)
  const signature = await key.signTypedData({
    domain: domainOf(deployment),
    types: { KeyPossession: CONSENT },
    primaryType: 'KeyPossession',
    message: { operator, nodeKey: key.address, registry: deployment.registry, deadline },
  })
  return { publicKeyX: `0x${key.publicKey.slice(4, 68)}`, publicKeyY: `0x${key.publicKey.slice(68)}`, signature }
}

/** The person key's word that it stands behind `operator` and `nodeKey`. */
export async function proveConsent(
  deployment: Deployment,
  personPrivateKey: Hex,
  operator: Address,
  nodeKey: Address,
  deadline: bigint,
  proof: Hex = '0x',
): Promise<PersonProof> {
  const person = privateKeyToAccount(personPrivateKey)
  const signature = await person.signTypedData({
    domain: domainOf(deployment),
    types: { PersonConsent: CONSENT },
    primaryType: 'PersonConsent',
    message: { operator, nodeKey, registry: deployment.registry, deadline },
  })
  return { person: person.address, signature, proof }
}

function domainOf(deployment: Deployment) {
  return {
    name: 'Suprnova',
    version: '1',
    chainId: deployment.chainId,
    verifyingContract: deployment.registry,
    salt: deployment.salt,
  } as const
}
