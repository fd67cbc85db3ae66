import { EXIT, type Hex } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { ConfigError } from '../errors.ts'
import { type ClaimRecord, claimPath, readClaim } from '../evidence/claim-file.ts'
import { type CourtFault, readFault } from '../evidence/court.ts'
import { readEvidenceFile } from '../evidence/evidence-file.ts'
import { egi, type OpenAction, openAction } from '../network/action.ts'
import { NETWORK } from '../network/connect.ts'
import { waitForTime } from '../network/wait.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { facts, moment } from '../text.ts'
import { parseText } from '../values/text.ts'

const FAULT_ID = /^0x[0-9a-fA-F]{64}$/

export const command = defineCommand({
  description: [
    'Claims the reward of a fault with what `suprnova evidence submit` left in the data directory. While the reward window is open this only claims; after it, it releases the reward to the earliest commit and shows the credits, which `suprnova stake credits --take` pays out. Calling it again does what is left to do.',
  ],
  args: { fault: argument('FAULT', 'id of the fault, or its bundle file', parseText) },
  options: {
    wait: described(OPTION.wait, 'Wait for the end of the reward window, then release'),
    key: described(OPTION.key, 'Key that pays for gas: a keystore file or the name of a key (default: gas)'),
    passwordFile: OPTION.passwordFile,
    ...NETWORK,
  },
  examples: ['suprnova evidence claim ./bundle.json', 'suprnova evidence claim 0x4f… --wait'],
  exits: {
    [EXIT.config]: 'the data directory holds no claim on this fault',
    [EXIT.chain]: 'the court refused, as when the window is over or somebody was earlier',
    [EXIT.tryAgain]: 'the RPC did not answer',
  },
  endsOnSignal: true,
  async run(values, context) {
    const faultId = FAULT_ID.test(values.fault)
      ? (values.fault.toLowerCase() as Hex)
      : (await readEvidenceFile(values.fault, context)).faultId
    const claim = readClaim(values.dataDir, faultId)
    if (claim === undefined) throw noClaim(values.dataDir, faultId)
    const action = await openAction('gas', values.key, values, context)
    let fault = await requireProven(action, faultId)
    if (!fault.released && fault.beneficiary !== claim.beneficiary) {
      await claimNow(action, claim)
      fault = await requireProven(action, faultId)
    }
    if (!fault.released && values.wait) {
      context.note(`the reward window ends at ${moment(fault.releasableAt)}`)
      await waitForTime(action.client, fault.releasableAt, context.signal)
    }
    return release(action, fault, claim)
  },
})

async function claimNow(action: OpenAction, claim: ClaimRecord): Promise<void> {
  const { claimReward } = await import('../../chain/index.ts')
  await claimReward(action, claim)
}

async function release(action: OpenAction, fault: CourtFault, claim: ClaimRecord) {
  const { readCredits, releaseReward } = await import('../../chain/index.ts')
  const { faultId, beneficiary } = claim
  const head = await action.client.getBlock()
  const isOver = Number(head.timestamp) >= fault.releasableAt
  const released = fault.released || !isOver ? undefined : await releaseReward(action, { faultId })
  const creditsWei = await readCredits(action, beneficiary)
  const isReleased = fault.released || released !== undefined
  return {
    data: {
      faultId,
      beneficiary,
      claimed: true,
      released: isReleased,
      releasableAt: fault.releasableAt,
      releasedWei: released?.consequences.amountWei ?? null,
      creditsWei,
    },
    text: facts({
      fault: faultId,
      reward: isReleased
        ? `released, ${egi(released?.consequences.amountWei ?? 0n)} now`
        : `${egi(fault.escrowedWei)}, claimed, to be released from ${moment(fault.releasableAt)} on`,
      beneficiary,
      credits: egi(creditsWei),
    }),
  }
}

async function requireProven(action: OpenAction, faultId: Hex): Promise<CourtFault> {
  const fault = await readFault(action, faultId)
  if (fault !== undefined) return fault
  throw new ConfigError('FAULT_NOT_PROVEN', `fault ${faultId} is not proven on this chain`, {
    hint: '`suprnova evidence submit` proves it',
    values: { faultId },
  })
}

function noClaim(dataDir: string, faultId: Hex): ConfigError {
  return new ConfigError('NO_CLAIM', `there is no claim on fault ${faultId} at ${claimPath(dataDir, faultId)}`, {
    hint: 'only who submitted it with `suprnova evidence submit` has one; a running node claims what it reported by itself',
    values: { faultId },
  })
}
