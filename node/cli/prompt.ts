import { createInterface } from 'node:readline/promises'
import type { Process } from './context.ts'

/** Asks a person at a terminal. Questions go to stderr, so stdout stays what the command promised. */
export interface Prompt {
  /** Whether there is somebody to ask. */
  readonly terminal: boolean
  /** A line; what is written is seen. */
  ask(question: string): Promise<string>
  /** A line that is not shown. */
  askSecret(question: string): Promise<string>
}

/** Ctrl-C at a prompt. */
export class PromptCancelled extends Error {
  override readonly name = 'PromptCancelled'
}

const ENTER = new Set(['\r', '\n', '\u0004'])
const ERASE = new Set(['\u007f', '\b'])
const CANCEL = '\u0003'

/** A prompt on the terminal of `process`. */
export function createPrompt(process: Pick<Process, 'stdin' | 'stderr'>): Prompt {
  const { stdin, stderr } = process
  return {
    terminal: stdin.isTTY === true,
    async ask(question) {
      stderr.write(`${question} `)
      const lines = createInterface({ input: stdin, terminal: false })
      try {
        return await new Promise<string>((resolve, reject) => {
          lines.once('line', resolve)
          lines.once('close', () => reject(new PromptCancelled('the input ended before an answer')))
        })
      } finally {
        lines.close()
      }
    },
    async askSecret(question) {
      stderr.write(`${question} `)
      stdin.setRawMode?.(true)
      try {
        return await readHidden(stdin)
      } finally {
        stdin.setRawMode?.(false)
        stdin.pause()
        stderr.write('\n')
      }
    },
  }
}

function readHidden(stdin: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = []
    const onData = (chunk: Buffer | string): void => {
      for (const letter of chunk.toString()) {
        if (ENTER.has(letter)) {
          finish(() => resolve(typed.join('')))
          return
        }
        if (letter === CANCEL) {
          finish(() => reject(new PromptCancelled('cancelled')))
          return
        }
        if (ERASE.has(letter)) typed = typed.slice(0, -1)
        else typed.push(letter)
      }
    }
    const onEnd = (): void => finish(() => reject(new PromptCancelled('the input ended before an answer')))
    const finish = (settle: () => void): void => {
      stdin.off('data', onData)
      stdin.off('end', onEnd)
      settle()
    }
    stdin.on('data', onData)
    stdin.on('end', onEnd)
    stdin.resume()
  })
}
