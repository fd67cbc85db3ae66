import { createInterface } from 'node:readline'
import { MetricsRegistry } from '../../../node/api/metrics.ts'
import { systemTimers } from '../../../node/api/system.ts'
import { fromHex, type RequestHandler, type StakeRow, toHex } from '../../../node/core/index.ts'
import { Dht } from '../../../node/dht/index.ts'
import { noLogger } from '../../../node/lab/simulation/silence.ts'
import { Admission, createSigner, keccak256, StatementSigner } from '../../../node/statements/index.ts'
import {
  lockDataDirectory,
  machineEnvironment,
  machineRandom,
  openGuard,
  openSlotIndex,
  openStore,
} from '../../../node/store/index.ts'
import { DOMAIN, PARAMS, replicaKey, WRITER_KEY } from './killed-replica-world.ts'

// A replica as every node runs it: LMDB, guard, slot index, admission, DHT. Requests come as lines and answers go as
// lines, so that whoever kills it knows exactly which answers left.
//
//   s <number> <request in hex>                    -> s <number> <answer in hex>
//   f <number> <key> <digest> <leaf> <root> <i>    -> f <number> <chunk> <path>...   or   f <number> -
const [directory = '', runtimeDirectory = '', replica = '', fresh = '', circumstance = ''] = process.argv.slice(2)
const signer = createSigner(replicaKey(Number(replica)))
const writer = createSigner(WRITER_KEY)
const clock = { nowMs: () => Date.now() }
const metrics = new MetricsRegistry()

const row = (stakeId: number, of: typeof signer): StakeRow => ({
  stakeId,
  operator: of.address,
  status: circumstance === 'unbonding' && stakeId === 1 ? 'unbonding' : 'active',
  amountWei: 10n ** 21n,
  placement: toHex(keccak256(Uint8Array.of(stakeId))),
  jailedUntil: 0,
  tombstoned: circumstance === 'tombstoned' && stakeId === 2,
  readyAt: 0,
})
const rows = new Map([signer, writer].map((of, index) => [index + 1, row(index + 1, of)]))
const tenures = [signer, writer].map(({ address, publicKey }, index) => ({
  ...{ address, publicKey, stakeId: index + 1, fromEpoch: 0, untilEpoch: Number.POSITIVE_INFINITY },
}))
const head = () => ({ number: 1n, hash: toHex(new Uint8Array(32)), timestamp: Date.now() / 1000, seenAtMs: Date.now() })
const maySpeak = (stakeId: number) => {
  const stake = rows.get(stakeId)
  return stake !== undefined && stake.status === 'active' && !stake.tombstoned
}
const stakeView = {
  head,
  key: (address: string) => tenures.find((tenure) => tenure.address === address),
  stake: (stakeId: number) => rows.get(stakeId),
  maySpeak,
  speakers: () => [...rows.values()].filter(({ stakeId }) => maySpeak(stakeId)),
  keyAt: (stakeId: number) => tenures.find((tenure) => tenure.stakeId === stakeId),
  onChange: () => () => undefined,
  // Replica tables lag: the replica is one still when it has begun to leave.
  atTime: () => ({ stakes: () => [...rows.values()].map((stake) => ({ ...stake, status: 'active' as const })) }),
}

await lockDataDirectory(directory, { address: signer.address }, { runtimeDirectory })
const store = await openStore(`${directory}/store`)
const guard = await openGuard(
  { address: signer.address, domain: DOMAIN, rules: PARAMS, fresh: fresh === 'fresh' },
  {
    table: store.table('guard'),
    environment: machineEnvironment(
      { dataDirectory: directory, address: signer.address, domain: DOMAIN },
      { clock, reference: () => Date.now() / 1_000, runtimeDirectory },
    ),
    metrics,
  },
)
const slotIndex = openSlotIndex({}, { table: store.table('slots'), metrics })
const own = { address: signer.address, publicKey: signer.publicKey, guard }
const offences = { report: () => undefined }
const admission = new Admission(
  { domain: DOMAIN, params: PARAMS },
  { stakeView, slotIndex, clock, offences, metrics, own },
)

let handle: RequestHandler | undefined
const transport = {
  request: () => Promise.reject(new Error('there is nobody to ask')),
  isConnected: () => false,
  serve: (handler: RequestHandler) => {
    handle = handler
    return () => undefined
  },
}
const dht = await Dht.open(
  {
    ...{ params: PARAMS, domain: DOMAIN, lagSeconds: 0, ownAddress: signer.address },
    quota: { bytes: 2 ** 30, records: circumstance === 'quota' ? 1 : 1_000_000 },
  },
  {
    ...{ transport, stakeView, admission, clock, metrics, timers: systemTimers, random: machineRandom },
    logger: noLogger,
    statementSigner: new StatementSigner({ guard, signer, domain: DOMAIN }),
    tables: {
      records: store.table('records'),
      floors: store.table('floors'),
      receipts: store.table('receipts'),
      places: store.table('places'),
      kept: store.table('kept'),
    },
    challenges: { isOpen: () => false, readUntilSeconds: () => Date.now() / 1_000 },
    finalSeconds: () => Date.now() / 1_000,
  },
)
dht.start()

// On Linux a pipe is written to at once, and waited for while it is full.
const say = (line: string) => process.stdout.write(`${line}\n`)

async function answer(line: string): Promise<void> {
  const [what, number, ...words] = line.split(' ')
  if (what === 's') {
    const from = { address: writer.address, stakeId: 2 }
    const bytes = await handle?.(new Uint8Array(Buffer.from(words[0] ?? '', 'hex')), from)
    say(`s ${number} ${Buffer.from(bytes ?? new Uint8Array()).toString('hex')}`)
    return
  }
  const [recordKey, putDigest, leaf, valueRoot, chunkIndex] = words
  const found = await dht.replica.find({
    recordKey: fromHex(recordKey as `0x${string}`),
    putDigest: fromHex(putDigest as `0x${string}`),
    putLeaf: Number(leaf),
    valueRoot: fromHex(valueRoot as `0x${string}`),
    chunkIndex: Number(chunkIndex),
  })
  say(`f ${number} ${found === undefined ? '-' : [found.chunk, ...found.path].map(toHex).join(' ')}`)
}

say('ready')
for await (const line of createInterface({ input: process.stdin })) void answer(line)
