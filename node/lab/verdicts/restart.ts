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

/** Nothing that happens to an honest node makes it slashable. */
export function judgeRestartStory(transcript: Transcript): Verdict {
  const honest = actorsOf(transcript, 'honest')
  const keys = new Set(eventsOf(transcript, 'statement').map(({ signer }) => signer))
  const seen = honest.filter(({ key }) => keys.has(key))
  return verdictOf([
    ...HURTS.map((hurt) => cameThrough(transcript, hurt)),
    finding(
      'the observer saw every node speak',
      honest.length > 0 && seen.length === honest.length,
      `${seen.length} of ${honest.length} keys were seen on the wire`,
    ),
    honestKeysSpokeTrue(transcript),
    noSlash(transcript),
  ])
}
