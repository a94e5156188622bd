// How long a process was not there when it was to be, seen from its host: from the moment for which it armed its earliest timer until it next
// does anything at all. Where none is armed it waits for a turn of its own: all of that counts. Knows times only.

export class Presence {
  readonly #now: () => number
  readonly #armed = new Map<object, number>()
  #lastAt: number
  #absentMs = 0

  /** @param now of the process's own clock */
  constructor(now: () => number) {
    this.#now = now
    this.#lastAt = now()
  }

  /** Milliseconds from the beginning, up to its last step. */
  get absentMs(): number {
    return this.#absentMs
  }

  /** It wants to be woken. Gives what says that it was, or no longer wants it. */
  arm(at: number): () => void {
    const timer = {}
    this.#armed.set(timer, at)
    return () => {
      this.#armed.delete(timer)
    }
  }

  /** It does something: to be called before that, with the timer that wakes it still armed. */
  step(): void {
    const now = this.#now()
    let from = this.#armed.size === 0 ? this.#lastAt : Number.POSITIVE_INFINITY
    for (const at of this.#armed.values()) from = Math.min(from, at)
    this.#absentMs += Math.max(0, now - Math.max(from, this.#lastAt))
    this.#lastAt = now
  }
}
