// The clock of one machine: true time, or one that runs faster or slower. Timers are set in its own milliseconds, and are set anew when
// its rate changes. It never falls and never jumps. It belongs to a machine and outlives the processes on it.
import { OptionsError } from '../base/errors.ts'
import type { Schedule, Scheduled } from './schedule.ts'
import type { Felt } from './traffic.ts'

/** A clock ten times too fast is broken, not drifting. */
const SLOWEST = 0.1
const FASTEST = 10
/** A rounded time may lie before the true one by a little, which grows with it. */
const NUDGE_MS = 1e-6
const NUDGE_RATIO: number = 4 * Number.EPSILON

/** A class, as an entry of the schedule is. */
class Timer {
  readonly at: number
  readonly wake: () => void
  scheduled: Scheduled

  constructor(at: number, wake: () => void, scheduled: Scheduled) {
    this.at = at
    this.wake = wake
    this.scheduled = scheduled
  }
}

export class HostClock {
  readonly #schedule: Schedule
  readonly #felt: readonly Felt[]
  /** In the order of their setting. An array: a `Set` that one comes into and goes from makes a new table every few times. */
  readonly #timers: Timer[] = []
  #ratio = 1
  /** What it showed when the rate was set, and when that was. */
  #shown = 0
  #since = 0

  constructor(schedule: Schedule, felt: readonly Felt[] = []) {
    this.#schedule = schedule
    this.#felt = felt
  }

  get ratio(): number {
    return this.#ratio
  }

  /** @param ratio its milliseconds per true one, 0.1 to 10 @throws OptionsError */
  set ratio(ratio: number) {
    if (!(ratio >= SLOWEST && ratio <= FASTEST))
      throw new OptionsError('ratio', ratio, `from ${SLOWEST} to ${FASTEST}, 1 for a true clock`)
    this.#shown = this.now()
    this.#since = this.#schedule.now
    this.#ratio = ratio
    for (const timer of this.#timers) {
      this.#schedule.cancel(timer.scheduled)
      timer.scheduled = this.#set(timer)
    }
  }

  /** What it shows. */
  now(): number {
    return this.#shown + (this.#schedule.now - this.#since) * this.#ratio
  }

  /** Calls `wake` once when it shows `at`, at once where it does already. Gives a function that cancels that. */
  wakeAt(at: number, wake: () => void): () => void {
    const timer = new Timer(at, wake, NEVER)
    timer.scheduled = this.#set(timer)
    this.#timers.push(timer)
    return () => {
      if (this.#forget(timer)) this.#schedule.cancel(timer.scheduled)
    }
  }

  /** False where it is forgotten already. Few wait at a time. */
  #forget(timer: Timer): boolean {
    const timers = this.#timers
    const place = timers.indexOf(timer)
    if (place < 0) return false
    for (let at = place + 1; at < timers.length; at++) timers[at - 1] = timers[at] as Timer
    timers.pop()
    return true
  }

  #set(timer: Timer): Scheduled {
    const { now } = this.#schedule
    let trueAt = this.#since + (timer.at - this.#shown) / this.#ratio
    while (trueAt >= now && this.#shown + (trueAt - this.#since) * this.#ratio < timer.at) {
      trueAt += NUDGE_MS + trueAt * NUDGE_RATIO
    }
    return this.#schedule.at(trueAt, () => this.#ring(timer))
  }

  #ring(timer: Timer): void {
    this.#forget(timer)
    if (this.#ratio !== 1) for (const felt of this.#felt) felt.drifted++
    timer.wake()
  }
}

const NEVER: Scheduled = { at: Number.POSITIVE_INFINITY }
