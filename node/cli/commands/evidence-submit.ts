import { randomBytes } from 'node:crypto'
import { EXIT, toHex } from '../../core/index.ts'
import type { EvidenceBundle } from '../../statements/index.ts'
import type { Result } from '../command.ts'
import { defineCommand } from '../command.ts'
import { ConfigError } from '../errors.ts'
import { claimPath, readClaim, writeClaim } from '../evidence/claim-file.ts'
import { readFault } from '../evidence/court.ts'
import { readEvidenceFile } from '../evidence/evidence-file.ts'
import { faultName } from '../evidence/words.ts'
import { actionResult, egi, type OpenAction, openAction } from '../network/action.ts'
import { NETWORK } from '../network/connect.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { facts } from '../text.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Takes a bundle to the court of any chain: needs no node, no stake, and nothing but a key that can pay for gas. First a commitment is mined, which hides what is coming and makes the reward yours; then the evidence is submitted, and the command returns once the slash is mined.',
    'What the reward can be claimed with is written to claims/ in the data directory before anything is sent; `suprnova evidence claim` uses it. Evidence that was brought already is no failure: nothing is sent.',
  ],
  args: { evidence: argument('FILE', 'bundle file; - reads standard input', parseText) },
  options: {
    key: described(OPTION.key, 'Key that pays and reports: a keystore file or the name of a key (default: gas)'),
    beneficiary: described(OPTION.beneficiary, 'Who gets the reward (default: the reporting account)'),
    passwordFile: OPTION.passwordFile,
    dryRun: OPTION.dryRun,
    ...NETWORK,
  },
  examples: [
    'suprnova evidence submit ./bundle.json',
    'suprnova evidence submit ./bundle.json --rpc https://rpc.example.org --coordinator current-reality.eth --key ./gas.json',
    'suprnova evidence submit ./bundle.json --deployment ./deployment.json --dry-run',
  ],
  exits: {
    [EXIT.usage]: 'the file is not evidence; the message says why',
    [EXIT.config]: 'key or deployment not usable, or the evidence is for another deployment',
    [EXIT.chain]: 'the court refused; the message says why',
    [EXIT.tryAgain]: 'the RPC did not answer',
  },
  async run(values, context) {
    const bundle = await readEvidenceFile(values.evidence, context)
    const action = await openAction('gas', values.key, values, context)
    requireSameDeployment(bundle, action)
    const known = await readFault(action, bundle.faultId)
    if (known !== undefined) {
      const { stakeId, slashedBlock } = known
      return {
        data: { sent: false, alreadySlashed: true, faultId: bundle.faultId, ...known },
        text: `This fault of stake ${stakeId} was slashed already, in block ${slashedBlock}. Nothing was sent.`,
      }
    }
    const { commitEvidence, submitEvidence } = await import('../../chain/index.ts')
    const evidence = { faultType: bundle.faultType, evidence: toHex(bundle.evidence) }
    // Asked first: a court that would refuse is not worth a commitment.
    const foreseen = await submitEvidence(action, evidence, { simulate: true })
    if (values.dryRun) return describe(foreseen, bundle)

    const claim = prepareClaim(values.dataDir, bundle, action.sender, values.beneficiary ?? action.sender)
    const commit = await commitEvidence(action, claim)
    if (commit.sent) context.note(`committed in block ${commit.blockNumber}, submitting`)
    const result = await submitEvidence(action, evidence)
    const described = describe(result, bundle)
    const claimFile = claimPath(values.dataDir, bundle.faultId)
    return {
      data: { ...(described.data as object), commit, claimFile, beneficiary: claim.beneficiary },
      text: `${described.text}\n${facts({ 'commit block': commit.sent ? commit.blockNumber : undefined, 'claim file': claimFile })}`,
    }
  },
})

function describe(
  result: Awaited<ReturnType<typeof import('../../chain/index.ts').submitEvidence>>,
  bundle: EvidenceBundle,
): Result {
  const { chargedWei, escrowedWei, faultId, stakeId, tombstones } = result.consequences
  const fate = tombstones ? 'and silent for ever' : 'and jailed'
  return actionResult(
    result,
    {
      did: `Stake ${stakeId} is slashed for ${faultName(bundle.faultType)}, ${fate}.`,
      would: `This would slash stake ${stakeId}.`,
    },
    { fault: faultId, stake: stakeId, charged: egi(chargedWei), 'held for the earliest commit': egi(escrowedWei) },
  )
}

/** The claim on disk, made now unless an earlier try left one by the same reporter. */
function prepareClaim(
  dataDir: string,
  bundle: EvidenceBundle,
  reporter: OpenAction['sender'],
  beneficiary: OpenAction['sender'],
) {
  const { faultId, faultType } = bundle
  const fresh = {
    faultId,
    faultType,
    evidence: toHex(bundle.evidence),
    reporter,
    beneficiary,
    salt: toHex(randomBytes(32)),
  }
  if (writeClaim(dataDir, fresh)) return fresh
  const earlier = readClaim(dataDir, faultId)
  if (earlier?.reporter === reporter && earlier.beneficiary === beneficiary && earlier.evidence === fresh.evidence)
    return earlier
  throw new ConfigError('CLAIM_EXISTS', `${claimPath(dataDir, faultId)} holds a claim on this fault by somebody else`, {
    hint: 'give the same --key and --beneficiary as before, or another --data-dir',
    values: { path: claimPath(dataDir, faultId), reporter: earlier?.reporter },
  })
}

function requireSameDeployment(bundle: EvidenceBundle, action: OpenAction): void {
  const { chainId, registry, salt, source } = action.deployment
  const { domain } = bundle
  const differs =
    domain.chainId !== chainId
      ? `chain ${domain.chainId}, not ${chainId}`
      : domain.verifyingContract !== registry
        ? `registry ${domain.verifyingContract}, not ${registry}`
        : domain.salt !== salt
          ? 'another deployment at the same address'
          : undefined
  if (differs === undefined) return
  throw new ConfigError('EVIDENCE_FOR_ANOTHER_DEPLOYMENT', `the evidence is for ${differs}`, {
    hint: `the deployment came from ${source}; name the one the evidence is for`,
    values: { evidence: domain, deployment: { chainId, registry, salt } },
  })
}
