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
/** The most a cluster we come to may tell us: our own messages, and whoever follows them, need room above it. */
export const MAX_FIRST_TIME: number = 2 ** 51

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

  /** Goes on from a time that we saw in an earlier life, 0 to 2^51. */
  restore(seen: number): void {
    this.#time = Math.max(this.#time, Math.min(seen, MAX_FIRST_TIME) + 1)
  }

  /** Takes note of a time seen: ours is later from now on. False where it is too far ahead to be believed. Ours has then gone as far
   *  towards it as it may, unless none ever may: another member, a few messages ahead of us, may have believed that very time, and who
   *  stood still would be those few messages short for ever. */
  witness(seen: Uint64, now: number): seen is number {
    if (typeof seen === 'bigint' || seen > MAX_TIME) return false
    if (seen < this.#time) return true
    const ahead = seen + 1 - this.#time
    if (ahead > 1) {
      const step = Math.min(ahead, Math.floor(this.#leapAllowed(now)))
      this.#leapLeft -= step
      this.#time += step
      return step === ahead
    }
    this.#time = seen + 1
    return true
  }

  /** The same for the time of a whole cluster, told in answer to an exchange that we began. The first one is believed up to 2^51,
   *  however far ahead it is: who has only just begun cannot know how old the cluster is. */
  witnessAnswer(seen: Uint64, now: number): seen is number {
    const isFirst = this.#isFresh
    this.#isFresh = false
    if (!isFirst || typeof seen === 'bigint' || seen > MAX_FIRST_TIME) return this.witness(seen, now)
    this.#time = Math.max(this.#time, seen + 1)
    return true
  }

  #leapAllowed(now: number): number {
    this.#leapLeft = Math.min(MAX_LEAP, this.#leapLeft + Math.max(0, now - this.#leapAt) * REGROWTH)
    this.#leapAt = now
    return this.#leapLeft
  }
}
