export { COMMANDS, commandsOf, type Entry, GROUPS, nameOf } from './commands.ts'
export type { Context, Process } from './context.ts'
export { commandHelp, commonHelp, EXIT_MEANINGS } from './help.ts'
export { run, version } from './run.ts'
