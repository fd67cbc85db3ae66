import type { GuardRefusal, MeteredKind } from '../../core/index.ts'
import { RESERVE_AHEAD_INDICES, RESERVED_BLOCK_INDICES, WAIT_EPOCHS } from '../constants.ts'
import {
  type ClockReading,
  epochAt,
  type GuardPhase,
  type GuardRules,
  type GuardState,
  limitOf,
  type MeteredMark,
} from './guard-state.ts'

export type GuardEvent =
  /** Somebody wants to sign. */
  | { readonly type: 'reserve'; readonly kind: MeteredKind; readonly reading: ClockReading }
  /** Somebody only asks. */
  | { readonly type: 'look'; readonly reading: ClockReading }
  /** A block of indices is flushed. */
  | { readonly type: 'durable'; readonly kind: MeteredKind; readonly epoch: number; readonly end: number }
  /** A block of indices was not written, and will not be: the disk has no room. */
  | { readonly type: 'unwritten'; readonly kind: MeteredKind; readonly epoch: number; readonly end: number }
  /** A valid metered statement of the own key, in an epoch since the guard began, that it did not give out. */
  | { readonly type: 'foreignMetered' }
  /** The same in a mesh. */
  | { readonly type: 'foreignMesh'; readonly reading: ClockReading }
  /** The operator says that no other copy of this guard runs, and that what this one knows may be incomplete. */
  | { readonly type: 'declareLost'; readonly reading: ClockReading }
  /** Marks merged upward from an interchange file, durable already. */
  | { readonly type: 'imported'; readonly kind: MeteredKind; readonly epoch: number; readonly end: number }
  | { readonly type: 'drain'; readonly draining: boolean }

export type GuardAction =
  /** Hand out this index. */
  | { readonly type: 'grant'; readonly epoch: number; readonly index: number }
  | { readonly type: 'refuse'; readonly reason: GuardRefusal }
  /** Ask again once the block being written is durable. */
  | { readonly type: 'await' }
  /** Make this end durable, then say so by a `durable` event. */
  | { readonly type: 'writeMark'; readonly kind: MeteredKind; readonly epoch: number; readonly end: number }
  /** Make phase, beginning and mesh silence durable before any later mark. */
  | { readonly type: 'writePhase'; readonly because: string }

export interface GuardStep {
  readonly state: GuardState
  readonly actions: readonly GuardAction[]
}

/** The whole decision, without a disk or a clock of its own. */
export function stepGuard(rules: GuardRules, state: GuardState, event: GuardEvent): GuardStep {
  switch (event.type) {
    case 'reserve': {
      const seen = absorbReading(rules, state, event.reading)
      const reason = meteredRefusal(rules, seen.state, event.reading)
      if (reason) return { state: seen.state, actions: [...seen.actions, { type: 'refuse', reason }] }
      const reserved = reserve(rules, seen.state, event.kind, event.reading)
      return seen.actions.length === 0
        ? reserved
        : { state: reserved.state, actions: [...seen.actions, ...reserved.actions] }
    }
    case 'look': {
      const seen = absorbReading(rules, state, event.reading)
      const reason = meteredRefusal(rules, seen.state, event.reading)
      return reason ? { state: seen.state, actions: [...seen.actions, { type: 'refuse', reason }] } : seen
    }
    case 'durable': {
      const mark = state.marks[event.kind]
      if (mark.epoch !== event.epoch || mark.end >= event.end) return { state, actions: [] }
      return { state: withMark(state, event.kind, { ...mark, end: event.end }), actions: [] }
    }
    case 'unwritten': {
      const mark = state.marks[event.kind]
      if (mark.epoch !== event.epoch || mark.asked !== event.end) return { state, actions: [] }
      return { state: withMark(state, event.kind, { ...mark, asked: mark.end }), actions: [] }
    }
    case 'foreignMetered':
      if (state.phase.name === 'lost') return { state, actions: [] }
      return {
        state: { ...state, phase: { name: 'lost' }, meshSilent: true },
        actions: [{ type: 'writePhase', because: 'a statement of this key was seen that this guard did not give out' }],
      }
    case 'foreignMesh':
      // Once silent there is nothing left to lose in meshes, and old votes of an earlier life may come at any time.
      if (state.meshSilent) return { state, actions: [] }
      return beginWait(rules, state, event.reading, 'a mesh vote of this key was seen that this guard does not know')
    case 'declareLost':
      return beginWait(rules, { ...state, phase: { name: 'signing' } }, event.reading, 'it was declared lost')
    case 'imported': {
      const mark = state.marks[event.kind]
      const ahead = event.epoch > mark.epoch || (event.epoch === mark.epoch && event.end > mark.asked)
      if (!ahead) return { state, actions: [] }
      const merged = { epoch: event.epoch, next: event.end, end: event.end, asked: event.end }
      return { state: withMark(state, event.kind, merged), actions: [] }
    }
    case 'drain':
      return { state: { ...state, draining: event.draining }, actions: [] }
  }
}

