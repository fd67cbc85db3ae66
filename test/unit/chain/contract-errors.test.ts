import { encodeErrorResult } from 'viem'
import { describe, expect, test } from 'vitest'
import { CONTRACT_REFUSALS, explainChainError, faultCourtAbi } from '../../../node/chain/index.ts'

/** Errors that a person with this program cannot meet: constructors, the owner's actions, the court's own calls, libraries. */
const NOT_MET = [
  /^Bad(Params|Rule|Verifier)$/,
  /^Pause/,
  /^NotCourt$/,
  /^NotALocalChain$/,
  /^ZeroAddress$/,
  /^ECDSA/,
  /^ERC20Invalid(Approver|Sender|Spender)$/,
  /^Invalid(AccountNonce|ShortString)$/,
  /^StringTooLong$/,
  /^Ownable/,
  /^(Dns|Resolver)/, // the local universal resolver's, for viem's own look-ups
  /^(FieldNotPresent|RLP)/, // a header is checked against its hash before it is sent
]

const errors = faultCourtAbi.filter((entry) => entry.type === 'error')

function sample(type: string): unknown {
  if (type === 'address') return `0x${'ab'.repeat(20)}`
  if (type === 'bytes32') return `0x${'cd'.repeat(32)}`
  if (type === 'string') return 'what'
  if (type === 'bytes') return '0x12'
  return type === 'uint8' || type === 'uint32' || type === 'uint16' ? 3 : 1_800_000_000n
}

describe('every custom error', () => {
  // Seen failing with an entry taken out of the table.
  test.each(errors.map((error) => [error.name, error] as const))('%s', (name, error) => {
    if (NOT_MET.some((pattern) => pattern.test(name))) return
    const inputs = error.inputs as readonly { name: string; type: string }[]
    const args = inputs.map(({ type }) => sample(type))
    const data = encodeErrorResult({ abi: [error], errorName: name, args } as never)
    const explained = explainChainError(Object.assign(new Error('reverted'), { data }))
    expect(Object.keys(CONTRACT_REFUSALS)).toContain(name)
    expect(explained.values).toMatchObject({ error: name })
    for (const [index, { name: field }] of inputs.entries()) expect(explained.values[field]).toEqual(args[index])
    expect(explained.message).not.toMatch(/undefined|NaN|Invalid Date/)
    expect(explained.hint).toBeTruthy()
    expect([5, 75]).toContain(explained.exitCode)
  })

  test('the table names no error the contracts do not have', () => {
    const names = new Set<string>(errors.map(({ name }) => name))
    expect(Object.keys(CONTRACT_REFUSALS).filter((name) => !names.has(name))).toEqual([])
  })

  test('an error of contracts this node does not know keeps its data', () => {
    const explained = explainChainError(Object.assign(new Error('reverted'), { data: '0xdeadbeef' }))
    expect(explained).toMatchObject({ code: 'CONTRACT_UNKNOWN_ERROR', values: { data: '0xdeadbeef' } })
  })
})
