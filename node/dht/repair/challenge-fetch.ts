import { type ChunkQuestion, equalBytes, SuprnovaError } from '../../core/index.ts'
import { chunkRoot } from '../../statements/index.ts'
import type { ReplicaTables } from '../interface.ts'
import { decodeFetchAnswer, encodeFetch } from '../protocol/messages.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import type { PutReader } from '../records/put-reader.ts'
import { CHALLENGE_FETCH_STAKES } from './constants.ts'

/** What a receipt promised. */
export type ChallengeQuestion = Pick<ChunkQuestion, 'recordKey' | 'valueRoot'>

export interface ChallengeFetchModules {
  readonly tables: ReplicaTables
  readonly peers: Pick<ReplicaPeers, 'ask' | 'isOwn'>
  readonly reader: Pick<PutReader, 'epoch'>
}

/**
 * Asks the closest stakes one after the other. Their root tells the bytes, whoever signed them: an answer is owed also
 * for what a publisher stored that was silenced since.
 */
export async function fetchForChallenge(
  { recordKey, valueRoot }: ChallengeQuestion,
  { peers, reader, tables }: ChallengeFetchModules,
): Promise<Uint8Array | undefined> {
  const request = encodeFetch({ recordKey, values: true })
  for (const stakeId of tables.table(reader.epoch())?.closest(recordKey, CHALLENGE_FETCH_STAKES) ?? []) {
    if (peers.isOwn(stakeId)) continue
    for (const { value } of await putsOf(stakeId, request, peers)) {
      if (value !== undefined && equalBytes(chunkRoot(value), valueRoot)) return new Uint8Array(value)
    }
  }
  return undefined
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
