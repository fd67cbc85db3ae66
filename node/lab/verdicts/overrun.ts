import { actorsOf, type Transcript } from '../transcript.ts'
import { oneReward, oneSlash, rightPenalty, rightStanding } from './slashing.ts'
import { honestKeysSpokeTrue, liarsAreSilenced, overrunsOf } from './statements.ts'
import { finding, type Verdict, verdictOf } from './verdict.ts'

/** A key signs an index at its limit: jailed, and charged the smaller penalty. */
export function judgeOverrunStory(transcript: Transcript): Verdict {
  const liar = actorsOf(transcript, 'liar')[0]
  const overruns = liar === undefined ? [] : overrunsOf(transcript, liar.key)
  return verdictOf([
    finding(
      'the liar signs an index at its limit',
      overruns.length > 0,
      `${overruns.length} statements past the limit`,
    ),
    oneSlash(transcript, 2),
    rightPenalty(transcript, 2),
    rightStanding(transcript, 2),
    oneReward(transcript),
    liarsAreSilenced(transcript, 'after'),
    honestKeysSpokeTrue(transcript),
  ])
}
