import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { renderCliDocs } from '../../../scripts/generate-cli-docs.ts'

// Bites: change a summary, an option or an example of any command without generating the page anew.
it('docs/cli.md is what the commands say of themselves', async () => {
  const written = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
  expect(written).toBe(await renderCliDocs())
})
