import { fileURLToPath } from 'node:url'

/** The extension of what runs: sources as they are in a clone, what was built of them in the published package. */
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** The path of a program of this project, from `node/`, without its extension: `cli/main`. */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`../${name}.${EXTENSION}`, import.meta.url))
}
