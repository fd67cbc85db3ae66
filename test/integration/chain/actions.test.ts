import { keccak256, parseEther, toHex, zeroAddress } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ActionModules,
  activateStake,
  claimReward,
  commitEvidence,
  faucet,
  personKey,
  readCredits,
  readNetwork,
  readParams,
  readStake,
  registerStake,
  releaseReward,
  renewDraw,
  rotateKey,
  settle,
  submitEvidence,
  tokenBalance,
  topUp,
  transferToken,
  unbond,
  unjail,
  withdraw,
  withdrawCredits,
} from '../../../node/chain/index.ts'
import type { Address } from '../../../node/core/index.ts'
import { DEV_PARAMS, MIN_STAKE } from '../contracts/fixture.ts'
import { addressOf, openWorld, privateKeyOf, type World } from './world.ts'

let world: World
let faucetAddress: Address
beforeAll(async () => {
  world = await openWorld()
  const { viem } = world.connection
  const deployed = await viem.deployContract('LocalFaucet', [world.deployment.token, parseEther('5000')])
  const ownerModules = { ...as(0), wallet: world.owner }
  await transferToken(ownerModules, { to: deployed.address, amountWei: parseEther('100000') })
  faucetAddress = deployed.address
})
afterAll(() => world.close())

const as = (index: number): ActionModules => ({
  client: world.client,
  deployment: world.deployment,
  wallet: world.wallet(index),
})
const addressAt = (index: number) => world.wallet(index).account.address
const keysOf = (index: number) => ({
  nodePrivateKey: privateKeyOf(2 * index),
  personPrivateKey: privateKeyOf(2 * index + 1),
})

async function fund(index: number): Promise<void> {
  await faucet(as(index), { faucet: faucetAddress, to: addressAt(index), amountWei: parseEther('3000') })
}

async function registered(index: number): Promise<number> {
  await fund(index)
  const result = await registerStake(as(index), { amountWei: MIN_STAKE, ...keysOf(index) })
  await world.networkHelpers.mine(DEV_PARAMS.drawDelayBlocks + 1)
  await activateStake(as(index), result.consequences)
  return result.consequences.stakeId
}

