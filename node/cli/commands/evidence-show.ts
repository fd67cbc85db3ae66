import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT, type Hex } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { ConfigError, systemCode } from '../errors.ts'
import { readEvidenceFile } from '../evidence/evidence-file.ts'
import { faultName } from '../evidence/words.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { facts } from '../text.ts'
import { parseText } from '../values/text.ts'

const FAULT_ID = /^0x[0-9a-fA-F]{64}$/

export const command = defineCommand({
  description: [
    'Shows what a bundle says, judging nothing. A fault id is looked up in the running node, and --out writes its bundle to a file that anyone can verify and submit, with or without a node.',
  ],
  args: {
    evidence: argument(
      'EVIDENCE',
      'bundle file, - for standard input, or the id of a fault that the running node knows',
      parseText,
    ),
  },
  options: { out: described(OPTION.out, 'Write the bundle to this file') },
  examples: [
    'suprnova evidence show ./bundle.json',
    'suprnova evidence list && suprnova evidence show 0x4f… --out bundle.json',
  ],
  exits: {
    [EXIT.usage]: 'the file is not evidence; the message says why',
    [EXIT.tryAgain]: 'a fault id was given and no node runs',
  },
  async run(values, context) {
    const { decodeBundle, encodeBundle } = await import('../../statements/index.ts')
    const bundle = FAULT_ID.test(values.evidence)
      ? decodeBundle(await fromNode(values.dataDir, values.evidence.toLowerCase() as Hex))
      : await readEvidenceFile(values.evidence, context)
    const document = encodeBundle(bundle)
    if (values.out !== undefined) write(resolve(context.process.cwd, values.out), document)
    const { domain, faultId, faultType, signer } = bundle
    return {
      data: JSON.parse(document),
      text: facts({
        fault: faultId,
        type: faultName(faultType),
        stake: signer.stakeId,
        'node key': signer.address,
        chain: domain.chainId,
        registry: domain.verifyingContract,
        'signing salt': domain.salt,
        statements: faultType === 1 ? 'two, in one slot' : 'one, past the limit',
        'written to': values.out,
      }),
    }
  },
})

async function fromNode(dataDir: string, faultId: Hex): Promise<string> {
  const { NodeClient } = await import('../../api/index.ts')
  return JSON.stringify(await new NodeClient(dataDir).bundle(faultId))
}

function write(path: string, document: string): void {
  try {
    writeFileSync(path, document, { flag: 'wx' })
  } catch (cause) {
    const code = systemCode(cause)
    const why =
      code === 'EEXIST' ? 'exists already and is not overwritten' : `cannot be written: ${code ?? String(cause)}`
    throw new ConfigError('FILE_NOT_WRITTEN', `${path} ${why}`, { values: { path }, cause })
  }
}
