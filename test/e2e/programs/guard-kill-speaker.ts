import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { type MeshKind, type MeteredKind, toHex } from '../../../node/core/index.ts'
import { createSigner, encodeGossip, StatementSigner } from '../../../node/statements/index.ts'
import { lockDataDirectory, machineEnvironment, openGuard, openStore } from '../../../node/store/index.ts'

// Signs as fast as it can, gossip and mesh votes, every content new, and prints what it signed until it is killed.
const [directory = '', runtimeDirectory = '', keyByte = '', fresh = ''] = process.argv.slice(2)
const signer = createSigner(Buffer.alloc(32, Number(keyByte)))
const domain = { chainId: 31_337n, verifyingContract: `0x${'cd'.repeat(20)}`, salt: `0x${'ef'.repeat(32)}` } as const

await lockDataDirectory(directory, { address: signer.address }, { runtimeDirectory })
const store = await openStore(`${directory}/store`)
const guard = await openGuard(
  {
    address: signer.address,
    domain,
    rules: { epochSeconds: 1, skewSeconds: 1, putLimit: 65_536, gossipLimit: 65_536, receiptLimit: 65_536 },
    fresh: fresh === 'fresh',
  },
  {
    table: store.table('guard'),
    environment: machineEnvironment(
      { dataDirectory: directory, address: signer.address, domain },
      { clock: { nowMs: () => Date.now() }, reference: () => Date.now() / 1_000, runtimeDirectory },
    ),
  },
)
const statements = new StatementSigner({ guard, signer, domain })
const scope = new Uint8Array(32).fill(9)

function say(kind: number, position: bigint, content: Uint8Array): void {
  writeSync(1, `${kind} ${position} ${toHex(content)}\n`)
}

async function gossip(): Promise<never> {
  for (;;) {
    const body = encodeGossip({ topicHash: randomBytes(32), payload: randomBytes(16) })
    const { statement } = await statements.sign(2 satisfies MeteredKind, [body])
    say(statement.kind, statement.position, statement.content)
  }
}

/** Votes in slots anew, those of its earlier lives too: most are refused, since its content is another every time. */
async function vote(kind: MeshKind): Promise<never> {
  for (let slot = 0n; ; slot = (slot + 1n) % 400n) {
    const { statement } = await statements.signMesh(kind, scope, slot, randomBytes(32)).catch((error: unknown) => {
      if ((error as { values?: { reason?: string } }).values?.reason !== 'slot') throw error
      return { statement: undefined }
    })
    if (statement) say(statement.kind, statement.position, statement.content)
    else await new Promise((resolve) => setImmediate(resolve))
  }
}

say(0, 0n, new Uint8Array(32))
await Promise.all([...Array.from({ length: 8 }, gossip), vote(6), vote(7)])