describe('the life of a stake', () => {
  test('register says what it would do, does it, and refuses what the registry refuses, in words', async () => {
    await expect(registerStake(as(0), { amountWei: MIN_STAKE, ...keysOf(0) })).rejects.toMatchObject({
      code: 'CONTRACT_ERC20_INSUFFICIENT_BALANCE',
      hint: expect.stringContaining('faucet'),
    })
    await fund(0)
    const before = await readNetwork(as(0))
    const dry = await registerStake(as(0), { amountWei: MIN_STAKE, ...keysOf(0) }, { simulate: true })
    expect(dry.sent).toBe(false)
    expect(dry.gas).toBeGreaterThan(100_000n)
    expect((await readNetwork(as(0))).stakeCount).toBe(before.stakeCount)
    const real = await registerStake(as(0), { amountWei: MIN_STAKE, ...keysOf(0) })
    expect(real.sent).toBe(true)
    expect(real.consequences).toEqual({ ...dry.consequences, fromEpoch: real.consequences.fromEpoch })

    const again = registerStake(as(0), { amountWei: MIN_STAKE, ...keysOf(3) })
    await expect(again).rejects.toMatchObject({
      code: 'CONTRACT_OPERATOR_HAS_STAKE',
      exitCode: 5,
      values: { stakeId: 1n },
    })
    await fund(1)
    const low = registerStake(as(1), { amountWei: MIN_STAKE - 1n, ...keysOf(1) })
    await expect(low).rejects.toMatchObject({ message: expect.stringContaining('below the minimum of 1000 EGI') })
    const taken = registerStake(as(1), { amountWei: MIN_STAKE, ...keysOf(1), nodePrivateKey: keysOf(0).nodePrivateKey })
    await expect(taken).rejects.toMatchObject({ code: 'CONTRACT_KEY_TAKEN' })
    const double = registerStake(as(1), {
      amountWei: MIN_STAKE,
      ...keysOf(1),
      personPrivateKey: keysOf(0).personPrivateKey,
    })
    await expect(double).rejects.toMatchObject({ code: 'CONTRACT_PERSON_HAS_STAKE' })
  })

  test('activate waits for the draw block, then shows its header', async () => {
    const stakeId = 1
    const { drawBlock } = (await readStake(as(0), { stakeId })) ?? { drawBlock: 0 }
    while (Number(await world.client.getBlockNumber()) <= drawBlock) {
      await expect(activateStake(as(0), { stakeId })).rejects.toMatchObject({
        code: 'STAKE_DRAW_NOT_YET',
        exitCode: 75,
      })
      await world.networkHelpers.mine(1)
    }
    const { consequences } = await activateStake(as(4), { stakeId })
    const { mixHash } = await world.client.getBlock({ blockNumber: BigInt(drawBlock) })
    expect(consequences.placement).toBe(keccak256(`0x${mixHash.slice(2)}${stakeId.toString(16).padStart(64, '0')}`))
    expect(await readStake(as(0), { operator: addressAt(0) })).toMatchObject({ stakeId, status: 'active' })
    await expect(activateStake(as(0), { stakeId })).rejects.toMatchObject({
      code: 'CONTRACT_WRONG_STATUS',
      message: expect.stringContaining('is active'),
    })
    await expect(activateStake(as(0), { stakeId: 99 })).rejects.toMatchObject({ code: 'STAKE_UNKNOWN' })
  })

  test('a draw that was missed is set anew for 1 %', async () => {
    await fund(5)
    const { consequences } = await registerStake(as(5), { amountWei: MIN_STAKE, ...keysOf(5) })
    await expect(renewDraw(as(5), consequences)).rejects.toMatchObject({ code: 'CONTRACT_DRAW_STILL_POSSIBLE' })
    await world.networkHelpers.mine(9_000)
    const dry = await renewDraw(as(5), consequences, { simulate: true })
    const renewed = await renewDraw(as(5), consequences)
    expect(renewed.consequences).toEqual(dry.consequences)
    expect(renewed.consequences.chargedWei).toBe(MIN_STAKE / 100n)
  })

  test('top up gives the allowance it needs', async () => {
    const dry = await topUp(as(0), { stakeId: 1, amountWei: 5n }, { simulate: true })
    expect(dry.consequences).toMatchObject({ newAmountWei: MIN_STAKE + 5n, approvalNeeded: true })
    const real = await topUp(as(0), { stakeId: 1, amountWei: 5n })
    expect(real.consequences).toEqual(dry.consequences)
    expect((await readStake(as(0), { stakeId: 1 }))?.amountWei).toBe(MIN_STAKE + 5n)
  })

  test('rotate, and not twice at once', async () => {
    const newPrivateKey = privateKeyOf(500)
    const { consequences } = await rotateKey(as(0), { stakeId: 1, newPrivateKey })
    const { currentEpoch } = await readNetwork(as(0))
    expect(consequences).toEqual({ stakeId: 1, newKey: addressOf(newPrivateKey), fromEpoch: Number(currentEpoch) + 2 })
    const again = rotateKey(as(0), { stakeId: 1, newPrivateKey: privateKeyOf(501) })
    await expect(again).rejects.toMatchObject({ code: 'CONTRACT_ROTATION_PENDING', exitCode: 75 })
    const stranger = rotateKey(as(4), { stakeId: 1, newPrivateKey: privateKeyOf(502) })
    await expect(stranger).rejects.toMatchObject({ code: 'CONTRACT_NOT_OPERATOR' })
  })

  test('money moves and is counted', async () => {
    const before = await tokenBalance(as(0), addressAt(6))
    await transferToken(as(0), { to: addressAt(6), amountWei: 7n })
    expect((await tokenBalance(as(0), addressAt(6))) - before).toBe(7n)
    await expect(unjail(as(0), { stakeId: 1 })).rejects.toMatchObject({ code: 'CONTRACT_NOT_JAILED' })
    await expect(withdrawCredits(as(0), { to: addressAt(0) })).rejects.toMatchObject({
      code: 'CONTRACT_NOTHING_TO_WITHDRAW',
    })
    expect(await readParams(as(0))).toEqual(DEV_PARAMS)
  })
})

