// How much may be done in a while for those who ask for it unbidden: so much at once, and so much a second from then on. What is not
// used does not add up beyond the first number. Knows no clock.

/** What an allowance is made of. */
export interface AllowanceSetup {
  /** Units that may be taken at once; they are there at the start. */
  readonly most: number
  /** Units that come back in a second, evenly. */
  readonly perSecond: number
}

/** Units that are taken, and come back with time. */
export class Allowance {
  readonly #setup: AllowanceSetup
  #left: number
  #at = Number.NEGATIVE_INFINITY

  constructor(setup: AllowanceSetup) {
    this.#setup = setup
    this.#left = setup.most
  }

  /** Takes so many, or none where there are fewer, and is false then. @param now monotonic; an earlier one than before brings nothing back */
  take(units: number, now: number): boolean {
    const { most, perSecond } = this.#setup
    if (now > this.#at) {
      this.#left = Math.min(most, this.#left + ((now - this.#at) / 1000) * perSecond)
      this.#at = now
    }
    if (units > this.#left) return false
    this.#left -= units
    return true
  }
}
