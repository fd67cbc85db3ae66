import { expect, test } from 'vitest'
import type { NodeStatus } from '../../../node/api/index.ts'
import { LiveView } from '../../../node/lab/network/live-view.ts'
import { drawNetwork, egi, type NetworkView } from '../../../node/lab/network/picture.ts'
import { cut, Screen } from '../../../node/lab/network/screen.ts'

const status = {
  phase: 'running',
  peers: [{}, {}],
  messages: { in: 12, out: 3, rejects: { signature: 2, path: 1, void: 0 }, ignores: {} },
  dht: { records: 7, receipts: 21 },
  faults: [{}],
  slashes: [{ faultId: '0x01', stakeId: 3, chargedWei: String(50n * 10n ** 18n), tombstoned: true, blockNumber: 44 }],
  guard: { state: 'ready', referenceMs: 0 },
} as unknown as NodeStatus

const stake = (stakeId: number) => ({ stakeId, amountWei: 950n * 10n ** 18n, tombstoned: false, jailed: false })

const view: NetworkView = {
  seconds: 7,
  chain: { rpcUrl: 'http://127.0.0.1:1', head: 44, epoch: 9 },
  coordinator: { name: 'current-reality.eth', address: '0x01' },
  nodes: [
    { name: 'node-1', stake: stake(1), status, instead: 'not running' },
    { name: 'node-2', stake: stake(2), status: { ...status, guard: { state: 'skew', referenceMs: 0 } }, instead: '' },
    { name: 'node-3', stake: { ...stake(3), tombstoned: true }, status: undefined, instead: 'lying' },
  ],
  events: ['node-3 lied'],
  commands: [{ command: 'suprnova node status', shows: 'one node' }],
}

function recorder(isTty: boolean, rows = 50) {
  const written: string[] = []
  return {
    written,
    terminal: { isTty, size: () => ({ columns: 100, rows }), write: (text: string) => void written.push(text) },
  }
}

test('the picture shows head, coordinator, stakes, messages, rejects by reason, faults, slashes and commands', () => {
  expect(drawNetwork(view)).toEqual([
    'Suprnova, a private network on this machine, for 7 s',
    '',
    '  chain        http://127.0.0.1:1   head 44   epoch 9',
    '  coordinator  current-reality.eth -> 0x01',
    '',
    '  node    stake  EGI  peers  in  out  records  receipts  rejected             faults  state',
    '  node-1  1      950  2      12  3    7        21        signature 2, path 1  1       ready',
    '  node-2  2      950  2      12  3    7        21        signature 2, path 1  1       guard: skew',
    '  node-3  3      950  -      -   -    -        -         -                    -       lying, TOMBSTONED',
    '',
    '  slashes',
    '    stake 3 lost 50 EGI in block 44, for ever silent',
    '',
    '  node-3 lied',
    '',
    'Try, in another terminal:',
    '  suprnova node status   # one node',
    '',
    'Ctrl-C ends everything and leaves nothing behind.',
  ])
})

test('amounts are exact to four decimals', () => {
  expect(egi(10n ** 21n)).toBe('1000')
  expect(egi(10n ** 18n / 2n)).toBe('0.5')
  expect(egi(123_456_789n * 10n ** 10n)).toBe('1.2345')
})

test('a second picture is drawn over the first and never taller than the terminal', () => {
  const { written, terminal } = recorder(true, 4)
  const screen = new Screen(terminal)
  screen.draw(['a', 'b', 'c', 'd', 'e'])
  screen.draw(['x'])
  screen.draw(['y'])
  screen.end()
  expect(written[0]).toBe('\x1b[?25la\x1b[K\nb\x1b[K\nc\x1b[K\n\x1b[J')
  expect(written[1]).toBe('\x1b[3A\rx\x1b[K\n\x1b[J')
  expect(written[2]).toBe('\x1b[1A\ry\x1b[K\n\x1b[J')
  expect(written[3]).toBe('\x1b[?25h')
})

test('a line is cut by what is seen of it', () => {
  expect(cut('abcdef', 3)).toBe('abc')
  expect(cut('\x1b[31mabcdef\x1b[0m', 3)).toBe('\x1b[31mabc\x1b[0m\x1b[0m')
  expect(cut('ab', 3)).toBe('ab')
})

// Catches escape sequences in a log file.
test('without a terminal there are plain lines only', () => {
  const { written, terminal } = recorder(false)
  const live = new LiveView(terminal)
  live.tell('node-3 lied')
  live.show(view)
  live.show({ ...view, seconds: 9 })
  live.show({ ...view, seconds: 13 })
  live.end()
  expect(written.join('')).not.toContain('\x1b')
  expect(written).toEqual([
    'node-3 lied\n',
    'coordinator current-reality.eth -> 0x01, chain http://127.0.0.1:1\n',
    'try: suprnova node status   # one node\n',
    'head 44  nodes 2/3  peers 4  in 24  out 6  records 14  receipts 42  rejected 6  faults 1  slashes 1\n',
    'head 44  nodes 2/3  peers 4  in 24  out 6  records 14  receipts 42  rejected 6  faults 1  slashes 1\n',
  ])
})
