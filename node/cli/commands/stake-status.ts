import type { StakeDetails } from '../../chain/index.ts'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { UsageError } from '../errors.ts'
import { addressOfKey } from '../keys/key-file.ts'
import { egi } from '../network/action.ts'
import { connect, NETWORK } from '../network/connect.ts'
import { described } from '../option.ts'
import { OPTION } from '../options.ts'
import { facts, moment } from '../text.ts'

export const command = defineCommand({
  description: [
    'Reads the registry; opens no key. By default it shows the stake of the operator key in the data directory.',
  ],
  options: {
    stake: described(OPTION.stake, 'Stake id'),
    address: described(OPTION.address, 'Operator of the stake'),
    operatorKey: OPTION.operatorKey,
    ...NETWORK,
  },
  examples: ['suprnova stake status', 'suprnova stake status --stake 1 --json'],
  exits: { [EXIT.chain]: 'the chain refused to answer', [EXIT.tryAgain]: 'the RPC did not answer' },
  async run(values, context) {
    const { readStake } = await import('../../chain/index.ts')
    const which =
      values.stake !== undefined
        ? { stakeId: values.stake }
        : { operator: values.address ?? (await addressOfKey('operator', values.operatorKey, values.dataDir, context)) }
    const stake = await readStake(await connect(values, context), which)
    if (stake === undefined) {
      const message =
        'stakeId' in which ? `there is no stake ${which.stakeId}` : `operator ${which.operator} has no stake`
      throw new UsageError('NO_STAKE', message, { hint: '`suprnova stake register` makes one', values: which })
    }
    return { data: stake, text: describe(stake) }
  },
})

function describe(stake: StakeDetails): string {
  return facts({
    stake: stake.stakeId,
    status: [
      stake.status,
      stake.tombstoned ? 'tombstoned for ever' : undefined,
      stake.jailedUntil > 0 ? 'jailed' : undefined,
    ]
      .filter((word) => word !== undefined)
      .join(', '),
    bonded: egi(stake.amountWei),
    'registered minimum': egi(stake.minStakeWei),
    operator: stake.operator,
    'node key': stake.nodeKey,
    'key from epoch': stake.keyFromEpoch,
    person: stake.person,
    placement: /^0x0+$/.test(stake.placement) ? `drawn by block ${stake.drawBlock}` : stake.placement,
    'jailed until': stake.jailedUntil > 0 ? moment(stake.jailedUntil) : undefined,
    'withdrawable from': stake.readyAt > 0 ? moment(stake.readyAt) : undefined,
    'faults to settle': stake.unsettledFaults > 0 ? stake.unsettledFaults : undefined,
  })
}
