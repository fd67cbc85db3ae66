import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT, fromHex, type Hex } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { ConfigError, systemCode, UsageError } from '../errors.ts'
import { openKey } from '../keys/key-file.ts'
import { actionResult, egi, OPERATOR, openOperator } from '../network/action.ts'
import { described, required, ValueError } from '../option.ts'
import { OPTION } from '../options.ts'
import { hexBytes } from '../values/hex.ts'

const { stake: _, ...OPTIONS } = OPERATOR

export const command = defineCommand({
  description: [
    'The operator bonds EGI behind a node key. The node key signs that it is held, the person key signs that it consents, the operator permits the tokens; nobody can copy the transaction and register something else.',
    'The person key is derived (scrypt, about half a second) from a hash of a biometric template, chain and coordinator. The hash does not leave this machine; the address of the key does, and is unique among stakes. Prefer --biometric-hash-file: other users of this machine can read command lines.',
    'A stake is active after `suprnova stake activate`, once the block that draws its placement is mined. It leaves only by full unbonding.',
  ],
  options: {
    amount: required(described(OPTION.amount, 'EGI to bond, with decimals; at least the minimum stake')),
    nodeKey: OPTION.nodeKey,
    biometricHash: OPTION.biometricHash,
    biometricHashFile: OPTION.biometricHashFile,
    ...OPTIONS,
  },
  examples: [
    'suprnova stake register --amount 1000 --biometric-hash-file ./biometric-hash',
    'suprnova stake register --amount 2500.5 --biometric-hash-file ./biometric-hash --dry-run --json',
  ],
  exits: {
    [EXIT.chain]: 'the registry refused; the message says why',
    [EXIT.tryAgain]: 'the RPC did not answer, or registrations are paused',
  },
  async run(values, context) {
    const { personKey, registerStake } = await import('../../chain/index.ts')
    const biometricHash = readBiometricHash(values, context)
    const action = await openOperator(values, context)
    const node = await openKey('node', values.nodeKey, values, context)
    const { chainId, coordinatorNode } = action.deployment
    const person = await personKey(fromHex(biometricHash), chainId, coordinatorNode)
    const result = await registerStake(
      action,
      { amountWei: values.amount, nodePrivateKey: node.privateKey, personPrivateKey: person.privateKey },
      { simulate: values.dryRun },
    )
    const { consequences } = result
    return actionResult(
      result,
      {
        did: `Stake ${consequences.stakeId} is registered. \`suprnova stake activate\` draws its placement after block ${consequences.drawBlock}.`,
        would: `This would register stake ${consequences.stakeId}.`,
      },
      {
        stake: consequences.stakeId,
        operator: consequences.operator,
        'node key': consequences.nodeKey,
        person: person.address,
        bonded: egi(consequences.amountWei),
        'speaks from epoch': consequences.fromEpoch,
        'draw block': consequences.drawBlock,
      },
    )
  },
})

function readBiometricHash(
  values: { biometricHash: Hex | undefined; biometricHashFile: string | undefined },
  context: Context,
): Hex {
  if (values.biometricHash !== undefined && values.biometricHashFile !== undefined) {
    throw new UsageError('HASH_TWICE', '--biometric-hash and --biometric-hash-file are both given', {
      hint: 'give one',
    })
  }
  if (values.biometricHash !== undefined) return values.biometricHash
  if (values.biometricHashFile === undefined) {
    throw new UsageError('OPTION_MISSING', 'the hash of a biometric template is missing', {
      hint: 'give --biometric-hash-file FILE; it stands for the person behind the stake, one stake a person',
      values: { option: '--biometric-hash-file' },
    })
  }
  const path = resolve(context.process.cwd, values.biometricHashFile)
  try {
    const text = readFileSync(path, 'utf8').trim()
    return hexBytes(32, 'a hash')(text.startsWith('0x') ? text : `0x${text}`)
  } catch (cause) {
    const why =
      cause instanceof ValueError
        ? 'does not hold 64 hex digits'
        : `cannot be read: ${systemCode(cause) ?? String(cause)}`
    throw new ConfigError('BIOMETRIC_HASH_UNREADABLE', `biometric hash file ${path} ${why}`, {
      hint: 'it holds 32 bytes as hex: the hash of a template, never the template',
      values: { path },
      cause,
    })
  }
}
