import type { IncomingMessage, ServerResponse } from 'node:http'
import { SuprnovaError, type Timers } from '../../core/index.ts'
import { BODY_DRAIN_MS, STATE_LIMIT_BYTES, STATE_STALL_MS } from '../constants.ts'
import { RequestError } from '../errors.ts'
import { errorBody } from './answer.ts'

/** The trailer that says what broke a value off that was on its way. */
export const ERROR_TRAILER = 'x-suprnova-error'

/**
 * The body of a request as it comes, never held whole. It ends with an error when the other side goes away, sends more than
 * a value may have, or nothing for {@link STATE_STALL_MS}.
 */
export async function* bodyOf(request: IncomingMessage, timers: Timers): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0
  let cancel = () => {}
  const watch = () => {
    cancel()
    cancel = timers.after(STATE_STALL_MS, () => request.destroy())
  }
  watch()
  try {
    // A request that is let go of unread can still be answered; one that is destroyed cannot.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length
      if (size > STATE_LIMIT_BYTES) throw bodyTooLarge()
      // While the value is being stored nothing is read: only the wait for more of it counts.
      cancel()
      yield chunk
      watch()
    }
  } catch (cause) {
    if (cause instanceof SuprnovaError) throw cause
    throw new RequestError(400, 'BODY_CUT_OFF', `the value broke off after ${size} bytes, and was not stored`, {
      cause,
    })
  } finally {
    cancel()
  }
}

export function bodyTooLarge(): RequestError {
  return new RequestError(413, 'BODY_TOO_LARGE', `the value is larger than ${STATE_LIMIT_BYTES} bytes`, {
    values: { limit: STATE_LIMIT_BYTES },
    hint: 'store it in several values',
  })
}

/**
 * Sends a value part by part, no faster than it is read. What goes wrong on the way is told in a trailer, since the head has
 * said 200 by then; a reader that goes away or takes nothing for {@link STATE_STALL_MS} ends it.
 */
export async function sendParts(
  response: ServerResponse,
  parts: AsyncIterable<Uint8Array>,
  timers: Timers,
): Promise<void> {
  try {
    for await (const part of parts) {
      if (!response.write(part)) await roomIn(response, timers)
      if (response.destroyed) return
    }
  } catch (error) {
    response.addTrailers({ [ERROR_TRAILER]: encodeURIComponent(JSON.stringify(errorBody(error))) })
  }
  response.end()
}

function roomIn(response: ServerResponse, timers: Timers): Promise<void> {
  if (response.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const cancel = timers.after(STATE_STALL_MS, () => response.destroy())
    const end = () => {
      cancel()
      response.off('drain', end).off('close', end)
      resolve()
    }
    response.on('drain', end).on('close', end)
  })
}

/**
 * Reads the rest of a request that is about to be refused, for a moment: a connection closed on unread bytes may take the
 * answer with it.
 */
export async function drain(request: IncomingMessage, timers: Timers): Promise<void> {
  if (request.complete || request.destroyed) return
  await new Promise<void>((resolve) => {
    const cancel = timers.after(BODY_DRAIN_MS, () => resolve())
    const end = () => {
      cancel()
      resolve()
    }
    request.once('end', end).once('close', end).resume()
  })
}
