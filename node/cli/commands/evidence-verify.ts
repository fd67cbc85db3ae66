import { resolve } from 'node:path'
import { type Domain, EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../errors.ts'
import { readEvidenceFile } from '../evidence/evidence-file.ts'
import { faultName, WHY_NOT } from '../evidence/words.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { facts } from '../text.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Checks the signatures and the rule that was broken, without a chain and without a node. With --chain-id, --registry and --salt (or --deployment) it is judged for that deployment; without them, for the one that the bundle itself names. It says what is proven and what only the chain can confirm.',
  ],
  args: { evidence: argument('FILE', 'bundle file; - reads standard input', parseText) },
  options: {
    chainId: described(OPTION.chainId, 'Chain id of the deployment'),
    registry: described(OPTION.registry, 'StakeRegistry of the deployment'),
    salt: OPTION.salt,
    deployment: described(OPTION.deployment, 'Deployment file that holds these three'),
  },
  examples: [
    'suprnova evidence verify ./bundle.json',
    'suprnova evidence verify ./bundle.json --deployment ./deployment.json --json',
  ],
  exits: {
    [EXIT.internal]: 'the evidence proves nothing, or something went wrong',
    [EXIT.usage]: 'the file is not evidence; the message says why',
  },
  async run(values, context) {
    const { verifyBundle } = await import('../../statements/index.ts')
    const bundle = await readEvidenceFile(values.evidence, context)
    const given = await givenDomain(values, context)
    const { verdict, proven, unproven } = verifyBundle(bundle, { domain: given ?? bundle.domain })
    const { faultId, faultType, signer } = bundle
    const heading = verdict.proven
      ? `Proven: stake ${signer.stakeId} is guilty of ${faultName(faultType)}.`
      : `Not proven: ${WHY_NOT[verdict.error]} (${verdict.error}).`
    const lines = [
      heading,
      facts({
        fault: faultId,
        'node key': signer.address,
        'judged for': given === undefined ? 'the deployment that the bundle names' : 'the deployment given',
      }),
      ...list('This holds:', proven),
      ...list('This is not shown here:', unproven),
    ]
    return {
      data: {
        proven: verdict.proven,
        verdict,
        faultId,
        faultType,
        stakeId: signer.stakeId,
        signer: signer.address,
        holds: proven,
        notShown: unproven,
      },
      text: lines.join('\n'),
      exitCode: verdict.proven ? EXIT.ok : EXIT.internal,
    }
  },
})

async function givenDomain(
  values: {
    chainId: number | undefined
    registry: Domain['verifyingContract'] | undefined
    salt: Domain['salt'] | undefined
    deployment: string | undefined
  },
  context: Context,
): Promise<Domain | undefined> {
  const { chainId, registry, salt, deployment } = values
  if (deployment !== undefined) {
    const { readDeployment } = await import('../../chain/index.ts')
    const file = await readDeployment(resolve(context.process.cwd, deployment))
    return { chainId: file.chainId, verifyingContract: file.registry, salt: file.salt }
  }
  if (chainId === undefined && registry === undefined && salt === undefined) return undefined
  if (chainId === undefined || registry === undefined || salt === undefined) {
    throw new UsageError('DOMAIN_INCOMPLETE', '--chain-id, --registry and --salt are given together or not at all', {
      hint: 'a deployment file holds all three: --deployment FILE',
    })
  }
  return { chainId: BigInt(chainId), verifyingContract: registry, salt }
}

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`\n${title}`, ...items.map((item) => `  ${item}`)]
}
