import { randomInt } from 'node:crypto'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { UsageError } from '../errors.ts'
import { collectUnlessOthers } from '../evidence/collect.ts'
import { readReceipt, requireSameDeployment } from '../evidence/receipt-file.ts'
import { actionResult, openAction } from '../network/action.ts'
import { NETWORK } from '../network/connect.ts'
import { waitForHead } from '../network/wait.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { counted } from '../text.ts'
import { formatAmount } from '../values/amount.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Challenges the replica that signed a receipt to show one chunk of what it promised. It needs a key with coins for the bond, no stake: who answers is paid from the bond; when nobody does, the bond comes back, and the replica can be slashed.',
    'With --wait it waits for an answer or the deadline; with --conclude it then slashes for silence, and the publisher gets its share.',
  ],
  args: {
    receipt: argument(
      'RECEIPT',
      "receipt file, - for standard input, or the id of one of the running node's",
      parseText,
    ),
  },
  options: {
    chunk: OPTION.chunk,
    wait: described(OPTION.wait, 'Wait until it is answered or the deadline has passed'),
    conclude: OPTION.conclude,
    key: described(OPTION.key, 'Key that pays: a keystore file or the name of a key (default: gas)'),
    passwordFile: OPTION.passwordFile,
    dryRun: OPTION.dryRun,
    ...NETWORK,
  },
  examples: [
    'suprnova evidence challenge ./receipt.json --wait --conclude',
    'suprnova evidence challenge 0x… --chunk 0 --dry-run',
  ],
  exits: {
    [EXIT.usage]: 'the file is no receipt, or the value has no such chunk',
    [EXIT.config]: 'key or deployment not usable, or the receipt is for another deployment',
    [EXIT.chain]: 'the chain refused: the receipt is over, or its chunk is challenged already',
    [EXIT.tryAgain]: 'the RPC did not answer',
  },
  async run(values, context) {
    const given = await readReceipt(values.receipt, values.dataDir, context)
    const action = await openAction('gas', values.key, values, context)
    const { chunksPromised, concludeChallenge, openChallenge, readChallenge } = await import('../../chain/index.ts')
    const { DomainSeparator } = await import('../../statements/index.ts')
    requireSameDeployment(given, action.deployment)
    const chunks = chunksPromised(given.receipt)
    const chunkIndex = values.chunk ?? (chunks === 0 ? 0 : randomInt(chunks))
    if (chunkIndex >= chunks) {
      throw new UsageError(
        'NO_SUCH_CHUNK',
        `the value has ${counted(chunks, 'chunk')}, so there is no chunk ${chunkIndex}`,
        {
          values: { chunks, chunkIndex },
        },
      )
    }
    const { chainId, registry: verifyingContract, salt } = given
    const separator = new DomainSeparator({ chainId, verifyingContract, salt })
    const { put, receipt } = given
    const opened = await openChallenge(action, { receipt, put, chunkIndex, separator }, { simulate: values.dryRun })
    const { bondWei, challengeId, stakeId } = opened.consequences
    const result = actionResult(
      opened,
      {
        did: `Stake ${stakeId} is challenged to show chunk ${chunkIndex}.`,
        would: `This would challenge stake ${stakeId}.`,
      },
      { challenge: challengeId, bond: `${formatAmount(bondWei)} native coin` },
    )
    if (!opened.sent || !(values.wait || values.conclude)) return result
    context.emit({ challengeId, stakeId, chunkIndex, bondWei: String(bondWei) }, result.text)

    // Until it is answered, or can be answered no more.
    let row = await readChallenge(action, challengeId)
    context.note(`waiting until ${new Date((row?.answerableUntil ?? 0) * 1000).toISOString()} at most`)
    while (row?.status === 'open') {
      const { answerableUntil, answerableUntilBlock } = row
      const from = await action.client.getBlockNumber()
      await waitForHead(action.client, context.signal, ({ number }) => BigInt(number) > from)
      if (context.signal.aborted) return { data: { challengeId, status: 'open' }, text: 'Still open.' }
      const head = await action.client.getBlock()
      if (Number(head.timestamp) > answerableUntil && Number(head.number) > answerableUntilBlock) break
      row = await readChallenge(action, challengeId)
    }
    row = await readChallenge(action, challengeId)
    if (row?.status !== 'open') {
      const text =
        row?.status === 'answered' ? `Stake ${stakeId} answered: its promise holds.` : `It is ${row?.status}.`
      return { data: { challengeId, stakeId, status: row?.status ?? null }, text }
    }
    if (!values.conclude) {
      return {
        data: { challengeId, stakeId, status: 'silent' },
        text: `Stake ${stakeId} did not answer. Conclude it with --conclude.`,
      }
    }
    // A node that runs with the same key concludes what it opened by itself: whoever is first.
    let concluded: Awaited<ReturnType<typeof concludeChallenge>>
    try {
      concluded = await concludeChallenge(action, { challengeId })
    } catch (error) {
      const status = (await readChallenge(action, challengeId))?.status
      if (status !== 'concluded' && status !== 'collected') throw error
      return {
        data: { challengeId, stakeId, status },
        text: `Stake ${stakeId} is slashed for its silence: another concluded it.`,
      }
    }
    await collectUnlessOthers(action, challengeId)
    return actionResult(
      concluded,
      { did: `Stake ${stakeId} is slashed for its silence, and the bond is back.`, would: '' },
      { challenge: challengeId, stake: stakeId },
    )
  },
})
