import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT, type Hex, type LogLevel } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { ConfigError, UsageError } from '../errors.ts'
import { openKey } from '../keys/key-file.ts'
import { isLocalChain, openClient } from '../network/connect.ts'
import { deploymentPath } from '../network/deployment-file.ts'
import { described } from '../option.ts'
import { OPTION } from '../options.ts'
import { facts } from '../text.ts'

/** Who deploys on a local chain unless a key is named. */
const LOCAL_DEPLOYER = 0

export const command = defineCommand({
  description: [
    'Deploys token, registry, court, verifiers, lens and coordinator, points the ENS name at the coordinator, and writes a deployment file that the other commands read. On a local chain it deploys ENS too, and `dev:0` pays; on a public chain --key pays, and becomes the one who proposes to the owner, a timelock.',
    'What decides validity can never be changed afterwards: see --params. It refuses a chain whose randomness does not vary. Contracts are compiled first when they changed.',
  ],
  options: {
    rpc: OPTION.rpc,
    key: described(
      OPTION.key,
      'Key that pays: a keystore file, the name of a key, or dev:N (default: dev:0 on local chains)',
    ),
    passwordFile: OPTION.passwordFile,
    params: OPTION.params,
    ensName: OPTION.ensName,
    ensRegistry: described(OPTION.ensRegistry, "ENS registry (default: the chain's own, else a new one)"),
    minStake: OPTION.minStake,
    out: described(OPTION.out, 'Deployment file to write (default: deployment.json in the data directory)'),
    force: OPTION.force,
    logLevel: OPTION.logLevel,
  },
  examples: [
    'suprnova chain deploy',
    'suprnova chain deploy --rpc https://rpc.example.org --key deployer --ens-name my-reality.eth --out ./deployment.json',
  ],
  exits: {
    [EXIT.config]: 'no usable key, or the deployment file exists already',
    [EXIT.chain]: 'a step failed; the message names it',
    [EXIT.tryAgain]: 'the RPC did not answer',
  },
  async run(values, context) {
    const path = values.out === undefined ? deploymentPath(values.dataDir) : resolve(context.process.cwd, values.out)
    if (existsSync(path) && !values.force) {
      throw new ConfigError('FILE_EXISTS', `${path} exists already and is not overwritten`, {
        hint: 'it may be the only note of a deployment: move it away, or add --force',
        values: { path },
      })
    }
    const { explainChainError } = await import('../../chain/index.ts')
    const { deploy, writeDeployment } = await import('../../chain/index.ts')
    const { client, rpcUrls } = await openClient(values.rpc)
    const chainId = BigInt(
      await client.getChainId().catch((error: unknown) => {
        throw explainChainError(error)
      }),
    )
    const privateKey = await payer(values, chainId, context)
    const { ensureContractsBuilt } = await import('../../lab/index.ts')
    const { createLogger } = await import('../../api/index.ts')
    await ensureContractsBuilt({ log: context.note })
    const log = createLogger(
      { level: values.logLevel as LogLevel },
      { clock: context.process, write: (line) => context.process.stderr.write(line) },
    )
    const deployment = await deploy(
      {
        privateKey,
        rpcUrl: rpcUrls[0] as string,
        ensName: values.ensName,
        minStakeWei: values.minStake,
        ...(values.params === undefined ? {} : { preset: values.params }),
        ...(values.ensRegistry === undefined ? {} : { ensRegistry: values.ensRegistry }),
      },
      { log },
    )
    await writeDeployment(path, deployment)
    const { coordinator, court, ensName, registry, token } = deployment
    return {
      data: { path, ...deployment },
      text: facts({
        chain: chainId,
        name: `${ensName} -> ${coordinator}`,
        registry,
        court,
        token,
        faucet: deployment.faucet ?? undefined,
        'written to': path,
      }),
    }
  },
})

async function payer(
  values: { key: string | undefined; dataDir: string; passwordFile: string | undefined },
  chainId: bigint,
  context: Context,
): Promise<Hex> {
  const local = values.key === undefined ? undefined : /^dev:(\d{1,2})$/.exec(values.key)
  if (local === undefined && !isLocalChain(chainId)) {
    throw new UsageError('OPTION_MISSING', '--key KEY is missing: the key that pays for the deployment', {
      hint: 'on a public chain somebody must pay; on a local one dev:0 does',
      values: { option: '--key', chainId },
    })
  }
  if (local === null) return (await openKey(undefined, values.key, values, context)).privateKey
  if (!isLocalChain(chainId)) {
    throw new UsageError(
      'DEV_ACCOUNT_ELSEWHERE',
      `${values.key} is an account of local chains, the RPC is on chain ${chainId}`,
      {
        hint: 'name a key of your own',
        values: { chainId },
      },
    )
  }
  const { localAccount } = await import('../../lab/index.ts')
  return localAccount(local === undefined ? LOCAL_DEPLOYER : Number(local[1])).privateKey
}
