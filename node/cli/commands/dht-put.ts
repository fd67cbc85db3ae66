import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { argument, described, optionalArgument } from '../option.ts'
import { OPTION } from '../options.ts'
import { Progress } from '../progress.ts'
import { epochUntil, facts, table } from '../text.ts'
import { bytesIn } from '../values/bytes-in.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    "Stores a value under a name of this node's stake: signed, held by replicas that the chain chose, promised by receipts. It is done when enough receipts came; those that came are printed. Values over 64 KiB are cut into parts, up to 64 MiB.",
    'A record lives as long as a receipt does (a week on public deployments); to keep it longer, `suprnova dht renew` it, or let the node do so with --keep.',
  ],
  args: {
    name: argument('NAME', 'what to call it', parseText),
    file: optionalArgument('FILE', 'file with the value; - or nothing reads standard input', parseText),
  },
  options: {
    value: described(OPTION.value, 'The value itself, as text, in place of FILE'),
    replicas: OPTION.replicas,
    quorum: OPTION.quorum,
    keep: OPTION.keep,
  },
  examples: [
    'suprnova dht put greeting --value hello',
    'suprnova dht put picture ./picture.png',
    'date | suprnova dht put now',
  ],
  exits: {
    [EXIT.config]: 'the file cannot be read',
    [EXIT.unsafe]: 'the signing guard refuses; the message says why',
    [EXIT.tryAgain]: 'no node runs on this data directory, or too few replicas gave a receipt',
  },
  endsOnSignal: true,
  async run(values, context) {
    const { NodeClient } = await import('../../api/index.ts')
    const progress = new Progress(context.process.stderr, { what: 'sent' })
    const bytes =
      values.value === undefined
        ? progress.of(bytesIn(values.file ?? '-', context))
        : new Uint8Array(Buffer.from(values.value, 'utf8'))
    const { quorum, replicas } = values
    const stored = await new NodeClient(values.dataDir).storeState(values.name, bytes, {
      all: true,
      signal: context.signal,
      ...(values.keep ? { keep: true } : {}),
      ...(quorum === undefined ? {} : { quorum }),
      ...(replicas === undefined ? {} : { replicas }),
    })
    const lines = stored.receipts.map(({ id, stakeId, untilEpoch, untilSeconds }) => [
      `stake ${stakeId}`,
      `until ${epochUntil(untilEpoch, untilSeconds)}`,
      id,
    ])
    const held = facts({
      'record key': stored.recordKey,
      size: `${stored.size} bytes${stored.parts === 0 ? '' : ` in ${stored.parts} parts`}`,
      position: stored.position,
      'lives through': `${epochUntil(stored.expiryEpoch, stored.expirySeconds)}${values.keep ? ', then signed anew' : ''}`,
    })
    const warning = stored.degraded ? '\nNo proper replica could be reached: only stand-ins hold it.' : ''
    return { data: stored, text: `Stored ${values.name}.\n${held}\n\nPromised by\n${table(lines)}${warning}` }
  },
})
