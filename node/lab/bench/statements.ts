import { createRequire } from 'node:module'
import { hashTypedData, recoverTypedDataAddress } from 'viem'
import { KIND, type SignedStatement, type Statement, toHex } from '../../core/index.ts'
import {
  contentOf,
  createSigner,
  DOMAIN_NAME,
  DOMAIN_VERSION,
  DomainSeparator,
  decodeFrame,
  encodeFrame,
  encodeGossip,
  merkleRoot,
  nativeSecp256k1,
  nobleSecp256k1,
  positionOf,
  type Secp256k1,
  statementDigest,
  topicHash,
  verifyDigest,
} from '../../statements/index.ts'
import { type Bench, type BenchReport, median, thisMachine } from './bench.ts'

/** Rounds are interleaved, so that a busy moment of the machine meets every candidate alike. */
const ROUNDS = 15
const QUICK_ROUNDS = 3
const ROUND_MS = 120
const QUICK_ROUND_MS = 20
/** Distinct statements, so that no cache of one input flatters anybody. */
const SAMPLES = 256
const VERIFY_AIM = 1.2

const DOMAIN = {
  chainId: 31_337n,
  verifyingContract: `0x${'12'.repeat(20)}`,
  salt: `0x${'34'.repeat(32)}`,
} as const

const TYPES = {
  Statement: [
    { name: 'kind', type: 'uint8' },
    { name: 'scope', type: 'bytes32' },
    { name: 'position', type: 'uint64' },
    { name: 'content', type: 'bytes32' },
  ],
} as const

interface Sample {
  readonly statement: Statement
  readonly digest: Uint8Array
  readonly signature: Uint8Array
  readonly frame: Uint8Array
  readonly batch: Uint8Array
  readonly typedData: Parameters<typeof hashTypedData<typeof TYPES, 'Statement'>>[0]
  readonly viemSignature: `0x${string}`
}

interface Candidate {
  readonly operation: string
  readonly library: string
  run(sample: Sample): unknown
}

const separator = new DomainSeparator(DOMAIN)
const signer = createSigner(new Uint8Array(32).fill(7))
const secret = new Uint8Array(32).fill(7)

function makeSample(index: number): Sample {
  const bodies = Array.from({ length: 64 }, (_, i) =>
    encodeGossip({ topicHash: topicHash('bench'), payload: new Uint8Array(256).fill((index + i) & 0xff) }),
  )
  const signed = (of: readonly Uint8Array[]): SignedStatement => {
    const scope = new Uint8Array(32)
    const statement = { kind: KIND.gossip, scope, position: positionOf(1000, index), content: merkleRoot(of) }
    return { signer: signer.address, statement, signature: signer.sign(statementDigest(separator, statement)) }
  }
  const one = bodies.slice(0, 1)
  const { signature, statement } = signed(one)
  const digest = statementDigest(separator, statement)
  const typedData = {
    domain: { ...DOMAIN, name: DOMAIN_NAME, version: DOMAIN_VERSION },
    types: TYPES,
    primaryType: 'Statement',
    message: {
      kind: statement.kind,
      scope: toHex(statement.scope),
      position: statement.position,
      content: toHex(statement.content),
    },
  } as const
  const v = nobleSecp256k1.recover(signature, 0, digest)
  const isEven = v !== undefined && toHex(v) === toHex(nobleSecp256k1.publicKey(secret, false))
  return {
    statement,
    digest,
    signature,
    frame: encodeFrame(signed(one), one),
    batch: encodeFrame(signed(bodies), bodies),
    typedData: typedData as Sample['typedData'],
    viemSignature: `${toHex(signature)}${isEven ? '1b' : '1c'}`,
  }
}

/** All that a node does for a frame of a known signer, but the look-ups: decode, digest, signature, content. */
function verifyFrame(frame: Uint8Array, curve: Secp256k1): boolean {
  const decoded = decodeFrame(frame)
  const { signature, statement } = decoded.signed
  const valid = verifyDigest(signer.publicKey, statementDigest(separator, statement), signature, curve)
  return valid && toHex(contentOf(decoded)) === toHex(statement.content)
}

function verifyStatement({ signature, statement }: Sample, curve: Secp256k1): boolean {
  return verifyDigest(signer.publicKey, statementDigest(separator, statement), signature, curve)
}

