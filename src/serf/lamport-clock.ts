// Lamport time (Lamport 1978; serf-behaviour §21): orders intents, events and queries without clocks of the wall.
import type { Uint64 } from '../wire/types.ts'

/** A time further ahead than this is no clock's work but a forgery.
 *  Differs: Serf takes any time, and a forged one wears its clock out. */
const MAX_LEAP = 2 ** 40
/** And many leaps are no clock's work either: at a thousand messages a second this time is 142,000 years away. */
const MAX_TIME = 2 ** 52

/** One logical clock. The first time it gives is 1. */
export class LamportClock {
  #time = 1

  /** The time the next message carries. */
  get time(): number {
    return this.#time
  }

  /** Gives the time and moves on. */
  increment(): number {
    return this.#time++
  }

  /** Takes note of a time seen: ours is later from now on. False where it is too far ahead to be believed; then nothing changed. */
  witness(seen: Uint64): seen is number {
    if (typeof seen === 'bigint' || seen > this.#time + MAX_LEAP || seen > MAX_TIME) return false
    if (seen >= this.#time) this.#time = seen + 1
    return true
  }
}
