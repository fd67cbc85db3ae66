import { actorsOf, eventsOf, logsOf, type Transcript } from '../transcript.ts'
import { type Finding, finding } from './verdict.ts'

const FAULT_NAME = { 1: 'equivocation', 2: 'overrun' } as const

function money(transcript: Transcript, actor: string, field: 'bondWei' | 'creditsWei'): bigint | undefined {
  const of = (when: 'before' | 'after') =>
    eventsOf(transcript, 'money').find((event) => event.actor === actor && event.when === when)?.[field]
  const [before, after] = [of('before'), of('after')]
  return before === undefined || after === undefined ? undefined : BigInt(after) - BigInt(before)
}

/** Exactly one fault was proven and one stake slashed: the liar's, once. */
export function oneSlash(transcript: Transcript, faultType: 1 | 2): Finding {
  const liar = actorsOf(transcript, 'liar')[0]
  const proven = logsOf(transcript, 'FaultProven')
  const slashed = logsOf(transcript, 'Slashed')
  const right =
    liar !== undefined &&
    proven.length === 1 &&
    slashed.length === 1 &&
    proven[0]?.args.faultType === String(faultType) &&
    proven[0]?.args.stakeId === String(liar.stakeId) &&
    slashed[0]?.args.stakeId === String(liar.stakeId) &&
    slashed[0]?.args.faultId === proven[0]?.args.faultId
  return finding(
    `one ${FAULT_NAME[faultType]} ends in one slash, of the liar alone`,
    right,
    `${proven.length} faults proven, ${slashed.length} slashes`,
  )
}

/** The liar lost the base penalty, exactly, and nobody else lost anything. */
export function rightPenalty(transcript: Transcript, faultType: 1 | 2): Finding {
  const network = eventsOf(transcript, 'network')[0]
  const liar = actorsOf(transcript, 'liar')[0]
  const bond = eventsOf(transcript, 'money').find(({ actor, when }) => actor === liar?.name && when === 'before')
  const bps = network?.penaltyBps[FAULT_NAME[faultType]] ?? 0
  const due = (BigInt(bond?.bondWei ?? 0) * BigInt(bps)) / 10_000n
  const slash = logsOf(transcript, 'Slashed')[0]
  const lost = liar === undefined ? undefined : money(transcript, liar.name, 'bondWei')
  const others = actorsOf(transcript, 'honest').filter(({ name }) => money(transcript, name, 'bondWei') !== 0n)
  return finding(
    `the liar loses ${bps / 100} % of its bond and nobody else loses anything`,
    due > 0n && slash?.args.charged === String(due) && lost === -due && others.length === 0,
    `charged ${slash?.args.charged ?? 'nothing'}, due ${due}, ${others.length} other bonds changed`,
  )
}

/** Equivocation tombstones for ever; an overrun jails and does not. */
export function rightStanding(transcript: Transcript, faultType: 1 | 2): Finding {
  const slash = logsOf(transcript, 'Slashed')[0]
  const tombstoned = slash?.args.tombstoned === true
  const jailed = BigInt((slash?.args.jailedUntil as string | undefined) ?? 0) > 0n
  const right = faultType === 1 ? tombstoned && !jailed : jailed && !tombstoned
  return finding(
    faultType === 1 ? 'the liar is tombstoned' : 'the liar is jailed, not tombstoned',
    slash !== undefined && right,
    slash === undefined ? 'no slash' : `tombstoned ${tombstoned}, jailed ${jailed}`,
  )
}

/** The reward: one release, a share of what was slashed, to one honest reporter who committed before the slash. */
export function oneReward(transcript: Transcript): Finding {
  const network = eventsOf(transcript, 'network')[0]
  const proven = logsOf(transcript, 'FaultProven')[0]
  const released = logsOf(transcript, 'Released')
  const commits = logsOf(transcript, 'Committed').filter(
    ({ blockNumber }) => proven !== undefined && blockNumber < proven.blockNumber,
  )
  const honest = actorsOf(transcript, 'honest')
  const gains = honest.map(({ name }) => money(transcript, name, 'creditsWei') ?? 0n).filter((gain) => gain !== 0n)
  const due = (BigInt((proven?.args.charged as string | undefined) ?? 0) * BigInt(network?.rewardBps ?? 0)) / 10_000n
  const winner = honest.find(({ accounts }) => accounts.includes(released[0]?.args.beneficiary as never))
  const right =
    due > 0n &&
    released.length === 1 &&
    released[0]?.args.amount === String(due) &&
    winner !== undefined &&
    commits.length > 0 &&
    gains.length === 1 &&
    gains[0] === due
  return finding(
    'one reward, to one honest reporter that committed in a block before the slash',
    right,
    `${released.length} released, ${gains.length} credited, due ${due}, ${commits.length} commits before the slash`,
  )
}

/** Every honest node came to know of the fault, and none is accused itself. */
export function everyHonestNodeKnows(transcript: Transcript): Finding {
  const proven = logsOf(transcript, 'FaultProven')[0]
  const knowing = actorsOf(transcript, 'honest').filter(({ name }) =>
    eventsOf(transcript, 'status').some(
      ({ actor, status }) => actor === name && status.faults.some(({ faultId }) => faultId === proven?.args.faultId),
    ),
  )
  const all = actorsOf(transcript, 'honest').length
  return finding(
    'every honest node knows the fault',
    all > 0 && knowing.length === all,
    `${knowing.length} of ${all} nodes know it`,
  )
}

/** Nobody was slashed, and no fault was proven. */
export function noSlash(transcript: Transcript): Finding {
  const count = logsOf(transcript, 'FaultProven').length + logsOf(transcript, 'Slashed').length
  const looked = eventsOf(transcript, 'network').length === 1
  return finding(
    'nobody is slashed',
    looked && count === 0,
    looked ? `${count} faults and slashes` : 'no chain was seen',
  )
}
