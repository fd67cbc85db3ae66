import { Worker } from 'node:worker_threads'
import { type SignatureCheck, verifyDigest } from '../../statements/index.ts'
import { CHECKS_WAITING_MAX } from '../constants.ts'

/** Public key 33, digest 32, signature 64. */
export const CHECK_BYTES = 33 + 32 + 64

/** Checks signatures on a thread of its own, so that they do not hold up the network's. */
export interface SignaturePool {
  /** Whether the signature holds. Answers come in the order of the questions, but for those past the bound. */
  check(check: SignatureCheck): Promise<boolean>
  /** Checks waiting for their answer. */
  readonly size: number
  close(): Promise<void>
}

/** The file as it runs: TypeScript in the tree, JavaScript in a build. */
const WORKER = new URL(`./signature-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

interface Waiting {
  readonly check: SignatureCheck
  readonly resolve: (holds: boolean) => void
}

/**
 * Starts the thread. Checks of one turn of the event loop go over together: a message between threads costs about as
 * much as a quarter of a check. With {@link CHECKS_WAITING_MAX} waiting, the caller's thread checks for itself, which
 * also slows down whoever brings more.
 */
export function openSignaturePool(): SignaturePool {
  const worker = new Worker(WORKER)
  let gathered: Waiting[] = []
  let asked: Waiting[] = []
  let closed = false

  const answerHere = ({ check, resolve }: Waiting): void => {
    resolve(verifyDigest(check.publicKey, check.digest, check.signature))
  }
  const send = (): void => {
    if (gathered.length === 0) return
    const checks = new Uint8Array(gathered.length * CHECK_BYTES)
    gathered.forEach(({ check }, i) => {
      const at = i * CHECK_BYTES
      checks.set(check.publicKey, at)
      checks.set(check.digest, at + 33)
      checks.set(check.signature, at + 65)
    })
    asked.push(...gathered)
    gathered = []
    worker.postMessage(checks, [checks.buffer])
  }
  const takeBack = (): void => {
    closed = true
    for (const waiting of [...asked, ...gathered]) answerHere(waiting)
    asked = []
    gathered = []
  }
  worker.on('message', (answers: Uint8Array) => {
    const answered = asked.slice(0, answers.length)
    asked = asked.slice(answers.length)
    answered.forEach(({ resolve }, i) => {
      resolve(answers[i] === 1)
    })
  })
  // a thread that fails is done without: its checks are made here, as all later ones
  worker.on('error', takeBack)
  // it must not keep a process alive that is otherwise done; listening takes the reference again, so this comes last
  worker.unref()

  return {
    get size() {
      return asked.length + gathered.length
    },
    check(check) {
      // a signature of another length would shift those behind it
      if (check.signature.length !== 64) return Promise.resolve(false)
      return new Promise((resolve) => {
        const waiting = { check, resolve }
        if (closed || asked.length + gathered.length >= CHECKS_WAITING_MAX) return answerHere(waiting)
        if (gathered.length === 0) setImmediate(send)
        gathered.push(waiting)
      })
    },
    async close() {
      takeBack()
      await worker.terminate()
    },
  }
}
