import { network } from 'hardhat'
import type { NetworkConnection } from 'hardhat/types/network'
import {
  type Abi,
  concat,
  encodeAbiParameters,
  encodePacked,
  getContract,
  getContractAddress,
  type Hex,
  hexToSignature,
  keccak256,
  namehash,
  pad,
  parseEther,
  toHex,
  toRlp,
  zeroHash,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import {
  availabilityChallengeAbi,
  egiTokenAbi,
  faultCourtAbi,
  faultVerifierAbi,
  registryLensAbi,
  stakeRegistryAbi,
} from '../../../node/chain/abi.generated.ts'

/** The parameters of a local deployment, times in seconds. */
export const DEV_PARAMS = {
  epochSeconds: 10,
  putLimit: 65_536,
  gossipLimit: 65_536,
  receiptLimit: 65_536,
  receiptLifeSeconds: 600,
  responseSeconds: 30,
  responseBlocks: 10,
  evidenceWindowSeconds: 600,
  skewSeconds: 10,
  unbondingSeconds: 1500,
  rewardWindowSeconds: 30,
  jailSeconds: 60,
  correlationSeconds: 1200,
  drawDelayBlocks: 2,
}

export const MIN_STAKE = parseEther('1000')
/** All of `DEV_PARAMS.correlationSeconds / 4`: settlement counts offenders by buckets this long. */
export const BUCKET_SECONDS = 300
/** Chain time at the start, at the beginning of a bucket: the same in every run, so that gas is the same too. */
export const START_SECONDS = 1_800_000_000

const CONSENT = [
  { name: 'operator', type: 'address' },
  { name: 'nodeKey', type: 'address' },
  { name: 'registry', type: 'address' },
  { name: 'deadline', type: 'uint256' },
] as const

const STATEMENT = [
  { name: 'kind', type: 'uint8' },
  { name: 'scope', type: 'bytes32' },
  { name: 'position', type: 'uint64' },
  { name: 'content', type: 'bytes32' },
] as const

/** A key pair that is the same in every run. */
export function key(label: string) {
  return privateKeyToAccount(keccak256(toHex(label)))
}
export type Key = ReturnType<typeof key>

function publicKeyPoint(account: Key): { publicKeyX: Hex; publicKeyY: Hex } {
  return { publicKeyX: `0x${account.publicKey.slice(4, 68)}`, publicKeyY: `0x${account.publicKey.slice(68)}` }
}

/** All contracts on a fresh Hardhat chain inside this process, with repeatable time and randomness. */
export async function openContracts() {
  const connection = await network.create({
    override: { initialDate: new Date(START_SECONDS * 1000).toISOString() },
  })
  const { viem, networkHelpers } = connection
  mineOneSecondApart(connection.provider)
  const publicClient = await viem.getPublicClient()
  const wallets = await viem.getWalletClients()
  const [deployer, ...operators] = wallets
  if (deployer === undefined) throw new Error('the chain has no accounts')

  const client = { public: publicClient, wallet: deployer }
  async function deploy<const abi extends Abi>(name: string, abi: abi, args: unknown[]) {
    const { address } = await viem.deployContract(name, args)
    return getContract({ address, abi, client })
  }
  const token = await deploy('EgiToken', egiTokenAbi, [deployer.account.address, parseEther('1000000000')])
  const personVerifier = await viem.deployContract('PermissivePersonVerifier')
  const nonce = BigInt(await publicClient.getTransactionCount({ address: deployer.account.address }))
  const courtAddress = getContractAddress({ from: deployer.account.address, nonce: nonce + 4n })
  const registry = await deploy('StakeRegistry', stakeRegistryAbi, [
    DEV_PARAMS,
    token.address,
    courtAddress,
    personVerifier.address,
    MIN_STAKE,
    deployer.account.address,
    namehash('current-reality.eth'),
  ])
  const equivocation = await deploy('EquivocationVerifier', faultVerifierAbi, [registry.address])
  const overrun = await deploy('OverrunVerifier', faultVerifierAbi, [registry.address])
  const challenges = await deploy('AvailabilityChallenge', availabilityChallengeAbi, [registry.address])
  const court = await deploy('FaultCourt', faultCourtAbi, [
    registry.address,
    [
      { faultType: 1, verifier: equivocation.address, penaltyBps: 500, tombstones: true },
      { faultType: 2, verifier: overrun.address, penaltyBps: 100, tombstones: false },
      { faultType: 3, verifier: challenges.address, penaltyBps: 1000, tombstones: false },
    ],
    1000,
  ])
  if (court.address.toLowerCase() !== courtAddress.toLowerCase())
    throw new Error('the court is not where it was foretold')
  const lens = await deploy('RegistryLens', registryLensAbi, [registry.address])
  const domain = {
    name: 'Suprnova',
    version: '1',
    chainId: await publicClient.getChainId(),
    verifyingContract: registry.address,
    salt: await registry.read.salt(),
  } as const

  const operator = (index: number) => {
    const wallet = operators[index]
    if (wallet === undefined) throw new RangeError(`only ${operators.length} operators, asked for number ${index}`)
    return wallet
  }

  async function now(): Promise<bigint> {
    return (await publicClient.getBlock()).timestamp
  }

  /** `nodeKey`'s word that it belongs to `operatorAddress`, for `register` and `rotate`. */
  async function possession(operatorAddress: Hex, nodeKey: Key, deadline: bigint) {
    const message = { operator: operatorAddress, nodeKey: nodeKey.address, registry: registry.address, deadline }
    const signature = await nodeKey.signTypedData({
      domain,
      types: { KeyPossession: CONSENT },
      primaryType: 'KeyPossession',
      message,
    })
    return { ...publicKeyPoint(nodeKey), signature }
  }

  /** The arguments of `register` for operator `index` with the keys "node `index`" and "person `index`". */
  async function registration(index: number, { amount = MIN_STAKE, permit = true } = {}) {
    const wallet = operator(index)
    const deadline = BigInt(START_SECONDS + 1_000_000)
    const nodeKey = key(`node ${index}`)
    const person = key(`person ${index}`)
    const message = { operator: wallet.account.address, nodeKey: nodeKey.address, registry: registry.address, deadline }
    const consent = await person.signTypedData({
      domain,
      types: { PersonConsent: CONSENT },
      primaryType: 'PersonConsent',
      message,
    })
    let allowed = { deadline: 0n, v: 0, r: zeroHash as Hex, s: zeroHash as Hex }
    if (permit) {
      const signed = await wallet.signTypedData({
        domain: { name: 'EGI', version: '1', chainId: domain.chainId, verifyingContract: token.address },
        types: {
          Permit: [
            { name: 'owner', type: 'address' },
            { name: 'spender', type: 'address' },
            { name: 'value', type: 'uint256' },
            { name: 'nonce', type: 'uint256' },
            { name: 'deadline', type: 'uint256' },
          ],
        },
        primaryType: 'Permit',
        message: {
          owner: wallet.account.address,
          spender: registry.address,
          value: amount,
          nonce: await token.read.nonces([wallet.account.address]),
          deadline,
        },
      })
      const { r, s, v } = hexToSignature(signed)
      allowed = { deadline, v: Number(v), r, s }
    }
    return [
      amount,
      deadline,
      await possession(wallet.account.address, nodeKey, deadline),
      { person: person.address, signature: consent, proof: '0x' as Hex },
      allowed,
    ] as const
  }

  /** Gives operator `index` tokens and registers it. Its stake id is one more than the number of stakes before. */
  async function register(index: number, options: { amount?: bigint; permit?: boolean } = {}) {
    const amount = options.amount ?? MIN_STAKE
    const wallet = operator(index)
    await token.write.transfer([wallet.account.address, amount * 2n])
    const hash = await registry.write.register(await registration(index, options), { account: wallet.account })
    return await gasOf(hash)
  }

  async function gasOf(hash: Hex): Promise<number> {
    return Number((await publicClient.getTransactionReceipt({ hash })).gasUsed)
  }

  /** r and vs (EIP-2098) of `signer` over a statement. */
  async function signStatement(
    signer: Key,
    statement: { kind: number; scope: Hex; position: bigint; content: Hex },
  ): Promise<Hex> {
    const signature = await signer.signTypedData({
      domain,
      types: { Statement: STATEMENT },
      primaryType: 'Statement',
      message: statement,
    })
    const { r, s, yParity } = hexToSignature(signature)
    return concat([r, toHex(BigInt(s) | (BigInt(yParity) << 255n), { size: 32 })])
  }

  function slotBytes(signer: Key, kind: number, scope: Hex, position: bigint): Hex {
    return encodePacked(['address', 'uint8', 'bytes32', 'uint64'], [signer.address, kind, scope, position])
  }

  /** F1: two GOSSIP contents in one slot of `epoch`. */
  async function equivocationEvidence(signer: Key, epoch: bigint, index = 0n): Promise<Hex> {
    const slot = { kind: 2, scope: zeroHash, position: (epoch << 32n) | index } as const
    const sides: Hex[] = []
    for (const content of [keccak256('0x61'), keccak256('0x62')]) {
      sides.push(content, await signStatement(signer, { ...slot, content }))
    }
    return concat([slotBytes(signer, slot.kind, slot.scope, slot.position), ...sides])
  }

  /** F2: one GOSSIP statement past the limit of `epoch`. */
  async function overrunEvidence(signer: Key, epoch: bigint, index = 65_536n): Promise<Hex> {
    const statement = {
      kind: 2,
      scope: zeroHash,
      position: (epoch << 32n) | index,
      content: keccak256('0x61'),
    } as const
    return concat([
      slotBytes(signer, statement.kind, statement.scope, statement.position),
      statement.content,
      await signStatement(signer, statement),
    ])
  }

  function commitmentOf(reporter: Hex, beneficiary: Hex, faultId: Hex, evidence: Hex, salt: Hex): Hex {
    return keccak256(
      encodeAbiParameters(
        [{ type: 'address' }, { type: 'address' }, { type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }],
        [reporter, beneficiary, faultId, keccak256(evidence), salt],
      ),
    )
  }

  /** The RLP of a mined header, as `activate` wants it. */
  async function headerRlp(blockNumber: bigint): Promise<Hex> {
    return headerOf(
      (await connection.provider.request({
        method: 'eth_getBlockByNumber',
        params: [toHex(blockNumber), false],
      })) as Record<string, Hex>,
    )
  }

  return {
    connection,
    networkHelpers,
    publicClient,
    contracts: { token, personVerifier, registry, equivocation, overrun, challenges, court, lens },
    domain,
    operator,
    now,
    possession,
    registration,
    register,
    gasOf,
    equivocationEvidence,
    overrunEvidence,
    commitmentOf,
    headerRlp,
  }
}
export type Contracts = Awaited<ReturnType<typeof openContracts>>

/**
 * Without this a block's time follows the machine's clock: a slow run would sign other epochs and another salt,
 * and bytes of calldata that are zero cost less than others.
 */
function mineOneSecondApart(provider: NetworkConnection['provider']): void {
  const request = provider.request.bind(provider)
  provider.request = async (call) => {
    if (call.method === 'eth_sendTransaction') {
      const latest = (await request({ method: 'eth_getBlockByNumber', params: ['latest', false] })) as {
        timestamp: Hex
      }
      await request({ method: 'evm_setNextBlockTimestamp', params: [toHex(BigInt(latest.timestamp) + 1n)] })
    }
    return request(call)
  }
}

const HEADER_FIELDS = [
  ['parentHash', 32],
  ['sha3Uncles', 32],
  ['miner', 20],
  ['stateRoot', 32],
  ['transactionsRoot', 32],
  ['receiptsRoot', 32],
  ['logsBloom', 256],
  ['difficulty', 'integer'],
  ['number', 'integer'],
  ['gasLimit', 'integer'],
  ['gasUsed', 'integer'],
  ['timestamp', 'integer'],
  ['extraData', 'bytes'],
  ['mixHash', 32],
  ['nonce', 8],
  ['baseFeePerGas', 'integer'],
  ['withdrawalsRoot', 32],
  ['blobGasUsed', 'integer'],
  ['excessBlobGas', 'integer'],
  ['parentBeaconBlockRoot', 32],
  ['requestsHash', 32],
] as const

function headerOf(block: Record<string, Hex>): Hex {
  const fields: Hex[] = []
  for (const [name, shape] of HEADER_FIELDS) {
    const value = block[name]
    if (value === undefined) continue
    if (shape === 'integer') fields.push(BigInt(value) === 0n ? '0x' : toHex(BigInt(value)))
    else if (shape === 'bytes') fields.push(value)
    else fields.push(pad(value, { size: shape }))
  }
  return toRlp(fields)
}
