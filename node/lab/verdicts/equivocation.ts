import { actorsOf, type Transcript } from '../transcript.ts'
import { everyHonestNodeKnows, oneReward, oneSlash, rightPenalty, rightStanding } from './slashing.ts'
import { conflictsOf, honestKeysSpokeTrue, liarsAreSilenced } from './statements.ts'
import { finding, type Verdict, verdictOf } from './verdict.ts'

/** One key says two things in one slot: the whole network sees it, and it ends in one slash and one reward. */
export function judgeEquivocationStory(transcript: Transcript): Verdict {
  const liar = actorsOf(transcript, 'liar')[0]
  const conflicts = liar === undefined ? [] : conflictsOf(transcript, liar.key)
  return verdictOf([
    finding(
      'the liar says two things in one slot',
      conflicts.length > 0,
      `${conflicts.length} slots with two contents`,
    ),
    oneSlash(transcript, 1),
    rightPenalty(transcript, 1),
    rightStanding(transcript, 1),
    everyHonestNodeKnows(transcript),
    oneReward(transcript),
    liarsAreSilenced(transcript, 'after'),
    honestKeysSpokeTrue(transcript),
  ])
}
