import { EXIT } from '../../core/index.ts'
import type { Result } from '../command.ts'
import { defineCommand } from '../command.ts'
import { actionResult, egi, meantStake, OPERATOR, type OpenAction, openAction } from '../network/action.ts'
import { waitForHead } from '../network/wait.ts'
import { described } from '../option.ts'
import { OPTION } from '../options.ts'

export const command = defineCommand({
  description: [
    'Shows the registry the header of the block that was named at registration; its randomness is the placement. Anyone may send this, and the result does not depend on who does or when.',
    'When that block is too long past, its hash is out of reach: --renew names a new block, which costs the stake 1 %.',
  ],
  options: {
    ...OPERATOR,
    operatorKey: described(
      OPTION.operatorKey,
      'Key that sends: a keystore file or the name of a key (default: operator)',
    ),
    renew: described(OPTION.renew, 'Set a missed draw anew, for 1 % of the stake'),
    wait: described(OPTION.wait, 'Wait for the draw block instead of ending with 75'),
  },
  examples: ['suprnova stake activate --wait', 'suprnova stake activate --stake 7 --operator-key gas'],
  exits: {
    [EXIT.chain]: 'the registry refused; the message says why',
    [EXIT.tryAgain]: 'the draw block is not mined yet; the message says which',
  },
  endsOnSignal: true,
  async run(values, context) {
    const action = await openAction('operator', values.operatorKey, values, context)
    const stakeId = await meantStake(values.stake, action)
    if (values.renew) return renew(action, stakeId, values.dryRun)
    const { activateStake } = await import('../../chain/index.ts')
    if (values.wait) await drawBlockMined(action, stakeId, context.signal, context.note)
    const result = await activateStake(action, { stakeId }, { simulate: values.dryRun })
    const { drawBlock, placement } = result.consequences
    return actionResult(
      result,
      { did: `Stake ${stakeId} is active.`, would: `This would activate stake ${stakeId}.` },
      { stake: stakeId, 'draw block': drawBlock, placement },
    )
  },
})

async function renew(action: OpenAction, stakeId: number, simulate: boolean): Promise<Result> {
  const { renewDraw } = await import('../../chain/index.ts')
  const result = await renewDraw(action, { stakeId }, { simulate })
  const { chargedWei, drawBlock } = result.consequences
  return actionResult(
    result,
    { did: `Stake ${stakeId} is drawn anew.`, would: `This would draw stake ${stakeId} anew.` },
    { stake: stakeId, 'draw block': drawBlock, burned: egi(chargedWei) },
  )
}

/** Resolves once the block after the draw block is the head, or the command is told to end. */
async function drawBlockMined(
  action: OpenAction,
  stakeId: number,
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<void> {
  const { readStake } = await import('../../chain/index.ts')
  const stake = await readStake(action, { stakeId })
  if (stake === undefined) return
  note(`waiting for block ${stake.drawBlock + 1}`)
  await waitForHead(action.client, signal, (head) => head.number > stake.drawBlock)
}
