import { equalBytes, SuprnovaError } from '../../core/index.ts'
import type { DhtRecord, ReplicaTables, SignedPut } from '../interface.ts'
import { decodeFetchAnswer, encodeFetch } from '../protocol/messages.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'
import { compareVersions } from '../records/version.ts'
import { CHALLENGE_FETCH_STAKES } from './constants.ts'

/** Which record a receipt named. */
export interface ChallengeQuestion {
  readonly recordKey: Uint8Array
  readonly putDigest: Uint8Array
  readonly leaf: number
  /** The receipt's PUT: a later one of the same entry answers too. */
  readonly put?: Pick<SignedPut, 'entry' | 'version'>
}

export type ChallengeBytes = { readonly record: DhtRecord } | { readonly later: SignedPut }

export interface ChallengeFetchModules {
  readonly tables: ReplicaTables
  readonly peers: Pick<ReplicaPeers, 'ask' | 'isOwn'>
  readonly reader: PutReader
}

/** Asks the closest stakes one after the other; every answer is verified as any other read. */
export async function fetchForChallenge(
  question: ChallengeQuestion,
  { peers, reader, tables }: ChallengeFetchModules,
): Promise<ChallengeBytes | undefined> {
  const { recordKey } = question
  const request = encodeFetch({ recordKey, values: true })
  let later: SignedPut | undefined
  for (const stakeId of tables.table(reader.epoch())?.closest(recordKey, CHALLENGE_FETCH_STAKES) ?? []) {
    if (peers.isOwn(stakeId)) continue
    for (const { frame, value } of await putsOf(stakeId, request, peers)) {
      const signed = reader.read(frame)
      if (isRefused(signed) || !equalBytes(signed.recordKey, recordKey)) continue
      if (equalBytes(signed.putDigest, question.putDigest) && signed.version.leaf === question.leaf) {
        const record = value === undefined ? undefined : reader.withValue(signed, value)
        if (record !== undefined && !isRefused(record)) return { record }
      } else if (isLater(signed, question)) {
        later = signed
      }
    }
  }
  return later && { later }
}

function isLater(signed: SignedPut, { put }: ChallengeQuestion): boolean {
  return put !== undefined && equalBytes(signed.entry, put.entry) && compareVersions(signed.version, put.version) > 0
}

/** What a stake shows of a record; nothing when it does not answer. */
async function putsOf(stakeId: number, request: Uint8Array, peers: Pick<ReplicaPeers, 'ask'>) {
  try {
    const answer = decodeFetchAnswer(await peers.ask(stakeId, request))
    return answer.status === 'found' ? answer.puts : []
  } catch (error) {
    if (error instanceof SuprnovaError) return []
    throw error
  }
}
