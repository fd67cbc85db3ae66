import { equalBytes } from '../core/index.ts'
import type { AdmittedBody } from './admission-verdict.ts'
import { decodeBody, type GossipBody } from './bodies/index.ts'
import { DecodeError } from './errors.ts'
import { decodeFrame, type Frame } from './frame.ts'

/** Takes a frame and its bodies apart, or says how to refuse it. */
export function openFrame(
  bytes: Uint8Array,
): { frame: Frame; bodies: AdmittedBody[] } | { reason: 'undecodable' | 'void' } {
  try {
    const frame = decodeFrame(bytes)
    const { kind } = frame.signed.statement
    return {
      frame,
      bodies: frame.bodies.map((body) => ({
        ...body,
        body: decodeBody(kind, body.bytes),
      })),
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return { reason: error.field === 'kind' ? 'void' : 'undecodable' }
  }
}

/** Whether every body names the topic the frame came on. */
export function isOnTopic(bodies: readonly AdmittedBody[], topicHash: Uint8Array | undefined): boolean {
  if (topicHash === undefined) return true
  return bodies.every(({ body }) => equalBytes((body as GossipBody).topicHash, topicHash))
}