test('a fault by hand: commit, submit, claim, release, credits; then the liar leaves, settled', async () => {
  const stakeId = await registered(2)
  const { nodePrivateKey } = keysOf(2)
  const epoch = (await readNetwork(as(2))).currentEpoch
  const evidence = await world.equivocationEvidence(privateKeyToAccount(nodePrivateKey), epoch)
  const [reporter, beneficiary] = [addressAt(3), addressAt(7)]
  const submission = { faultType: 1, evidence }

  const dry = await submitEvidence(as(3), submission, { simulate: true })
  const { faultId } = dry.consequences
  expect(dry.consequences).toMatchObject({ stakeId, chargedWei: MIN_STAKE / 20n, escrowedWei: MIN_STAKE / 200n })
  const salt = keccak256(toHex('salt'))
  await commitEvidence(as(3), { faultId, evidence, beneficiary, salt })
  const slashed = await submitEvidence(as(3), submission)
  expect(slashed.consequences).toEqual(dry.consequences)
  await expect(submitEvidence(as(3), submission)).rejects.toMatchObject({ code: 'CONTRACT_ALREADY_SLASHED' })
  await expect(submitEvidence(as(3), { faultType: 1, evidence: '0x01' })).rejects.toMatchObject({
    code: 'CONTRACT_EVIDENCE_LENGTH',
    values: { given: 1n, expected: 253n },
  })
  expect(await readStake(as(2), { stakeId })).toMatchObject({ tombstoned: true, unsettledFaults: 1 })

  const claim = { ...submission, faultId, reporter, beneficiary, salt }
  await claimReward(as(8), claim)
  await expect(claimReward(as(8), claim)).rejects.toMatchObject({ code: 'CONTRACT_NOT_EARLIER' })
  await expect(releaseReward(as(8), { faultId })).rejects.toMatchObject({
    code: 'CONTRACT_CLAIM_WINDOW_OPEN',
    exitCode: 75,
  })
  await world.networkHelpers.time.increase(DEV_PARAMS.rewardWindowSeconds)
  const released = await releaseReward(as(8), { faultId })
  expect(released.consequences.amountWei).toBe(MIN_STAKE / 200n)
  expect(await readCredits(as(7), beneficiary)).toBe(MIN_STAKE / 200n)
  const paid = await withdrawCredits(as(7), { to: beneficiary })
  expect(paid.consequences).toEqual({ to: beneficiary, amountWei: MIN_STAKE / 200n })

  const { consequences: leaving } = await unbond(as(2), { stakeId })
  const to = addressAt(2)
  await expect(withdraw(as(2), { stakeId, to })).rejects.toMatchObject({ code: 'CONTRACT_NOT_READY', exitCode: 75 })
  await expect(settle(as(2), { faultId })).rejects.toMatchObject({ code: 'CONTRACT_SETTLEMENT_TOO_EARLY' })
  await world.networkHelpers.time.increaseTo(leaving.readyAt + DEV_PARAMS.correlationSeconds)
  const dryExit = await withdraw(as(2), { stakeId, to }, { simulate: true })
  expect(dryExit.consequences.settledFaults).toEqual([faultId])
  const exit = await withdraw(as(2), { stakeId, to })
  expect(exit.consequences.settledFaults).toEqual([faultId])
  expect(exit.consequences.amountWei).toBeLessThanOrEqual(dryExit.consequences.amountWei)
  expect(await readStake(as(2), { stakeId })).toMatchObject({ status: 'withdrawn', amountWei: 0n, unsettledFaults: 0 })
})

test('a person key registers, and an empty gas account is named', async () => {
  const person = await personKey(new Uint8Array(32).fill(9), world.chainId, keccak256(toHex('node')))
  await fund(9)
  const { consequences } = await registerStake(as(9), {
    amountWei: MIN_STAKE,
    nodePrivateKey: privateKeyOf(900),
    personPrivateKey: person.privateKey,
  })
  expect(await readStake(as(9), consequences)).toMatchObject({ person: person.address })
  await world.networkHelpers.setBalance(addressAt(9), 0n)
  await expect(transferToken(as(9), { to: addressAt(0), amountWei: 1n })).rejects.toMatchObject({
    code: 'CHAIN_NO_GAS_MONEY',
  })
  await expect(transferToken(as(8), { to: zeroAddress, amountWei: 1n })).rejects.toMatchObject({
    code: 'CONTRACT_ERC20_INVALID_RECEIVER',
  })
})
