import { EXIT, SuprnovaError } from '../core/index.ts'

/** A topic name that is empty, too long or already taken. */
export class TopicError extends SuprnovaError {
  override readonly name = 'TopicError'
}

/** A payload, batch or piece of evidence past its limit. */
export class PayloadError extends SuprnovaError {
  override readonly name = 'PayloadError'
}

/** The network is not running, or was given options that cannot work. */
export class NetworkError extends SuprnovaError {
  override readonly name = 'NetworkError'
}

export const notRunning = () =>
  new NetworkError('NET_NOT_RUNNING', 'the network is not running', {
    exitCode: EXIT.tryAgain,
    hint: 'call start() first, and nothing after stop()',
  })

export const badOption = (field: string, value: unknown, limit: string) =>
  new NetworkError('NET_BAD_OPTION', `${field} is ${JSON.stringify(value)}, expected ${limit}`, {
    exitCode: EXIT.config,
    hint: `set ${field} to ${limit}`,
    values: { field, value, limit },
  })

export const badTopic = (topic: string, limit: string) =>
  new TopicError('NET_BAD_TOPIC', `topic ${JSON.stringify(topic.slice(0, 160))} must be ${limit}`, {
    exitCode: EXIT.usage,
    hint: 'choose a shorter name, or one name for several kinds of message',
    values: { topic, limit },
  })

export const badPayload = (field: string, size: number, limit: number) =>
  new PayloadError('NET_BAD_PAYLOAD', `${field} is ${size}, the limit is ${limit}`, {
    exitCode: EXIT.usage,
    hint: 'send less at once, or send a hash and store the rest',
    values: { field, size, limit },
  })
