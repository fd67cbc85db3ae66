import type { Address, Hex } from '../../core/index.ts'
import type { ChallengeEvent, SeenChallenge } from './challenge-event.ts'
import { OTHERS_MAX } from './constants.ts'

/** Whose challenges are never forgotten: those to this stake, and those that this account opened. */
export interface ChallengeScope {
  readonly ownStakeId: number | undefined
  readonly account: Address | undefined
}

/** Pure: which challenges are open, and what this node's account may collect, after some events of the chain. */
export class ChallengeLedger {
  readonly scope: ChallengeScope
  readonly #open: Map<Hex, SeenChallenge>
  readonly #due: Map<Hex, bigint>
  /** Open ones that may be forgotten. */
  #others: number

  constructor(scope: ChallengeScope, from?: ChallengeLedger) {
    this.scope = scope
    this.#open = new Map(from?.open)
    this.#due = new Map(from?.due)
    this.#others = from === undefined ? 0 : from.#others
  }

  get open(): ReadonlyMap<Hex, SeenChallenge> {
    return this.#open
  }

  /** Wei by challenge: over, with this left for the account of this node. */
  get due(): ReadonlyMap<Hex, bigint> {
    return this.#due
  }

  /** Open ones to this node's stake, those past their deadline included: nobody concluded them. */
  againstOwn(): SeenChallenge[] {
    const { ownStakeId } = this.scope
    return ownStakeId === undefined ? [] : [...this.#open.values()].filter(({ stakeId }) => stakeId === ownStakeId)
  }

  /** @returns whether there was room for what it tells */
  apply(event: ChallengeEvent): boolean {
    const { challengeId } = event
    if (event.type === 'opened') {
      const mayForget = this.#mayForget(event.seen)
      // A flood of new ones pushes out none that somebody is waiting for.
      if (mayForget && this.#others >= OTHERS_MAX) return false
      this.#delete(challengeId)
      this.#open.set(challengeId, event.seen)
      if (mayForget) this.#others++
      return true
    }
    const { account } = this.scope
    const opener = this.#open.get(challengeId)?.opener
    this.#delete(challengeId)
    if (event.type === 'collected') this.#due.delete(challengeId)
    else if (event.type === 'answered' && event.answerer === account) this.#due.set(challengeId, event.paidWei)
    else if (event.type === 'concluded' && opener !== undefined && opener === account) {
      this.#due.set(challengeId, event.bondWei)
    }
    return true
  }

  /** Nobody can answer these any more, and who concludes them is not this node. */
  forgetLapsed(seconds: number, blockNumber: number): void {
    for (const [challengeId, seen] of this.#open) {
      const isOver = seconds > seen.answerableUntil && blockNumber > seen.answerableUntilBlock
      if (isOver && this.#mayForget(seen)) this.#delete(challengeId)
    }
  }

  #mayForget({ opener, stakeId }: SeenChallenge): boolean {
    return stakeId !== this.scope.ownStakeId && opener !== this.scope.account
  }

  #delete(challengeId: Hex): void {
    const seen = this.#open.get(challengeId)
    if (seen === undefined) return
    this.#open.delete(challengeId)
    if (this.#mayForget(seen)) this.#others--
  }
}
