import { actorsOf, eventsOf, type Transcript } from '../transcript.ts'
import { noSlash } from './slashing.ts'
import { honestKeysSpokeTrue } from './statements.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** The ways an honest node is hurt; each names a phase of the transcript. */
export const HURTS = ['kill', 'lost-guard', 'restored-backup', 'clock-jump'] as const
export type Hurt = (typeof HURTS)[number]

/** After a kill -9 a guard is whole: the node speaks again. After the others it must first refuse. */
const MUST_REFUSE: readonly Hurt[] = ['lost-guard', 'restored-backup', 'clock-jump']

function cameThrough(transcript: Transcript, hurt: Hurt): Finding {
  const at = (type: 'said' | 'refused', phase: string) =>
    eventsOf(transcript, type).filter((event) => event.phase === phase)
  const killed = eventsOf(transcript, 'process').find(({ phase, event }) => phase === hurt && event === 'killed')
  const started = eventsOf(transcript, 'process').find(
    ({ phase, event, atMs }) =>
      phase === hurt && event === 'started' && atMs >= (killed?.atMs ?? Number.POSITIVE_INFINITY),
  )
  const before = at('said', `${hurt}/before`).length
  const refused = at('refused', `${hurt}/after`).length
  const after = at('said', `${hurt}/after`).length
  const refusal = MUST_REFUSE.includes(hurt) ? refused > 0 : refused === 0
  return finding(
    MUST_REFUSE.includes(hurt)
      ? `after ${hurt} the node first refuses to sign, then speaks again`
      : `after ${hurt} the node speaks again at once`,
    killed !== undefined && started !== undefined && before > 0 && after > 0 && refusal,
    `${before} said before, ${refused} refusals, ${after} said after`,
  )
}

/** What the observer saw counts only where it saw the node on both sides of what happened to it. */
function seenOnBothSides(transcript: Transcript): Finding {
  const blind = HURTS.filter((hurt) => {
    const key = actorsOf(transcript, 'honest').find(({ name }) => name === hurt)?.key
    const seen = eventsOf(transcript, 'statement').filter(({ signer }) => signer === key)
    const killedAt = eventsOf(transcript, 'process').find(
      ({ phase, event }) => phase === hurt && event === 'killed',
    )?.atMs
    if (killedAt === undefined) return true
    return !seen.some(({ atMs }) => atMs < killedAt) || !seen.some(({ atMs }) => atMs > killedAt)
  })
  return finding(
    'the observer saw every node speak before and after',
    blind.length === 0,
    blind.length === 0 ? `${HURTS.length} nodes seen` : `not seen: ${blind.join(', ')}`,
  )
}

/** Nothing that happens to an honest node makes it slashable. */
export function judgeRestartStory(transcript: Transcript): Verdict {
  return verdictOf([
    ...HURTS.map((hurt) => cameThrough(transcript, hurt)),
    seenOnBothSides(transcript),
    honestKeysSpokeTrue(transcript),
    noSlash(transcript),
  ])
}
