import type { GuardIdentity } from './environment.ts'
import type { ClockReading, GuardRules, GuardState } from './guard-state.ts'
import type { MirrorRecord } from './mirror.ts'
import { waitFrom } from './reducer.ts'

/** What a guard keeps about itself beside its marks. */
export interface GuardRecord extends GuardIdentity {
  readonly version: 1
  /** Random, drawn anew with every loss: two directories of one origin are told apart by it. */
  readonly guardId: string
  readonly phase: GuardState['phase']['name']
  readonly beganEpoch: number
  readonly meshSilent: boolean
  readonly meshUnheard: boolean
}

/** What is known when a guard opens. */
export interface OpeningFacts {
  /** `undefined` in a directory that never held a guard of this key and domain. */
  readonly record: GuardRecord | undefined
  /** Number of the newest durable write in the directory. */
  readonly sequence: number
  readonly marks: GuardState['marks']
  readonly mirror: MirrorRecord | undefined
  readonly identity: GuardIdentity
  /** The caller says that this key was made just now and has signed nothing, anywhere. */
  readonly fresh: boolean
  readonly reading: ClockReading
}

/** `because` is empty when nothing out of the ordinary was found; a loss draws a new guard id. */
export interface Opening {
  readonly state: GuardState
  readonly loss: boolean
  readonly because: string
}

/** Judges whether this is the guard that ran last, and how it may go on. */
export function openingOf(rules: GuardRules, facts: OpeningFacts): Opening {
  const { record, identity } = facts
  const mirror = facts.mirror?.bootId === identity.bootId ? facts.mirror : undefined
  if (!record) {
    if (mirror) return begin(rules, facts, { loss: 'another directory held the guard of this key since the last boot' })
    return facts.fresh ? begin(rules, facts, {}) : begin(rules, facts, { wait: 'this key was in use before' })
  }
  if (record.phase === 'lost') return begin(rules, facts, { lost: 'it was lost before' })
  if (record.machineId !== identity.machineId)
    return begin(rules, facts, { lost: 'it was copied from another machine' })
  // Device numbers may change with a boot, inodes do not.
  if (record.inode !== identity.inode || (record.bootId === identity.bootId && record.device !== identity.device)) {
    return begin(rules, facts, { loss: 'its directory was copied' })
  }
  if (!mirror) return begin(rules, facts, { wait: 'nothing of this boot tells that it is the newest' })
  if (mirror.guardId !== record.guardId || mirror.sequence > facts.sequence) {
    return begin(rules, facts, { loss: 'its directory was restored from a backup' })
  }
  return begin(rules, facts, record.phase === 'waiting' ? { stillWaiting: 'a wait was begun and not ended' } : {})
}

interface Finding {
  /** Waits; meshes must hear their votes first. */
  readonly wait?: string
  /** Waits as it did before. */
  readonly stillWaiting?: string
  /** Waits; silent in meshes. */
  readonly loss?: string
  /** Does not even wait; silent in meshes. */
  readonly lost?: string
}

function begin(rules: GuardRules, facts: OpeningFacts, finding: Finding): Opening {
  const { record, mirror, identity, reading } = facts
  const waits = finding.wait ?? finding.stillWaiting ?? finding.loss
  const course = finding.lost
    ? { phase: { name: 'lost' } as const, beganEpoch: record?.beganEpoch ?? 0 }
    : waits
      ? waitFrom(rules, reading)
      : { phase: { name: 'signing' } as const, beganEpoch: record?.beganEpoch ?? 0 }
  const intact = finding.wait === undefined && finding.loss === undefined && finding.lost === undefined
  return {
    state: {
      ...course,
      marks: facts.marks,
      meshSilent: (record?.meshSilent ?? false) || (finding.loss ?? finding.lost) !== undefined,
      meshUnheard: (record?.meshUnheard ?? false) || finding.wait !== undefined,
      clockOffsetMs: intact && mirror?.bootId === identity.bootId ? (mirror.clockOffsetMs ?? undefined) : undefined,
      draining: false,
    },
    loss: (finding.loss ?? finding.lost) !== undefined,
    because: finding.lost ?? waits ?? '',
  }
}
