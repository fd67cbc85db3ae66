import { actorsOf, eventsOf, logsOf, type Transcript } from '../transcript.ts'
import { oneReward, oneSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** The copier's calls of one kind. */
function calls(transcript: Transcript, call: string) {
  const copiers = new Set(actorsOf(transcript, 'copier').map(({ name }) => name))
  return eventsOf(transcript, 'transaction').filter(({ actor, call: made }) => copiers.has(actor) && made === call)
}

/** The copier really was first: its copy of somebody's submission slashed. */
function copierRanInFront(transcript: Transcript): Finding {
  const copier = actorsOf(transcript, 'copier')[0]
  const submitter = logsOf(transcript, 'FaultProven')[0]?.args.submitter
  return finding(
    'the copier runs in front with a copied submission',
    copier?.accounts.includes(submitter as never) === true &&
      calls(transcript, 'submit').some(({ succeeded }) => succeeded),
    `the slash was submitted by ${submitter ?? 'nobody'}`,
  )
}

/** It also committed, as early as it could, and claimed with that and with the copied commitment: all refused. */
function copierClaimsAreRefused(transcript: Transcript): Finding {
  const claims = calls(transcript, 'claim')
  const won = claims.filter(({ succeeded }) => succeeded)
  return finding(
    'its own commits came too late and its claims are refused',
    calls(transcript, 'commit').length > 0 && claims.length > 0 && won.length === 0,
    `${calls(transcript, 'commit').length} commits, ${claims.length} claims, ${won.length} accepted`,
  )
}

function copierGainsNothing(transcript: Transcript): Finding {
  const copier = actorsOf(transcript, 'copier')[0]
  const of = (when: 'before' | 'after') =>
    eventsOf(transcript, 'money').find((event) => event.actor === copier?.name && event.when === when)?.creditsWei
  const paid = logsOf(transcript, 'Released').filter(
    ({ args }) => copier?.accounts.includes(args.beneficiary as never) === true,
  )
  return finding(
    'the copier gains nothing',
    of('before') !== undefined && of('before') === of('after') && paid.length === 0,
    `credits ${of('before') ?? 'unknown'} before, ${of('after') ?? 'unknown'} after`,
  )
}

/** A copier in the mempool slashes for others and earns nothing. */
export function judgeStolenEvidenceStory(transcript: Transcript): Verdict {
  return verdictOf([
    oneSlash(transcript, 1),
    copierRanInFront(transcript),
    copierClaimsAreRefused(transcript),
    copierGainsNothing(transcript),
    oneReward(transcript),
  ])
}
