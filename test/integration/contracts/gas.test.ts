import { hexToBytes, keccak256, toHex } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { measureChallenges } from './challenge-gas.ts'
import { BUCKET_SECONDS, type Contracts, key, openContracts, START_SECONDS } from './fixture.ts'
import { expectSnapshot } from './snapshot.ts'

let world: Contracts
const gas: Record<string, number> = {}

beforeAll(async () => {
  world = await openContracts()
})
afterAll(async () => {
  await world.connection.close()
})

/** The gas of the usual calls, in a registry that others use already. Every aim is checked, every number kept. */
test('gas stays as recorded and within its aims', async () => {
  const { contracts, register, operator, gasOf, headerRlp, networkHelpers } = world
  const { registry, court } = contracts

  // Others were here before: the sums are not zero.
  for (const index of [0, 1, 2, 3, 4, 5]) await register(index)
  gas['register with permit and both signatures, first permit of the operator'] = await register(6)
  gas['register with an allowance'] = await withAllowance(7)

  // Hashes stand in a header, and a zero byte of them costs 12 less: as if there were none, so that any build says the same.
  const header = await headerRlp((await registry.read.stakeOf([1n])).drawBlock)
  const zeros = hexToBytes(header).filter((byte) => byte === 0).length
  gas['activate, were no byte of the header zero'] =
    (await gasOf(await registry.write.activate([1n, header]))) + 12 * zeros
  gas['top up'] = await gasOf(await topUp(6))
  gas.commit = await gasOf(await court.write.commit([keccak256(toHex('a commitment'))]))

  // A time bucket's sum of offenders is zero until its first one, who pays for filling it.
  gas['F1 slash, first offender of its time bucket'] = await slash(1, 1, { nextBucket: true })
  gas['F1 slash, not the first offender of its bucket'] = await slash(1, 2)
  gas['F2 slash, not the first offender of its bucket'] = await slash(2, 3)
  gas['F2 slash, again in the same penalty period'] = await slash(2, 3, { index: 65_537n })
  gas['F2 slash, first offender of its time bucket'] = await slash(2, 4, { nextBucket: true })
  gas['F1 slash of a stake in jail'] = await slash(1, 4)

  // The reward, and what comes later.
  const evidence = await world.equivocationEvidence(key('node 5'), await registry.read.currentEpoch())
  const [stakeId, slot] = await contracts.equivocation.read.accused([evidence])
  const faultId = await court.read.faultIdOf([1, stakeId, slot])
  const reporter = operator(8).account.address
  const salt = keccak256(toHex('salt'))
  await court.write.commit([world.commitmentOf(reporter, reporter, faultId, evidence, salt)])
  await court.write.submit([1, evidence])
  gas.claim = await gasOf(await court.write.claim([1, evidence, reporter, reporter, salt]))
  await networkHelpers.time.increase(30)
  gas.release = await gasOf(await court.write.release([faultId]))
  gas['withdraw credits'] = await gasOf(
    await registry.write.withdrawCredits([reporter], { account: operator(8).account }),
  )
  await networkHelpers.time.increaseTo(await registry.read.settleableAt([faultId]))
  gas.settle = await gasOf(await registry.write.settle([faultId]))
  gas.burn = await gasOf(await registry.write.burn())
  gas.rotate = await gasOf(await rotate(7))
  gas.unbond = await gasOf(await registry.write.unbond([8n], { account: operator(7).account }))
  await networkHelpers.time.increase(1500)
  gas.withdraw = await gasOf(
    await registry.write.withdraw([8n, operator(7).account.address], { account: operator(7).account }),
  )

  await measureChallenges(world, gas)

  expect(gas['register with permit and both signatures, first permit of the operator']).toBeLessThanOrEqual(260_000)
  expect(gas['F1 slash, first offender of its time bucket']).toBeLessThanOrEqual(140_000)
  expect(gas['F2 slash, first offender of its time bucket']).toBeLessThanOrEqual(110_000)
  expect(gas.commit).toBeLessThanOrEqual(50_000)
  expect(gas['answer a challenge with the last chunk of 64 KiB']).toBeLessThanOrEqual(90_000)
  expect(gas['collect what an answer is paid']).toBeLessThanOrEqual(60_000)
  expect(gas['answer a challenge with a later PUT']).toBeLessThanOrEqual(90_000)
  expectSnapshot('gas', gas)
}, 60_000)

async function withAllowance(index: number): Promise<number> {
  const { contracts, operator, registration, gasOf } = world
  const account = operator(index).account
  const args = await registration(index, { permit: false })
  await contracts.token.write.transfer([account.address, args[0]])
  await contracts.token.write.approve([contracts.registry.address, args[0]], { account })
  return gasOf(await contracts.registry.write.register(args, { account }))
}

async function topUp(index: number) {
  const { contracts, operator } = world
  const account = operator(index).account
  await contracts.token.write.approve([contracts.registry.address, 1000n], { account })
  return contracts.registry.write.topUp([BigInt(index + 1), 1000n], { account })
}

async function rotate(index: number) {
  const { contracts, operator, possession } = world
  const deadline = BigInt(START_SECONDS + 1_000_000)
  const account = operator(index).account
  const proof = await possession(account.address, key(`node ${index} rotated`), deadline)
  return contracts.registry.write.rotate([BigInt(index + 1), deadline, proof], { account })
}

/** Slashes operator `index` with fresh evidence of `faultType` and returns the gas of that one transaction. */
async function slash(
  faultType: 1 | 2,
  index: number,
  options: { nextBucket?: boolean; index?: bigint } = {},
): Promise<number> {
  const { contracts, networkHelpers } = world
  if (options.nextBucket === true) await networkHelpers.time.increase(BUCKET_SECONDS)
  const signer = key(`node ${index}`)
  const epoch = await contracts.registry.read.currentEpoch()
  const evidence =
    faultType === 1
      ? await world.equivocationEvidence(signer, epoch)
      : await world.overrunEvidence(signer, epoch, options.index)
  return world.gasOf(await contracts.court.write.submit([faultType, evidence]))
}
