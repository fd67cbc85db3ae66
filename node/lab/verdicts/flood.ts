import type { Transcript } from '../transcript.ts'
import { allReadBack, measuredOf, nothingInvented, storesOf } from './records.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** A flooded node spends at most this share of one core on a reader's flood. */
const CORE_SHARE_MOST = 0.5
/** Bytes a flooded node may grow by. */
const GROWTH_MOST_MIB = 256

/** What the flood cost the honest node, beside what it cost the flooder to send the same to nobody. */
function costIsBounded(transcript: Transcript): Finding {
  const [sent, victim, flooder, share] = [
    'requests sent',
    'victim us a request',
    'flooder us a request',
    'victim cores',
  ].map((name) => measuredOf(transcript, name))
  const right = (sent ?? 0) >= 1_000 && victim !== undefined && flooder !== undefined && (share ?? 1) <= CORE_SHARE_MOST
  return finding(
    'a flood costs the honest node a bounded share of a core',
    right,
    `${sent ?? 0} requests, ${victim?.toFixed(1)} us each for the node and ${flooder?.toFixed(1)} us for the flooder alone, ${((share ?? 1) * 100).toFixed(0)} % of a core`,
  )
}

function memoryIsBounded(transcript: Transcript): Finding {
  const growth = measuredOf(transcript, 'growth MiB')
  return finding(
    'and a bounded amount of memory',
    growth !== undefined && growth <= GROWTH_MOST_MIB,
    `${growth?.toFixed(0) ?? '?'} MiB more`,
  )
}

/** Stores and reads of others go on meanwhile. */
function othersAreServed(transcript: Transcript): Finding {
  const { acknowledged, failed } = storesOf(transcript, 'flooded')
  return finding(
    'stores of others go on during the flood',
    acknowledged >= 20 && failed === 0,
    `${acknowledged} acknowledged, ${failed} failed`,
  )
}

/** Asking costs the asker; answering stays cheap. */
export function judgeFloodStory(transcript: Transcript): Verdict {
  return verdictOf([
    costIsBounded(transcript),
    memoryIsBounded(transcript),
    othersAreServed(transcript),
    allReadBack(transcript, 'after', { least: 20 }),
    nothingInvented(transcript),
    noSlash(transcript),
  ])
}
