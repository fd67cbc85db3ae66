import { BaseError, decodeErrorResult, isAddress, type Hex as ViemHex } from 'viem'
import { EXIT, type Hex, SuprnovaError } from '../core/index.ts'
import { faultCourtAbi } from './abi.generated.ts'
import { CONTRACT_REFUSALS } from './contract-refusals.ts'
import { ChainError, ContractRefusedError, RpcUnavailableError } from './errors.ts'

type Values = Record<string, unknown>

/**
 * The refusal behind an error of viem: the contract's own, with its values and a hint; lack of gas money; or an RPC that did
 * not answer. What is none of these comes back as {@link ChainError} `CHAIN_REFUSED`. A SuprnovaError, wrapped or not, comes back as it is.
 */
export function explainChainError(error: unknown): SuprnovaError {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof SuprnovaError) return cause
  }
  const data = revertData(error)
  if (data !== undefined) return refusalOf(data, error)
  const message =
    error instanceof BaseError ? error.shortMessage : error instanceof Error ? error.message : String(error)
  const details = error instanceof BaseError ? error.details : ''
  if (/insufficient funds|enough funds|exceeds (the )?balance/i.test(`${message} ${details}`)) {
    return new ChainError('CHAIN_NO_GAS_MONEY', `the sending account cannot pay for gas: ${details || message}`, {
      hint: 'send native coin to the account that pays',
      cause: error,
    })
  }
  if (isTransport(error)) {
    return new RpcUnavailableError(`the RPC did not answer: ${message}`, { hint: 'check --rpc', cause: error })
  }
  return new ChainError('CHAIN_REFUSED', `the chain refused: ${message}${details ? ` (${details})` : ''}`, {
    cause: error,
  })
}

/** What to show people of an error met on the way to the chain: viem's say more than a line, and name the request. */
export function chainErrorMessage(error: unknown): string {
  if (error instanceof BaseError) return explainChainError(error).message
  return error instanceof Error ? error.message : String(error)
}

/** The typed error behind a contract's revert data. */
export function refusalOf(data: Hex, cause?: unknown): ContractRefusedError {
  let name: string
  let values: Values
  try {
    // Every generated ABI carries all custom errors, so any one decodes them all.
    const decoded = decodeErrorResult({ abi: faultCourtAbi, data: data as ViemHex })
    name = decoded.errorName
    values = namedValues(name, decoded.args ?? [])
  } catch (error) {
    if (!(error instanceof BaseError)) throw error
    return new ContractRefusedError('CONTRACT_UNKNOWN_ERROR', `a contract refused with ${data}`, {
      hint: 'is this node as new as the deployment?',
      values: { data },
      cause,
    })
  }
  const known = CONTRACT_REFUSALS[name]
  return new ContractRefusedError(
    `CONTRACT_${upperSnake(name)}`,
    known?.says(values) ?? `a contract refused: ${name}`,
    {
      exitCode: known?.exitCode ?? EXIT.chain,
      hint: known?.hint,
      values: { error: name, ...values },
      cause,
    },
  )
}

function namedValues(name: string, args: readonly unknown[]): Values {
  const item = faultCourtAbi.find((entry) => entry.type === 'error' && entry.name === name)
  const inputs = (item?.inputs ?? []) as readonly { name: string }[]
  // Addresses are lower-case everywhere inside the node.
  const inside = (value: unknown) =>
    typeof value === 'string' && isAddress(value, { strict: false }) ? value.toLowerCase() : value
  return Object.fromEntries(inputs.map((input, index) => [input.name, inside(args[index])]))
}

function revertData(error: unknown): Hex | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { data, raw } = cause as { data?: unknown; raw?: unknown }
    for (const candidate of [raw, data, (data as { data?: unknown } | undefined)?.data]) {
      if (typeof candidate === 'string' && /^0x[0-9a-f]{8,}$/i.test(candidate)) return candidate as Hex
    }
  }
  return undefined
}

const TRANSPORT_ERRORS = new Set(['HttpRequestError', 'TimeoutError', 'SocketClosedError', 'WebSocketRequestError'])

function isTransport(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (TRANSPORT_ERRORS.has(cause.name)) return true
  }
  return false
}

function upperSnake(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()
}
