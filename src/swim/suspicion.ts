// One running suspicion (SWIM §4.2, shortened by independent accusers: Lifeguard §IV-B).
// Knows who accused and how long that makes it last; the deadline itself stands in the machine's table.
import { suspicionMinMs, suspicionTimeoutMs, wantedConfirmations } from './formulas.ts'
import type { SwimOptions } from './options.ts'

/** Who holds that a member is gone, and until when it may refute. */
export class Suspicion {
  readonly startedAt: number
  /** The shortest that it can last. */
  readonly minMs: number
  readonly #wanted: number
  readonly #maxMs: number
  readonly #accusers: Set<string>
  #confirmations = 0
  #absentMs = 0
  /** The accused was told once more, shortly before the end. */
  isToldLast = false

  /** @param from who accused first; its word never counts as a confirmation
   *  @param members size of the table now; fixed for the life of the suspicion */
  constructor(from: string, members: number, now: number, options: SwimOptions) {
    this.startedAt = now
    this.#wanted = wantedConfirmations(options.suspicionMult, members)
    this.minMs = suspicionMinMs(options.suspicionMult, members, options.probeIntervalMs)
    this.#maxMs = this.minMs * options.suspicionMaxTimeoutMult
    this.#accusers = new Set([from])
  }

  /** When the member is declared dead, unless it refutes. */
  get endsAt(): number {
    const lastsMs = suspicionTimeoutMs(this.#confirmations, this.#wanted, this.minMs, this.#maxMs)
    return this.startedAt + this.#absentMs + lastsMs
  }

  /** All confirmations that were wanted have come, or there was nobody to wait for. */
  get isConfirmed(): boolean {
    return this.#confirmations >= this.#wanted
  }

  get confirmations(): number {
    return this.#confirmations
  }

  /** Time in which nobody could refute, since we were not there to hear it, does not count. What of the `byMs` that end now was before it
   *  began is none of its time: what is read first after a stall may begin it, and the stall goes on. */
  extend(byMs: number, now: number): void {
    this.#absentMs += Math.min(byMs, this.ageMs(now))
  }

  /** Time since it began in which the accused could deny it. */
  ageMs(now: number): number {
    return now - this.startedAt - this.#absentMs
  }

  /** Takes the word of `from`. True where it is news: a new accuser, and more were wanted. */
  confirm(from: string): boolean {
    if (this.#confirmations >= this.#wanted || this.#accusers.has(from)) return false
    this.#accusers.add(from)
    this.#confirmations++
    return true
  }
}
