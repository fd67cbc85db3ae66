import { type ContractEventArgsFromTopics, type ContractEventName, parseEventLogs, type TransactionReceipt } from 'viem'
import { faultCourtAbi, stakeRegistryAbi } from '../abi.generated.ts'
import { ChainError } from '../errors.ts'

type RegistryEvent = ContractEventName<typeof stakeRegistryAbi>
type CourtEvent = ContractEventName<typeof faultCourtAbi>

/**
 * The arguments of the one registry event `name` in a receipt.
 * @throws {ChainError} `CHAIN_EVENT_MISSING`: a mined call did not say what it must have said
 */
export function registryEvent<N extends RegistryEvent>(
  receipt: TransactionReceipt,
  name: N,
): ContractEventArgsFromTopics<typeof stakeRegistryAbi, N> {
  const [event] = parseEventLogs({ abi: stakeRegistryAbi, logs: receipt.logs, eventName: name as RegistryEvent })
  if (event === undefined) throw missing(receipt, name)
  return event.args as unknown as ContractEventArgsFromTopics<typeof stakeRegistryAbi, N>
}

/** {@link registryEvent} of the court. */
export function courtEvent<N extends CourtEvent>(
  receipt: TransactionReceipt,
  name: N,
): ContractEventArgsFromTopics<typeof faultCourtAbi, N> {
  const [event] = parseEventLogs({ abi: faultCourtAbi, logs: receipt.logs, eventName: name as CourtEvent })
  if (event === undefined) throw missing(receipt, name)
  return event.args as unknown as ContractEventArgsFromTopics<typeof faultCourtAbi, N>
}

function missing(receipt: TransactionReceipt, name: string): ChainError {
  return new ChainError('CHAIN_EVENT_MISSING', `transaction ${receipt.transactionHash} emitted no ${name}`, {
    hint: 'is this node as new as the deployment?',
    values: { hash: receipt.transactionHash, event: name },
  })
}
