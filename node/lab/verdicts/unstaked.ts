import { actorsOf, eventsOf, type Transcript } from '../transcript.ts'
import { noSlash } from './slashing.ts'
import { honestKeysSpokeTrue } from './statements.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** A message of a staked node reaches every other honest node: else silence would show nothing. */
function stakedAreHeard(transcript: Transcript): Finding {
  const honest = actorsOf(transcript, 'honest')
  const heard = eventsOf(transcript, 'heard')
  const reached = eventsOf(transcript, 'said').filter(
    ({ actor, text }) =>
      honest.some(({ name }) => name === actor) &&
      honest.every(({ name }) => name === actor || heard.some((line) => line.actor === name && line.text === text)),
  )
  return finding(
    'a staked node is heard by all others',
    reached.length > 0,
    `${reached.length} messages reached every other node`,
  )
}

/** Every outsider handed valid statements to at least one peer, and no node passed one on to a subscriber. */
function outsidersGetNowhere(transcript: Transcript): Finding {
  const outsiders = actorsOf(transcript, 'outsider')
  const heard = new Set(eventsOf(transcript, 'heard').map(({ text }) => text))
  const said = eventsOf(transcript, 'said').filter(({ phase }) => phase === 'outside')
  const silent = outsiders.filter(({ name }) => !said.some(({ actor, sent }) => actor === name && sent > 0))
  const leaked = said.filter(({ text }) => heard.has(text))
  return finding(
    'unstaked, unbonding and not yet active keys get nowhere',
    outsiders.length >= 3 && silent.length === 0 && leaked.length === 0,
    `${outsiders.length} keys, ${silent.length} never spoke, ${leaked.length} of ${said.length} messages were heard`,
  )
}

/** Honest nodes saw those messages and ignored them: they were not merely lost. */
function ignoredByName(transcript: Transcript): Finding {
  const honest = actorsOf(transcript, 'honest')
  const ignored = eventsOf(transcript, 'status')
    .filter(({ actor }) => honest.some(({ name }) => name === actor))
    .flatMap(({ status }) => Object.values(status.messages.ignores))
    .reduce((sum, count) => sum + count, 0)
  return finding('honest nodes counted what they ignored', ignored > 0, `${ignored} messages ignored`)
}

/** The same key that got nowhere before its activation is heard after it. */
function activatedIsHeard(transcript: Transcript): Finding {
  const heard = new Set(eventsOf(transcript, 'heard').map(({ text }) => text))
  const said = eventsOf(transcript, 'said').filter(({ phase }) => phase === 'activated')
  const reached = said.filter(({ text }) => heard.has(text))
  return finding(
    'a key is heard once its stake is active',
    reached.length > 0,
    `${reached.length} of ${said.length} messages were heard`,
  )
}

/** Only stake speaks. */
export function judgeUnstakedStory(transcript: Transcript): Verdict {
  return verdictOf([
    stakedAreHeard(transcript),
    outsidersGetNowhere(transcript),
    ignoredByName(transcript),
    activatedIsHeard(transcript),
    noSlash(transcript),
    honestKeysSpokeTrue(transcript),
  ])
}
