import { expect, test } from 'vitest'
import { createLogger } from '../../../node/api/index.ts'

function recorder(level: 'debug' | 'info' | 'warn' | 'error' = 'debug') {
  const lines: string[] = []
  const logger = createLogger(
    { level },
    { clock: { nowMs: () => 1_700_000_000_000 }, write: (line) => lines.push(line) },
  )
  return { lines, logger }
}

test('a line is one JSON document with time, level, message and fields', () => {
  const { lines, logger } = recorder()
  logger.with({ node: 'a' }).info('stake seen', { amountWei: 10n ** 21n, key: new Uint8Array([1, 255]) })
  expect(lines).toEqual([
    '{"time":"2023-11-14T22:13:20.000Z","level":"info","message":"stake seen","node":"a","amountWei":"1000000000000000000000","key":"0x01ff"}\n',
  ])
})

test('levels below the chosen one are not written', () => {
  const { lines, logger } = recorder('warn')
  logger.debug('a')
  logger.info('b')
  logger.warn('c')
  logger.error('d')
  expect(lines.map((line) => JSON.parse(line).message)).toEqual(['c', 'd'])
})

test('errors keep their code, cause and stack', () => {
  const { lines, logger } = recorder()
  logger.error('failed', { error: Object.assign(new Error('no', { cause: new Error('why') }), { code: 'X' }) })
  expect(JSON.parse(lines[0] ?? '').error).toMatchObject({ code: 'X', message: 'no', cause: { message: 'why' } })
})

// Catches a logger that throws into the code that logs.
test('what cannot be written is said, not thrown', () => {
  const { lines, logger } = recorder()
  const ring: Record<string, unknown> = {}
  ring.ring = ring
  logger.info('ring', { ring })
  logger.info('long', { text: 'x'.repeat(20_000) })
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ message: 'ring', unwritable: expect.stringContaining('circular') })
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ message: 'long', cutFromCharacters: expect.any(Number) })
})
