import type { ChainClient } from '../../chain/index.ts'

/**
 * Resolves once the head is at or past a time of the chain, or `signal` aborts.
 * @param unixSeconds by the chain's own clock
 */
export function waitForTime(client: ChainClient, unixSeconds: number, signal: AbortSignal): Promise<void> {
  return waitForHead(client, signal, (head) => head.timestamp >= unixSeconds)
}

/** Resolves once `reached` says so of a head, or `signal` aborts. */
export function waitForHead(
  client: ChainClient,
  signal: AbortSignal,
  reached: (head: { number: number; timestamp: number }) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      unwatch()
      signal.removeEventListener('abort', onAbort)
      settle()
    }
    const onAbort = (): void => end(resolve)
    const unwatch = client.watchBlocks({
      emitOnBegin: true,
      emitMissed: false,
      onBlock: (block) => {
        if (reached({ number: Number(block.number), timestamp: Number(block.timestamp) })) end(resolve)
      },
      onError: (error) => end(() => reject(error)),
    })
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
}
