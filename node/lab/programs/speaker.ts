/**
 * Speaks with a key that nothing guards, for the lab alone. Options come as JSON in the first argument, orders as lines
 * of JSON on standard input; each is answered with a line of JSON: how many peers it went to, and when.
 */
import { createInterface } from 'node:readline'
import { Speaker } from '../peers/speaker.ts'
import type { SpeakerOptions, SpeakerOrder } from '../peers/speaker-process.ts'

const { topic, minPeers, ...options } = JSON.parse(process.argv[2] ?? '') as SpeakerOptions
const speaker = await Speaker.open(options, topic)
const answer = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`)

async function obey({ order, texts }: SpeakerOrder): Promise<number> {
  const [first = '', second = ''] = texts
  if (order === 'twice') return speaker.sayTwice(first, second)
  return order === 'beyond' ? speaker.sayBeyond(first) : speaker.say(first)
}

async function waitForPeers(): Promise<void> {
  if (speaker.peers() >= minPeers) return answer({ ready: true })
  setTimeout(waitForPeers, 100)
}

async function end(): Promise<void> {
  await speaker.close()
  process.exit(0)
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line) as SpeakerOrder
  obey(order).then(
    (sent) => answer({ id: order.id, sent, atMs: Date.now() }),
    (error: unknown) => answer({ id: order.id, error: String(error) }),
  )
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end())
await waitForPeers()
