import { writeFileSync } from 'node:fs'
import { bodyVectors } from './generators/bodies.ts'
import { evidenceVectors } from './generators/evidence.ts'
import { frameVectors } from './generators/frames.ts'
import { merkleVectors } from './generators/merkle.ts'
import { signatureVectors } from './generators/signatures.ts'
import { statementVectors } from './generators/statements.ts'

/** The text of every vector file, by its name. `README.md` beside this file says what stands in them. */
export function vectorFiles(): Record<string, string> {
  const vectors = {
    'statements.json': statementVectors(),
    'signatures.json': signatureVectors(),
    'merkle.json': merkleVectors(),
    'bodies.json': bodyVectors(),
    'frames.json': frameVectors(),
    'evidence.json': evidenceVectors(),
  }
  return Object.fromEntries(Object.entries(vectors).map(([name, data]) => [name, `${JSON.stringify(data, null, 1)}\n`]))
}

// Run by hand after a change that is meant: node test/vectors/generate.ts. A test holds the files to this.
if (import.meta.main) {
  for (const [name, text] of Object.entries(vectorFiles())) writeFileSync(new URL(name, import.meta.url), text)
}
