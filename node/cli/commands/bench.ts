import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { argument } from '../option.ts'
import { OPTION } from '../options.ts'
import { facts, table } from '../text.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Runs one benchmark and prints machine, versions, medians and, measured in the same run, what it is compared with. Benchmarks: statements, gossip, slash, store, retrieve, batched, footprint, scale, query. Aims that are not met are said to be so; they are no failure of the command.',
  ],
  args: {
    name: argument('NAME', 'statements, gossip, slash, store, retrieve, batched, footprint, scale or query', parseText),
  },
  options: { quick: OPTION.quick },
  examples: ['suprnova bench store --quick', 'suprnova bench statements', 'suprnova bench gossip --quick --json'],
  exits: { [EXIT.usage]: 'there is no benchmark of that name' },
  async run(values, context) {
    const { runBench } = await import('../../lab/index.ts')
    const report = await runBench(values.name, { quick: values.quick, log: context.note })
    const { aims, machine, rows } = report
    const sections = [
      `${report.name}: ${report.command}`,
      facts({
        cpu: machine.cpu,
        cores: machine.cores,
        memory: `${machine.memoryGiB} GiB`,
        system: machine.system,
        node: machine.node,
      }),
      columns(rows),
      table(aims.map(({ aim, measured, met }) => [met ? 'met' : 'not met', aim, measured])),
    ]
    for (const { of, rows } of report.profiles ?? []) sections.push(`CPU profile of ${of}:`, columns(rows))
    return { data: report, text: sections.join('\n\n') }
  },
})

/** Rows under the names of their columns. */
function columns(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return table([names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))])
}
