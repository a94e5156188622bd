// Whether it is us: several members in a row did not answer, and nobody else did in between, not even a helper that could not reach
// them either. That they are all gone at once is far less likely than that nothing reaches us, or nothing leaves us. Then no probe of
// ours accuses, and the time in which nobody could be heard does not count for suspicions, as that of a stall does not.
//
//   heard ──3 different members unanswered in a row──► isolated ──an answer, of anybody──► heard
//                                                         └──isolated for the limit──► spent ──an answer──► heard
//
// Spent: whoever is alone for good must come to a verdict in the end. Differs: memberlist accuses one after the other, and judges them
// all. Knows names and times only; no members, no suspicions.

/** Different members that did not answer, without an answer between. Two could be a pair of hosts that failed together; with three helpers
 *  a probe, nine others were silent as well by then. In a cluster of three or fewer nobody is ever isolated. */
export const ISOLATED_AFTER = 3

export class Isolation {
  readonly #isOn: boolean
  readonly #unanswered = new Set<string>()
  #heardAt: number
  #isSpent = false

  constructor(isOn: boolean, now: number) {
    this.#isOn = isOn
    this.#heardAt = now
  }

  /** We hold ourselves for cut off. */
  get isIsolated(): boolean {
    return this.#unanswered.size >= ISOLATED_AFTER && !this.#isSpent
  }

  /** Who did not answer, in order; no more than `ISOLATED_AFTER`. */
  get names(): readonly string[] {
    return [...this.#unanswered]
  }

  /** When somebody answered last; our start before that. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** A probe of `name` ended without an answer. True where that makes us isolated. */
  unanswered(name: string): boolean {
    if (!this.#isOn || this.#isSpent || this.isIsolated) return false
    this.#unanswered.add(name)
    return this.isIsolated
  }

  /** Somebody answered. Gives when we were heard last where we were isolated until now: what lies between does not count. */
  heard(now: number): number | undefined {
    const since = this.isIsolated ? this.#heardAt : undefined
    this.#unanswered.clear()
    this.#isSpent = false
    this.#heardAt = now
    return since
  }

  /** We stood still for `byMs`, and could not have heard anybody. */
  stalled(byMs: number, now: number): void {
    this.#heardAt = Math.min(now, this.#heardAt + byMs)
  }

  /** Ends the isolation where it has lasted `limitMs`. Gives since when, where it did. */
  expire(limitMs: number, now: number): number | undefined {
    if (!this.isIsolated || now - this.#heardAt < limitMs) return undefined
    this.#isSpent = true
    return this.#heardAt
  }
}
