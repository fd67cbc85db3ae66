import { parentPort } from 'node:worker_threads'
import { verifyDigest } from '../../statements/index.ts'
import { CHECK_BYTES } from './signature-pool.ts'

parentPort?.on('message', (checks: Uint8Array) => {
  const answers = new Uint8Array(checks.length / CHECK_BYTES)
  for (let i = 0; i < answers.length; i++) {
    const check = checks.subarray(i * CHECK_BYTES, (i + 1) * CHECK_BYTES)
    answers[i] = verifyDigest(check.subarray(0, 33), check.subarray(33, 65), check.subarray(65)) ? 1 : 0
  }
  parentPort?.postMessage(answers)
})