const BARE = 'bare ecdsaVerify'
const FRAME = 'verify frame, one body'

function candidates(): Candidate[] {
  const list: Candidate[] = []
  if (nativeSecp256k1) {
    const bindings = createRequire(import.meta.url)('secp256k1/bindings') as typeof import('secp256k1')
    const run = ({ digest, signature }: Sample) => bindings.ecdsaVerify(signature, digest, signer.publicKey)
    list.push({ operation: BARE, library: 'native', run })
  }
  for (const curve of [nativeSecp256k1, nobleSecp256k1]) {
    if (curve === undefined) continue
    list.push(
      { operation: FRAME, library: curve.name, run: ({ frame }) => verifyFrame(frame, curve) },
      {
        operation: 'verify statement (digest, signature)',
        library: curve.name,
        run: (sample) => verifyStatement(sample, curve),
      },
      { operation: 'verify frame, 64 bodies', library: curve.name, run: ({ batch }) => verifyFrame(batch, curve) },
      { operation: 'sign', library: curve.name, run: ({ digest }) => curve.sign(digest, secret) },
    )
  }
  list.push(
    { operation: 'digest', library: 'hash-wasm', run: ({ statement }) => statementDigest(separator, statement) },
    { operation: 'digest', library: 'viem hashTypedData', run: ({ typedData }) => hashTypedData(typedData) },
    {
      operation: 'verify',
      library: 'viem recoverTypedDataAddress',
      run: ({ typedData, viemSignature }) => recoverTypedDataAddress({ ...typedData, signature: viemSignature }),
    },
  )
  return list
}

/** Microseconds for one run, over at least `forMs`. */
async function timeOnce(candidate: Candidate, samples: readonly Sample[], forMs: number): Promise<number> {
  const start = performance.now()
  let runs = 0
  let elapsedMs = 0
  while (elapsedMs < forMs) {
    for (let i = 0; i < 16; i++) {
      const result = candidate.run(samples[runs++ % samples.length]!)
      if (result instanceof Promise) await result
      if (result === false) throw new Error(`${candidate.operation} with ${candidate.library} said false`)
    }
    elapsedMs = performance.now() - start
  }
  return (elapsedMs * 1000) / runs
}

export const bench: Bench = {
  name: 'statements',
  summary: 'sign, verify and digest per second, native and noble, against viem',
  async run({ quick, log }): Promise<BenchReport> {
    const samples = Array.from({ length: quick ? 16 : SAMPLES }, (_, index) => makeSample(index))
    const all = candidates()
    const times = all.map((): number[] => [])
    const rounds = quick ? QUICK_ROUNDS : ROUNDS
    for (let round = 0; round <= rounds; round++) {
      for (const [i, candidate] of all.entries()) {
        const micros = await timeOnce(candidate, samples, quick ? QUICK_ROUND_MS : ROUND_MS)
        if (round > 0) times[i]!.push(micros) // the first round warms up
      }
      if (round > 0) log(`round ${round} of ${rounds}`)
    }
    const rows = all
      .map(({ library, operation }, i) => ({ operation, library, micros: median(times[i]!) }))
      .sort((a, b) => a.operation.localeCompare(b.operation) || a.micros - b.micros)
      .map(({ micros, ...row }) => ({
        ...row,
        microseconds: Number(micros.toFixed(2)),
        perSecond: Math.round(1e6 / micros),
      }))
    const timesOf = (operation: string) =>
      times[all.findIndex((candidate) => candidate.operation === operation && candidate.library === 'native')] ?? []
    // Both stand next to each other in every round, so their ratio is taken round by round.
    const bare = timesOf(BARE)
    const ratio = median(timesOf(FRAME).map((micros, round) => micros / bare[round]!))
    return {
      name: 'statements',
      machine: thisMachine(),
      command: 'npx suprnova bench statements',
      rows,
      aims: [
        {
          aim: `verifying a statement from its frame costs at most ${VERIFY_AIM} times a bare native ecdsaVerify`,
          measured: nativeSecp256k1 ? `${ratio.toFixed(3)} times` : 'no native bindings here',
          met: ratio <= VERIFY_AIM,
        },
      ],
    }
  },
}
