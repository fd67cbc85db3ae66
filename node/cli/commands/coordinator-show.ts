import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { connect, NETWORK } from '../network/connect.ts'
import { facts } from '../text.ts'

const { registry: _registry, court: _court, ...OPTIONS } = NETWORK

export const command = defineCommand({
  description: [
    'A coordinator is a set of contracts found through an ENS name. It cannot be changed; a new deployment is a new coordinator behind the same name. A node that has pinned one never asks the name again to decide anything.',
  ],
  options: OPTIONS,
  examples: [
    'suprnova coordinator show',
    'suprnova coordinator show --coordinator https://current-reality.eth --rpc https://rpc.example.org',
  ],
  exits: { [EXIT.config]: 'the name leads to no coordinator', [EXIT.tryAgain]: 'the RPC did not answer' },
  async run(values, context) {
    const { readParams } = await import('../../chain/index.ts')
    const connection = await connect({ ...values, registry: undefined, court: undefined }, context)
    const { deployment } = connection
    const params = await readParams(connection)
    const {
      source,
      chainId,
      coordinator,
      registry,
      court,
      token,
      lens,
      availability,
      salt,
      coordinatorNode,
      deployBlock,
    } = deployment
    const data = {
      source,
      chainId,
      coordinator,
      registry,
      court,
      token,
      lens,
      availability,
      salt,
      coordinatorNode,
      deployBlock,
      params,
    }
    const numbers = Object.fromEntries(Object.entries(params).map(([name, item]) => [name, String(item)]))
    const contracts = { chain: chainId, coordinator, registry, court, token, lens, availability, 'signing salt': salt }
    return { data, text: `Found by ${source}.\n\n${facts(contracts)}\n\nFixed for ever:\n${facts(numbers)}` }
  },
})
