import { encodeFunctionData } from 'viem'
import type { Address, Hex } from '../../core/index.ts'
import { faultCourtAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act } from './act.ts'
import { commitmentOf } from './commitmentOf.ts'

export interface CommitEvidence {
  readonly faultId: Hex
  readonly evidence: Hex
  readonly beneficiary: Address
  /** 32 random bytes; whoever claims needs them again. */
  readonly salt: Hex
}

export interface CommitConsequences {
  readonly commitment: Hex
  readonly reporter: Address
  readonly beneficiary: Address
}

/** Commits to evidence without showing it, so that its reward cannot be stolen. Submit it in a later block. */
export async function commitEvidence(
  modules: ActionModules,
  args: CommitEvidence,
  options: ActionOptions = {},
): Promise<ActionResult<CommitConsequences>> {
  const reporter = modules.wallet.account.address
  const commitment = commitmentOf({ ...args, reporter })
  const data = encodeFunctionData({ abi: faultCourtAbi, functionName: 'commit', args: [commitment] })
  const consequences = { commitment, reporter, beneficiary: args.beneficiary }
  return act(modules, { to: modules.deployment.court, data, foresee: () => consequences }, options)
}
