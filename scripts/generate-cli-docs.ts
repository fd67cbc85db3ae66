/**
 * Writes docs/cli.md from the help of the commands themselves. `--check` only says whether it is up to date.
 * Run by `node scripts/on-node24.mjs scripts/generate-cli-docs.ts [--check]`.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import {
  COMMANDS,
  commandHelp,
  commandsOf,
  commonHelp,
  type Entry,
  EXIT_MEANINGS,
  GROUPS,
  nameOf,
} from '../node/cli/index.ts'

const DOCUMENT = new URL('../docs/cli.md', import.meta.url)

/** The whole page, as it should stand in docs/cli.md. */
export async function renderCliDocs(): Promise<string> {
  const single = COMMANDS.filter((entry) => entry.path.length === 1)
  const sections = [
    '# The command line',
    '<!-- Written by scripts/generate-cli-docs.ts from the commands themselves; edit those. -->',
    INTRODUCTION,
    '## Exit codes',
    [
      '| code | meaning |',
      '|---|---|',
      ...Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `| ${code} | ${meaning} |`),
    ].join('\n'),
    `\`\`\`text\n${commonHelp()}\n\`\`\``,
    '## Commands',
    contents(single),
  ]
  for (const entry of single) sections.push(await renderCommand(entry))
  for (const [group, about] of Object.entries(GROUPS)) {
    sections.push(`## ${group}`, `${about}.`)
    for (const entry of commandsOf(group)) sections.push(await renderCommand(entry))
  }
  return `${sections.join('\n\n')}\n`
}

const INTRODUCTION = [
  '`suprnova` works from any directory and under Node 20 or newer: it hands over to the packaged Node 24. In a clone it is `npx suprnova`, or `node node/cli/suprnova.mjs`.',
  'Every option may come from four places: a flag (`--data-dir DIR`) beats the environment (`SUPRNOVA_DATA_DIR`), which beats the config file (`dataDir`), which beats the default. The config file is `suprnova.json` in the data directory, or the one of `--config FILE`; a field that is no option is an error, and paths in it are seen from where it lies. Options that confirm or change what one run does (`--yes`, `--dry-run`, `--force` and the like) are flags only.',
  'With `--json` a command prints exactly one JSON document on standard output, `{ "error": { "code", "message", "hint", "values" } }` when it fails; `gossip sub` prints one a line. Logs and questions go to standard error. Amounts are in EGI with decimals where they are written, and whole wei as decimal strings in JSON.',
  'Where an option takes a KEY, it is the name of a key in the data directory (`operator`), the path of a keystore file, or on local chains `dev:0` to `dev:19`. A password is asked at the terminal, or comes from `--password-file`, from `SUPRNOVA_OPERATOR_PASSWORD`, `SUPRNOVA_NODE_PASSWORD` or `SUPRNOVA_GAS_PASSWORD`, or from `SUPRNOVA_PASSWORD`; never from the command line, where others can read it. `SUPRNOVA_DEBUG=1` shows the stack of a failure.',
].join('\n\n')

function contents(single: readonly Entry[]): string {
  const line = (entry: Entry) =>
    `- [\`${nameOf(entry)}\`](#suprnova-${nameOf(entry).replace(' ', '-')}): ${entry.summary}`
  return [...single, ...Object.keys(GROUPS).flatMap((group) => commandsOf(group))].map(line).join('\n')
}

async function renderCommand(entry: Entry): Promise<string> {
  const { command } = await entry.load()
  return `### suprnova ${nameOf(entry)}\n\n\`\`\`text\n${commandHelp(entry, command, { alone: false }).text}\n\`\`\``
}

async function main(): Promise<void> {
  const wanted = await renderCliDocs()
  if (!process.argv.includes('--check')) {
    await writeFile(DOCUMENT, wanted)
    return
  }
  if ((await readFile(DOCUMENT, 'utf8')) === wanted) return
  console.error('docs/cli.md is out of date: run `node scripts/on-node24.mjs scripts/generate-cli-docs.ts`')
  process.exitCode = 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
