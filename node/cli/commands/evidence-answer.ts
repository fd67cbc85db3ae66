import { EXIT, type Hex } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { UsageError } from '../errors.ts'
import { collectUnlessOthers } from '../evidence/collect.ts'
import { readReceipt, requireSameDeployment } from '../evidence/receipt-file.ts'
import { actionResult, openAction } from '../network/action.ts'
import { NETWORK } from '../network/connect.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { bytesIn, wholeOf } from '../values/bytes-in.ts'
import { hexBytes } from '../values/hex.ts'

const MAX_VALUE_BYTES = 65_536

/** What to do about a challenge that is not open. */
const HINTS: Record<string, string> = {
  unknown: 'check its id, and that the deployment is the one it was opened on',
  answered: 'somebody answered it: the promise holds, and nothing is left to do',
  concluded: 'nobody answered in time; see `suprnova stake status` of the replica',
  collected: 'it is over, and its bond is paid out',
}

export const command = defineCommand({
  description: [
    'Answers a challenge with the chunk it asks for, cut from the whole value, or with a later PUT of the same record. Anyone may answer for a replica, and is paid from the bond. A running node with a gas key answers by itself; this is for when it cannot.',
  ],
  args: { challenge: argument('ID', 'the id of the challenge, 32 bytes', hexBytes(32, 'an id')) },
  options: {
    value: OPTION.value,
    superseded: OPTION.superseded,
    key: described(OPTION.key, 'Key that pays, and is paid: a keystore file or the name of a key (default: gas)'),
    passwordFile: OPTION.passwordFile,
    dryRun: OPTION.dryRun,
    ...NETWORK,
  },
  examples: [
    'suprnova evidence answer 0x4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f --value ./value.bin',
    'suprnova evidence answer 0x4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f --superseded ./receipt.json',
  ],
  exits: {
    [EXIT.usage]: 'neither a value nor a later PUT was given, or the value is not the one that was promised',
    [EXIT.chain]: 'the chain refused: too late, answered already, or another value',
    [EXIT.tryAgain]: 'the RPC did not answer',
  },
  async run(values, context) {
    if ((values.value === undefined) === (values.superseded === undefined)) {
      throw new UsageError('ANSWER_MISSING', 'give either --value or --superseded', {
        hint: 'a running node answers by itself: see its gas key in `suprnova node status`',
      })
    }
    const challengeId = values.challenge as Hex
    const action = await openAction('gas', values.key, values, context)
    const { answerChallenge, answerSuperseded, ChainError, readChallenge } = await import('../../chain/index.ts')
    const { chunksOf, DomainSeparator, merkleTree } = await import('../../statements/index.ts')
    const row = await readChallenge(action, challengeId)
    if (row?.status !== 'open') {
      const status = row?.status ?? 'unknown'
      throw new ChainError('CHALLENGE_NOT_OPEN', `challenge ${challengeId} is ${status}`, {
        hint: HINTS[status],
        values: { challengeId, status },
      })
    }
    const options = { simulate: values.dryRun }
    const said = { did: `Challenge answered for stake ${row.stakeId}.`, would: 'This would answer the challenge.' }
    let answered: Awaited<ReturnType<typeof answerChallenge>>
    if (values.superseded !== undefined) {
      const given = await readReceipt(values.superseded, values.dataDir, context)
      requireSameDeployment(given, action.deployment)
      const { chainId, put, registry, salt } = given
      const separator = new DomainSeparator({ chainId, verifyingContract: registry, salt })
      answered = await answerSuperseded(action, { challengeId, laterPut: put, separator }, options)
    } else {
      const value = await wholeOf(bytesIn(values.value ?? '-', context), MAX_VALUE_BYTES)
      const chunks = value === undefined ? [] : chunksOf(value)
      const chunk = chunks[row.chunkIndex]
      if (chunk === undefined) {
        throw new UsageError('NO_SUCH_CHUNK', `the value has no chunk ${row.chunkIndex}`, {
          hint: 'give the whole value, as it was stored; larger ones are challenged part by part',
          values: { chunks: chunks.length, chunkIndex: row.chunkIndex },
        })
      }
      const path = merkleTree(chunks).path(row.chunkIndex)
      answered = await answerChallenge(action, { challengeId, chunk, path }, options)
    }
    if (answered.sent) await collectUnlessOthers(action, challengeId)
    return actionResult(answered, said, { challenge: challengeId, stake: row.stakeId })
  },
})
