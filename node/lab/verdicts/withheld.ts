import { actorsOf, eventsOf, logsOf, type Transcript } from '../transcript.ts'
import { allReadBack, nothingInvented } from './records.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** The replica that dropped its bytes is challenged, stays silent, and is slashed once: it alone. */
function onlyTheReplica(transcript: Transcript): Finding {
  const cheat = actorsOf(transcript, 'liar')[0]
  const [opened, answered, proven, slashed] = ['Opened', 'Answered', 'FaultProven', 'Slashed'].map((name) =>
    logsOf(transcript, name),
  )
  const right =
    cheat !== undefined &&
    opened?.length === 1 &&
    opened[0]?.args.stakeId === String(cheat.stakeId) &&
    answered?.length === 0 &&
    proven?.length === 1 &&
    proven[0]?.args.faultType === '3' &&
    slashed?.length === 1 &&
    slashed[0]?.args.stakeId === String(cheat.stakeId) &&
    slashed[0]?.args.faultId === proven[0]?.args.faultId &&
    (opened[0]?.blockNumber ?? 0) < (slashed[0]?.blockNumber ?? 0)
  return finding(
    'the replica that withholds is challenged, is silent, and is slashed once, alone',
    right,
    `${opened?.length} opened, ${answered?.length} answered, ${slashed?.length} slashed`,
  )
}

function rightPenalty(transcript: Transcript): Finding {
  const network = eventsOf(transcript, 'network')[0]
  const cheat = actorsOf(transcript, 'liar')[0]
  const before = eventsOf(transcript, 'money').find(({ actor, when }) => actor === cheat?.name && when === 'before')
  const due = (BigInt(before?.bondWei ?? 0) * BigInt(network?.penaltyBps.unavailability ?? 0)) / 10_000n
  const slash = logsOf(transcript, 'Slashed')[0]
  const jailed = BigInt((slash?.args.jailedUntil as string | undefined) ?? 0) > 0n
  return finding(
    'it loses the penalty of an unavailability and is jailed, not tombstoned',
    due > 0n && slash?.args.charged === String(due) && slash.args.tombstoned === false && jailed,
    `charged ${slash?.args.charged ?? 'nothing'}, due ${due}`,
  )
}

/** The publisher, whose record it was, gets its share; nobody else does. */
function victimIsPaid(transcript: Transcript): Finding {
  const network = eventsOf(transcript, 'network')[0]
  const charged = BigInt((logsOf(transcript, 'Slashed')[0]?.args.charged as string | undefined) ?? 0)
  const due = (charged * BigInt(network?.rewardBps ?? 0)) / 10_000n
  const gains = actorsOf(transcript, 'honest').map(({ name }) => {
    const of = (when: 'before' | 'after') =>
      eventsOf(transcript, 'money').find((event) => event.actor === name && event.when === when)?.creditsWei ?? '0'
    return { name, gain: BigInt(of('after')) - BigInt(of('before')) }
  })
  const publisher = eventsOf(transcript, 'stored')[0]?.actor
  const winners = gains.filter(({ gain }) => gain !== 0n)
  return finding(
    'the publisher of the record is paid its share, and nobody else',
    due > 0n && winners.length === 1 && winners[0]?.name === publisher && winners[0]?.gain === due,
    `${winners.length} credited, due ${due}`,
  )
}

/** The receipt that was broken was given for an acknowledged record. */
function promiseWasGiven(transcript: Transcript): Finding {
  const cheat = actorsOf(transcript, 'liar')[0]
  const promised = eventsOf(transcript, 'stored').filter(({ stakes }) => stakes.includes(cheat?.stakeId ?? -1))
  return finding(
    'it had promised records by receipt',
    promised.length > 0,
    `${promised.length} receipts of stake ${cheat?.stakeId}`,
  )
}

/** A broken promise costs, and the record survives. */
export function judgeWithheldStory(transcript: Transcript): Verdict {
  return verdictOf([
    promiseWasGiven(transcript),
    onlyTheReplica(transcript),
    rightPenalty(transcript),
    victimIsPaid(transcript),
    allReadBack(transcript, 'withheld', { least: 5 }),
    nothingInvented(transcript),
  ])
}
