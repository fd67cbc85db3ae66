import { expect, test } from 'vitest'
import { OpenParts } from '../../../node/api/open-parts.ts'
import type { Logger } from '../../../node/core/index.ts'

function parts() {
  const errors: unknown[] = []
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (_m, fields) => errors.push(fields),
    with: () => logger,
  }
  return { open: new OpenParts(logger), errors }
}

// Catches closing in the order of opening: the store would be gone before what writes to it.
test('the newest part is closed first, each after the one before it is closed', async () => {
  const { open } = parts()
  const order: string[] = []
  for (const name of ['lock', 'store', 'network']) {
    open.add(name, name, async () => {
      order.push(`${name} closing`)
      await Promise.resolve()
      order.push(`${name} closed`)
    })
  }
  await open.close()
  expect(order).toEqual([
    'network closing',
    'network closed',
    'store closing',
    'store closed',
    'lock closing',
    'lock closed',
  ])
})

// Catches a lock that stays held because the network could not be stopped.
test('a part that fails to close keeps no other open', async () => {
  const { open, errors } = parts()
  const closed: string[] = []
  open.add('lock', 0, () => void closed.push('lock'))
  open.add('network', 0, () => {
    throw new Error('stuck')
  })
  open.add('http', 0, () => void closed.push('http'))
  await expect(open.close()).rejects.toThrow('stuck')
  expect(closed).toEqual(['http', 'lock'])
  expect(errors).toMatchObject([{ part: 'network' }])
})

test('closing twice closes once, and both wait for it', async () => {
  const { open } = parts()
  let closed = 0
  open.add('store', 0, () => void closed++)
  await Promise.all([open.close(), open.close()])
  expect(closed).toBe(1)
})
