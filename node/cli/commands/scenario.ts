import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { table } from '../text.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Plays a story on a network made for it alone (its own chain, ports and data, real processes), judges it by its transcript, and cleans everything up. Stories of lies: equivocation, overrun, unstaked, stolen-evidence, restart. Stories of records: replica-loss, withheld, answered, churn, eclipse, flood, disk-full, clock-skew. With --json the report holds the whole transcript.',
  ],
  args: { name: argument('NAME', 'one of the stories above', parseText) },
  options: { nodes: described(OPTION.nodes, 'How many nodes (default: what the story needs)') },
  examples: ['suprnova scenario equivocation', 'suprnova scenario churn --nodes 12 --json'],
  exits: {
    [EXIT.internal]: 'the story did not end as promised, or broke off',
    [EXIT.usage]: 'there is no story of that name, or not with so few or many nodes',
  },
  endsOnSignal: true,
  async run(values, context) {
    const { runScenario } = await import('../../lab/index.ts')
    const report = await runScenario(values.name, {
      log: context.note,
      signal: context.signal,
      ...(values.nodes === undefined ? {} : { nodes: values.nodes }),
    })
    const { findings, kept, name, seconds, summary } = report
    const rows = findings.map((finding) => [finding.kept ? 'kept' : 'BROKEN', finding.promise, finding.detail])
    const ending = kept ? 'ended as promised' : 'did NOT end as promised'
    return {
      data: report,
      text: `${name}: ${summary}\n\n${table(rows)}\n\n${name} with ${report.nodes} nodes ${ending}, in ${seconds} s`,
      exitCode: kept ? EXIT.ok : EXIT.internal,
    }
  },
})
