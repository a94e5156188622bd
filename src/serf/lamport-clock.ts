// Lamport time (Lamport 1978; serf-behaviour §21): orders intents, events and queries without clocks of the wall. Knows how far others
// may push it: a member's own messages move it by one each, so what moves it further than the messages of all could is no clock's work.
import type { Uint64 } from '../wire/types.ts'

/** How far ahead others may push it at once. Honest clocks are apart by the messages that one side missed, at most.
 *  Differs: Serf takes any time, and a forged one wears its clock out. */
const MAX_LEAP = 2 ** 40
/** What of the leap grows back, in ticks a millisecond: a million messages a second. From forgeries alone, 2^52 is 136 years away. */
const REGROWTH = 2 ** 20 / 1000
/** Beyond it our own messages would come to the end of exact numbers. */
const MAX_TIME = 2 ** 52

/** One logical clock. The first time it gives is 1. */
export class LamportClock {
  #time = 1
  #leapLeft = MAX_LEAP
  /** When `#leapLeft` was right. */
  #leapAt = Number.NEGATIVE_INFINITY
  #isFresh = true

  /** The time the next message carries. */
  get time(): number {
    return this.#time
  }

  /** Gives the time and moves on. */
  increment(): number {
    return this.#time++
  }

  /** Takes note of a time seen: ours is later from now on. False where it is too far ahead to be believed; then nothing changed. */
  witness(seen: Uint64, now: number): seen is number {
    if (typeof seen === 'bigint' || seen > MAX_TIME) return false
    if (seen < this.#time) return true
    const ahead = seen + 1 - this.#time
    if (ahead > 1) {
      if (ahead > this.#leapAllowed(now)) return false
      this.#leapLeft -= ahead
    }
    this.#time = seen + 1
    return true
  }

  /** The same for the time of a whole cluster, told in a full exchange. The first one is believed however far ahead it is: who has
   *  only just begun cannot know how old the cluster is. */
  witnessExchange(seen: Uint64, now: number): seen is number {
    const isFirst = this.#isFresh
    this.#isFresh = false
    if (!isFirst || typeof seen === 'bigint' || seen > MAX_TIME) return this.witness(seen, now)
    this.#time = Math.max(this.#time, seen + 1)
    return true
  }

  #leapAllowed(now: number): number {
    this.#leapLeft = Math.min(MAX_LEAP, this.#leapLeft + Math.max(0, now - this.#leapAt) * REGROWTH)
    this.#leapAt = now
    return this.#leapLeft
  }
}
