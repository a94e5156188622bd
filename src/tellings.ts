// Commands that make a broadcast, and the promises of those who wait until it has been told.
import { ClosedError, TimeoutError } from './base/errors.ts'
import type { Driver } from './driver/driver.ts'
import type { Serf } from './serf/serf.ts'
import { Waiters } from './waiters.ts'

export class Tellings {
  readonly #driver: Pick<Driver, 'command' | 'schedule' | 'unschedule'>
  readonly #limitMs: number
  /** By ticket. */
  readonly #waiting = new Waiters()

  /** @param limitMs how long a broadcast may take */
  constructor(driver: Pick<Driver, 'command' | 'schedule' | 'unschedule'>, limitMs: number) {
    this.#driver = driver
    this.#limitMs = limitMs
  }

  /** Gives a command that makes a broadcast, and waits until that has been told.
   *  @param what stands whatever becomes of the telling, for the error
   *  @throws TimeoutError, ClosedError, and what the command throws */
  until(what: string, command: (serf: Serf, now: number) => number): Promise<void> {
    return new Promise((resolve, reject) => {
      let ticket = 0
      // The ticket may be told in the very call that makes it: the waiter must stand before.
      this.#driver.command((serf, now) => {
        ticket = command(serf, now)
        this.#waiting.set(ticket, { resolve, reject })
      })
      if (!this.#waiting.has(ticket)) return
      this.#driver.schedule(`telling:${ticket}`, this.#limitMs, () => {
        const error = new TimeoutError(`${what}, but that was not told to all within ${this.#limitMs} ms`)
        this.#waiting.reject(ticket, error)
      })
    })
  }

  /** The broadcast of that ticket has been told, or superseded. */
  told(ticket: number): void {
    this.#driver.unschedule(`telling:${ticket}`)
    this.#waiting.resolve(ticket)
  }

  /** Nothing is told any more. */
  close(): void {
    this.#waiting.rejectAll(() => new ClosedError())
  }
}
