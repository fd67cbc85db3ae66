import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Prints messages of a topic as the running node accepts them, until Ctrl-C or --count. With --json each line of standard output is one JSON document (NDJSON), with the payload in base64.',
  ],
  args: { topic: argument('TOPIC', 'what to hear', parseText) },
  options: { count: described(OPTION.count, 'End after so many messages') },
  examples: ['suprnova gossip sub chat', 'suprnova gossip sub chat --count 1 --json'],
  exits: { [EXIT.tryAgain]: 'no node runs on this data directory' },
  streams: true,
  endsOnSignal: true,
  async run(values, context) {
    const { NodeClient } = await import('../../api/index.ts')
    const enough = new AbortController()
    const signal = AbortSignal.any([context.signal, enough.signal])
    let heard = 0
    try {
      for await (const line of new NodeClient(values.dataDir).subscribe(values.topic, signal)) {
        if ('dropped' in line) {
          context.note(`${line.dropped} messages came faster than they were read, and were dropped`)
          continue
        }
        context.emit(line, `stake ${line.stakeId}  ${Buffer.from(line.payload, 'base64').toString('utf8')}`)
        heard++
        if (heard === values.count) break
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      enough.abort()
    }
    return undefined
  },
})
