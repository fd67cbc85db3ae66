import { expect, test } from 'vitest'
import { requireNode } from '../../../node/api/runtime.ts'

test('an older Node is told what to do', () => {
  expect(() => requireNode('20.20.2')).toThrow(expect.objectContaining({ code: 'NODE_VERSION', exitCode: 3 }))
  expect(() => requireNode('22.1.0')).toThrow('needs Node 24, this is 22.1.0')
  expect(() => requireNode('24.0.0')).not.toThrow()
  expect(() => requireNode()).not.toThrow()
})
