/**
 * Speaks with a key that nothing guards, for the lab alone. The first line of standard input holds its options (arguments
 * can be read by every user of a machine), each further one an order; each is answered with a line of JSON.
 */
import { createInterface } from 'node:readline'
import { Speaker } from '../peers/speaker.ts'
import type { SpeakerOptions, SpeakerOrder } from '../peers/speaker-process.ts'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const { topic, minPeers, ...options } = JSON.parse(String((await lines.next()).value)) as SpeakerOptions
const speaker = await Speaker.open(options, topic)
const answer = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`)

async function obey({ order, texts }: Omit<SpeakerOrder, 'id'>): Promise<number> {
  const [first = '', second = ''] = texts
  if (order === 'twice') return speaker.sayTwice(first, second)
  return order === 'beyond' ? speaker.sayBeyond(first) : speaker.say(first)
}

async function waitForListeners(): Promise<void> {
  if (speaker.listeners() >= minPeers) return answer({ ready: true })
  setTimeout(waitForListeners, 100)
}

async function end(): Promise<void> {
  await speaker.close()
  process.exit(0)
}

async function listen(): Promise<void> {
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
    const { id, ...order } = JSON.parse(line.value) as SpeakerOrder
    try {
      answer({ id, sent: await obey(order), atMs: Date.now() })
    } catch (error) {
      answer({ id, error: String(error) })
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end())
await waitForListeners()
await listen()
// Standard input ended: whoever gave the orders is gone.
await end()
