import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { optionalArgument } from '../option.ts'
import { OPTION } from '../options.ts'
import { epochUntil, facts, table } from '../text.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Signs a state anew, so that it lives longer: no record outlives the receipts for it, a week on public deployments. Its bytes are not sent again where they are held. What lives almost as long as it may is left as it is.',
    "With --keep the node does so by itself from now on, at half of each life, as long as it runs; --no-keep ends that. Of another stake's value that was stored in parts, the parts can be renewed by anyone, with --owner. Without a NAME it lists what the node keeps alive.",
  ],
  args: { name: optionalArgument('NAME', 'what it is called', parseText) },
  options: { owner: OPTION.owner, replicas: OPTION.replicas, quorum: OPTION.quorum, keep: OPTION.keep },
  examples: ['suprnova dht renew greeting', 'suprnova dht renew greeting --keep', 'suprnova dht renew'],
  exits: {
    [EXIT.unsafe]: 'the signing guard refuses; the message says why',
    [EXIT.tryAgain]: 'nobody shows it, a newer version may have been missed, or no node runs on this data directory',
  },
  endsOnSignal: true,
  async run(values, context) {
    const { NodeClient } = await import('../../api/index.ts')
    const node = new NodeClient(values.dataDir)
    if (values.name === undefined) {
      const states = await node.kept()
      const lines = states.map(({ expiryEpoch, expirySeconds, nameHash }) => [
        nameHash,
        `signed through ${epochUntil(expiryEpoch, expirySeconds)}`,
      ])
      return { data: { states }, text: lines.length === 0 ? 'No state is kept alive.' : table(lines) }
    }
    const { owner, quorum, replicas } = values
    const renewed = await node.renew(values.name, {
      signal: context.signal,
      ...(owner === undefined ? {} : { owner }),
      ...(quorum === undefined ? {} : { quorum }),
      ...(replicas === undefined ? {} : { replicas }),
      ...(context.sourceOf('keep') === 'default' ? {} : { keep: values.keep }),
    })
    const did = renewed.renewed
      ? `Renewed ${values.name}.`
      : `${values.name} lives almost as long as it may already: nothing was signed.`
    const about = facts({
      'record key': renewed.recordKey,
      size: `${renewed.size} bytes${renewed.parts === 0 ? '' : ` in ${renewed.parts} parts`}`,
      'lives through': epochUntil(renewed.expiryEpoch, renewed.expirySeconds),
      'kept alive': renewed.kept ? 'yes' : 'no',
    })
    return { data: renewed, text: `${did}\n${about}` }
  },
})
