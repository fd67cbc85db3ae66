import type { Address } from '../../core/index.ts'
import { actorsOf, eventsOf, type Transcript } from '../transcript.ts'
import { type Finding, finding } from './verdict.ts'

/** Slots in which `signer` signed more than one content. */
export function conflictsOf(transcript: Transcript, signer: Address): string[] {
  const contents = new Map<string, Set<string>>()
  for (const { signer: who, kind, scope, position, content } of eventsOf(transcript, 'statement')) {
    if (who !== signer) continue
    const slot = `${kind}/${scope}/${position}`
    contents.set(slot, (contents.get(slot) ?? new Set()).add(content))
  }
  return [...contents].filter(([, seen]) => seen.size > 1).map(([slot]) => slot)
}

/** Statements of `signer` at or past the limit of their kind. */
export function overrunsOf(transcript: Transcript, signer: Address): string[] {
  const limit = BigInt(eventsOf(transcript, 'network')[0]?.gossipLimit ?? 0)
  return eventsOf(transcript, 'statement')
    .filter((statement) => statement.signer === signer && statement.kind <= 3)
    .filter(({ position }) => (BigInt(position) & 0xffff_ffffn) >= limit)
    .map(({ position }) => position)
}

/** No honest key ever signed what a court could punish, as far as the wire shows. */
export function honestKeysSpokeTrue(transcript: Transcript): Finding {
  const wrong = actorsOf(transcript, 'honest').filter(
    ({ key }) => conflictsOf(transcript, key).length > 0 || overrunsOf(transcript, key).length > 0,
  )
  const count = eventsOf(transcript, 'statement').length
  return finding(
    'no honest key signed two contents in one slot or went past its limit',
    wrong.length === 0 && count > 0,
    wrong.length > 0 ? `${wrong.map(({ name }) => name).join(', ')} did` : `${count} statements seen on the wire`,
  )
}

/** What the liar said after its slash reached nobody, while the honest were heard. */
export function liarsAreSilenced(transcript: Transcript, afterPhase: string): Finding {
  const liars = new Set(actorsOf(transcript, 'liar').map(({ name }) => name))
  const said = eventsOf(transcript, 'said').filter(({ actor, phase }) => liars.has(actor) && phase === afterPhase)
  const heard = new Set(eventsOf(transcript, 'heard').map(({ text }) => text))
  const leaked = said.filter(({ text }) => heard.has(text))
  return finding(
    'what the liar says after the slash reaches nobody',
    said.length > 0 && leaked.length === 0,
    said.length === 0 ? 'it never spoke again, which shows nothing' : `${leaked.length} of ${said.length} were heard`,
  )
}
