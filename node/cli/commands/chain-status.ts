import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { egi } from '../network/action.ts'
import { connect, NETWORK } from '../network/connect.ts'
import { facts, moment } from '../text.ts'

const { registry: _registry, court: _court, ...OPTIONS } = NETWORK

export const command = defineCommand({
  description: ['Shows the newest block and what the contracts hold, in one read.'],
  options: OPTIONS,
  examples: ['suprnova chain status', 'suprnova chain status --rpc http://127.0.0.1:8545 --json'],
  exits: { [EXIT.config]: 'the contracts are not on this chain', [EXIT.tryAgain]: 'the RPC did not answer' },
  async run(values, context) {
    const { readNetwork } = await import('../../chain/index.ts')
    const { client, deployment, rpcUrls } = await connect({ ...values, registry: undefined, court: undefined }, context)
    const network = await readNetwork({ client, deployment })
    const { chainId, coordinator, source } = deployment
    return {
      data: { rpcUrls, chainId, coordinator, source, ...network },
      text: facts({
        rpc: rpcUrls.join(', '),
        chain: chainId,
        coordinator,
        'found by': source,
        block: network.blockNumber,
        time: moment(network.timestamp),
        epoch: network.currentEpoch,
        stakes: network.stakeCount,
        'minimum stake': egi(network.minStake),
        bonded: egi(network.bonded),
        unbonding: egi(network.unbonding),
        credits: egi(network.credits),
        'in escrow': egi(network.escrow),
        burnable: egi(network.burnable),
        'registrations paused until':
          network.registrationsPausedUntil > network.timestamp ? moment(network.registrationsPausedUntil) : undefined,
      }),
    }
  },
})