/** The beginning of a wait: everything this key may have said until now lies before the end of it. */
export function waitFrom(rules: GuardRules, reading: ClockReading): { phase: GuardPhase; beganEpoch: number } {
  const baseMs = Math.max(reading.clockMs, reading.referenceMs ?? 0)
  return {
    phase: { name: 'waiting', baseMs, referenceSeen: reading.referenceMs !== undefined },
    beganEpoch: epochAt(rules, baseMs) + WAIT_EPOCHS,
  }
}

function beginWait(rules: GuardRules, state: GuardState, reading: ClockReading, because: string): GuardStep {
  const wait = state.phase.name === 'lost' ? { phase: state.phase } : waitFrom(rules, reading)
  return { state: { ...state, ...wait, meshSilent: true }, actions: [{ type: 'writePhase', because }] }
}

function absorbReading(rules: GuardRules, state: GuardState, reading: ClockReading): GuardStep {
  const offsetMs = reading.clockMs - reading.uptimeMs
  if (state.clockOffsetMs !== undefined && Math.abs(offsetMs - state.clockOffsetMs) > rules.skewSeconds * 1_000) {
    return beginWait(rules, { ...state, clockOffsetMs: offsetMs }, reading, 'the clock jumped')
  }
  const { phase } = state
  if (phase.name !== 'waiting' || reading.referenceMs === undefined) return { state, actions: [] }
  if (!phase.referenceSeen) {
    const later = waitFrom(rules, { ...reading, clockMs: phase.baseMs })
    return { state: { ...state, ...later }, actions: [] }
  }
  const overMs = phase.baseMs + WAIT_EPOCHS * rules.epochSeconds * 1_000
  if (Math.min(reading.clockMs, reading.referenceMs) < overMs) return { state, actions: [] }
  return {
    state: { ...state, phase: { name: 'signing' } },
    actions: [{ type: 'writePhase', because: 'the wait is over' }],
  }
}

function meteredRefusal(rules: GuardRules, state: GuardState, reading: ClockReading): GuardRefusal | undefined {
  if (state.phase.name === 'lost') return 'lost'
  if (state.draining) return 'draining'
  if (state.phase.name === 'waiting') return 'waiting'
  const { clockMs, referenceMs } = reading
  if (referenceMs === undefined || Math.abs(clockMs - referenceMs) > rules.skewSeconds * 1_000) return 'skew'
  const epoch = epochAt(rules, clockMs)
  if (epoch > epochAt(rules, referenceMs) + 1 || epoch < state.beganEpoch) return 'epoch'
  return undefined
}

function reserve(rules: GuardRules, state: GuardState, kind: MeteredKind, reading: ClockReading): GuardStep {
  const epoch = epochAt(rules, reading.clockMs)
  const newest = state.marks[kind]
  if (epoch < newest.epoch) return { state, actions: [{ type: 'refuse', reason: 'epoch' }] }
  const mark: MeteredMark = epoch > newest.epoch ? { epoch, next: 0, end: 0, asked: 0 } : newest
  const limit = limitOf(rules, kind)
  if (mark.next >= limit) return { state, actions: [{ type: 'refuse', reason: 'limit' }] }

  const mayGrant = mark.next < mark.end
  const answer: GuardAction = mayGrant ? { type: 'grant', epoch, index: mark.next } : { type: 'await' }
  const next = mayGrant ? mark.next + 1 : mark.next
  const askNow = mark.asked === mark.end && mark.end < limit && mark.end - next < RESERVE_AHEAD_INDICES
  if (!askNow) return { state: withMark(state, kind, { ...mark, next }), actions: [answer] }
  const asked = Math.min(mark.end + RESERVED_BLOCK_INDICES, limit)
  const clockOffsetMs = reading.clockMs - reading.uptimeMs
  return {
    state: { ...withMark(state, kind, { ...mark, next, asked }), clockOffsetMs },
    actions: [{ type: 'writeMark', kind, epoch, end: asked }, answer],
  }
}

function withMark(state: GuardState, kind: MeteredKind, mark: MeteredMark): GuardState {
  return { ...state, marks: { ...state.marks, [kind]: mark } }
}
