// Coordinates of the members (serf-behaviour §34): ours goes out with every ack, theirs comes in with the acks to our own direct pings.
// Keeps those of members in the list and of nobody else: whoever is erased from the list is forgotten here.
import { DecodeError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { decodeCoordinate, encodeCoordinate } from '../wire/coordinate.ts'
import type { Coordinate } from '../wire/types.ts'
import { distance, Vivaldi } from './vivaldi.ts'

/** Counts since the start. */
export interface CoordinateStats {
  /** How often our own coordinate came to nothing, and was begun anew. */
  readonly resets: number
  /** Coordinates and round trips of others that were not taken. */
  readonly rejected: number
  /** Round trips that took no time, by the clock of this host. They are taken. */
  readonly zeroRtts: number
}

export class Coordinates {
  readonly #selfName: string
  readonly #vivaldi: Vivaldi
  readonly #known = new Map<string, Coordinate>()
  #rejected = 0
  #zeroRtts = 0
  #encoded: { readonly of: Coordinate; readonly bytes: Uint8Array } | undefined

  /** @param random for the direction in which two members at one place part */
  constructor(selfName: string, random: Random) {
    this.#selfName = selfName
    this.#vivaldi = new Vivaldi(random)
  }

  get stats(): CoordinateStats {
    return { resets: this.#vivaldi.resets, rejected: this.#rejected, zeroRtts: this.#zeroRtts }
  }

  /** Members other than ourselves whose coordinate is known. */
  get size(): number {
    return this.#known.size
  }

  /** Ours, as it travels: the very same bytes until it changes. */
  ackPayload(): Uint8Array {
    const { own } = this.#vivaldi
    if (this.#encoded?.of !== own) this.#encoded = { of: own, bytes: encodeCoordinate(own) }
    return this.#encoded.bytes
  }

  /** A member of the list answered a ping of ours after `rttMs`. Gives why what it told is not taken, where it is not.
   *  @param payload from anyone; where it tells nothing, so does the round trip */
  measured(name: string, rttMs: number, payload: Uint8Array | null): string | undefined {
    if (payload === null || payload.length === 0) return undefined
    const problem = this.#take(name, rttMs, payload)
    if (problem !== undefined) this.#rejected++
    return problem
  }

  /** Where a member was when it last told; ourselves, where we are. Frozen. */
  of(name: string): Coordinate | undefined {
    const found = this.#find(name)
    // Here, and not at each answer to a probe: freezing costs as much as all the arithmetic.
    if (found !== undefined) Object.freeze(Object.freeze(found).vector)
    return found
  }

  /** The round trip between two members, in milliseconds, as their coordinates tell it; `undefined` where one is not known. */
  rttMs(one: string, other: string): number | undefined {
    const [from, to] = [this.#find(one), this.#find(other)]
    return from && to && distance(from, to) * 1000
  }

  /** The member is erased from the list. */
  forget(name: string): void {
    this.#known.delete(name)
    this.#vivaldi.forget(name)
  }

  #find(name: string): Coordinate | undefined {
    return name === this.#selfName ? this.#vivaldi.own : this.#known.get(name)
  }

  #take(name: string, rttMs: number, payload: Uint8Array): string | undefined {
    let told: Coordinate
    try {
      told = decodeCoordinate(payload)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      return error.message
    }
    const problem = this.#vivaldi.update(name, told, rttMs / 1000)
    if (problem !== undefined) return problem
    if (rttMs === 0) this.#zeroRtts++
    this.#known.set(name, told)
    return undefined
  }
}
