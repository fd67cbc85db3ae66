import { randomBytes } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import {
  createNetwork,
  FANOUT_DEFAULT,
  gossipSettings,
  mergingEncrypter,
  messageId,
  messageIdText,
  type SignaturePool,
  topicScoreParams,
} from '../../net/index.ts'
import { Admission, createSigner, StatementSigner } from '../../statements/index.ts'
import { BENCH_DOMAIN, BENCH_PARAMS, openBenchNode, registryOf } from './gossip-registry.ts'

export const NODES = 10
const TOPIC = 'bench'
const LISTEN = ['/ip4/127.0.0.1/tcp/0']
/** Each node is linked to the two before and the two after it: four links, so that every mesh is the whole graph. */
const STEPS = [1, 2]

/** Ten nodes that gossip in one way. */
export interface GossipNetwork {
  /** Says `payloads` from one node: one message each, or one frame for all. */
  publish(node: number, payloads: readonly Uint8Array[]): Promise<void>
  /** Mesh peers, all nodes together. */
  meshLinks(): number
  stop(): Promise<void>
}

/** Called with every payload at every node that hears it. */
export type Heard = (payload: Uint8Array) => void

export interface PlainOptions {
  /** undefined: no signatures (StrictNoSign), nothing checked. */
  readonly signedBy?: 'Ed25519' | 'secp256k1'
  readonly merging: boolean
}

async function link(dial: (from: number, to: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < NODES; i++) for (const step of STEPS) await dial(i, (i + step) % NODES)
}

/** libp2p's own gossipsub with the settings this project uses, without or with its own signatures. */
export async function plainNetwork({ signedBy, merging }: PlainOptions, heard: Heard): Promise<GossipNetwork> {
  const settings = gossipSettings(FANOUT_DEFAULT, () => 5)
  const rate = { messagesPerSecond: 1_000, fanout: FANOUT_DEFAULT, decayIntervalMs: 1_000 }
  const start = async () =>
    createLibp2p({
      privateKey: await generateKeyPair(signedBy ?? 'secp256k1'),
      addresses: { listen: LISTEN },
      transports: [tcp()],
      connectionEncrypters: [merging ? mergingEncrypter(noise()) : noise()],
      streamMuxers: [yamux()],
      connectionManager: { inboundConnectionThreshold: 100 },
      connectionMonitor: { enabled: false },
      services: {
        identify: identify(),
        gossip: gossipsub({
          ...settings,
          scoreParams: { ...settings.scoreParams, topics: { [TOPIC]: topicScoreParams(rate) } },
          ...(signedBy
            ? { globalSignaturePolicy: 'StrictSign' }
            : { globalSignaturePolicy: 'StrictNoSign', msgIdFn: messageId, msgIdToStrFn: messageIdText }),
        }),
      },
    })
  const hosts = await Promise.all(Array.from({ length: NODES }, start))
  for (const { services } of hosts) {
    services.gossip.addEventListener('message', ({ detail }) => heard(detail.data))
    services.gossip.subscribe(TOPIC)
  }
  await link((from, to) => hosts[from]!.dial(hosts[to]!.getMultiaddrs()))
  const meshOf = (gossip: GossipSub) =>
    (gossip as GossipSub & { getMeshPeers(topic: string): string[] }).getMeshPeers(TOPIC)
  return {
    publish: async (node, payloads) => {
      for (const payload of payloads) await hosts[node]!.services.gossip.publish(TOPIC, payload)
    },
    meshLinks: () => hosts.reduce((sum, { services }) => sum + meshOf(services.gossip).length, 0),
    stop: async () => void (await Promise.all(hosts.map((host) => host.stop()))),
  }
}

export interface SuprnovaOptions {
  readonly form: 'one body' | 'batch'
  /** One for all nodes: they share a process as they share its main thread. */
  readonly signaturePool?: SignaturePool
}

/** This project's network as nodes run it: statements through guard, admission, slot index. */
export async function suprnovaNetwork(options: SuprnovaOptions, heard: Heard): Promise<GossipNetwork> {
  const { form, signaturePool } = options
  const keys = Array.from({ length: NODES }, () => new Uint8Array(randomBytes(32)))
  const signers = keys.map((key) => createSigner(key))
  const stakeView = registryOf(signers)
  const start = async (privateKey: Uint8Array, i: number) => {
    const signer = signers[i]!
    const node = await openBenchNode(signer.address)
    const { guard, slotIndex, offences, ...modules } = node.modules
    const network = await createNetwork(
      { domain: BENCH_DOMAIN, params: BENCH_PARAMS, listen: LISTEN, peersTarget: 1 },
      {
        ...modules,
        ...(signaturePool && { signaturePool }),
        privateKey,
        stakeView,
        admission: new Admission(
          { domain: BENCH_DOMAIN, params: BENCH_PARAMS },
          { ...modules, stakeView, slotIndex, offences },
        ),
        statementSigner: new StatementSigner({ guard, signer, domain: BENCH_DOMAIN }),
      },
    )
    await network.start()
    network.subscribe(TOPIC, ({ payload }) => heard(payload), { messagesPerSecond: 1_000 })
    return { network, close: node.close }
  }
  const nodes = await Promise.all(keys.map(start))
  const networks = nodes.map(({ network }) => network)
  await link((from, to) => networks[from]!.dial(networks[to]!.multiaddrs()[0]!))
  return {
    publish: async (node, payloads) => {
      if (form === 'batch') await networks[node]!.publishBatch(TOPIC, payloads)
      else for (const payload of payloads) await networks[node]!.publish(TOPIC, payload)
    },
    meshLinks: () => networks.reduce((sum, network) => sum + (network.stats().topics[0]?.meshPeers ?? 0), 0),
    stop: async () => {
      for (const { network, close } of nodes) {
        await network.stop()
        await close()
      }
    },
  }
}
