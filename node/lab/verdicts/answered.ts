import { actorsOf, eventsOf, logsOf, type Transcript } from '../transcript.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** The ways a replica is challenged; each names a phase. */
export const CHALLENGED = ['honest', 'superseded', 'overloaded'] as const

/** Every challenge that was opened is answered, and each way was tried. */
function allAnswered(transcript: Transcript): Finding {
  const opened = logsOf(transcript, 'Opened')
  const answered = new Set(logsOf(transcript, 'Answered').map(({ args }) => args.challengeId))
  const silent = opened.filter(({ args }) => !answered.has(args.challengeId))
  return finding(
    'every challenge is answered',
    opened.length >= CHALLENGED.length && silent.length === 0,
    `${opened.length} opened, ${silent.length} unanswered`,
  )
}

function eachWay(transcript: Transcript): Finding {
  const opened = logsOf(transcript, 'Opened')
  const of = (phase: string) => {
    const id = eventsOf(transcript, 'challenged').find((event) => event.phase === phase)?.challengeId
    return opened.some(({ args }) => args.challengeId === id)
  }
  const missing = CHALLENGED.filter((phase) => !of(phase))
  return finding(
    'an honest, a superseded and an overloaded replica were challenged',
    missing.length === 0,
    missing.length === 0 ? CHALLENGED.join(', ') : `missing: ${missing.join(', ')}`,
  )
}

/** Whoever answers is paid from the bond. */
function answerersArePaid(transcript: Transcript): Finding {
  const answered = logsOf(transcript, 'Answered')
  const accounts = actorsOf(transcript, 'honest').flatMap((actor) => actor.accounts)
  const unpaid = answered.filter(
    ({ args }) => BigInt(String(args.paidWei ?? 0)) === 0n || !accounts.includes(args.answerer as never),
  )
  return finding(
    'each answer is by an honest node, and is paid from the bond',
    answered.length > 0 && unpaid.length === 0,
    `${answered.length} answers, ${unpaid.length} unpaid or by strangers`,
  )
}

/** The overloaded replica could not answer while it was stopped: its challenge was open all that time. */
function overloadWasReal(transcript: Transcript): Finding {
  const stopped = eventsOf(transcript, 'measured').find(({ name }) => name === 'stopped for ms')?.value ?? 0
  return finding('the overloaded replica was out of the running', stopped > 0, `${Math.round(stopped / 1000)} s`)
}

/** Who keeps its promises is never slashed. */
export function judgeAnsweredStory(transcript: Transcript): Verdict {
  return verdictOf([
    eachWay(transcript),
    allAnswered(transcript),
    answerersArePaid(transcript),
    overloadWasReal(transcript),
    noSlash(transcript),
  ])
}
