// Vivaldi network coordinates (Dabek et al. 2004; serf-behaviour §34): each round trip pulls or pushes our own coordinate a little, until
// the distance between two coordinates tells their round trip. With Serf's additions: heights, adjustments (Lee et al. 2010), a median
// filter, and gravity (Ledlie et al. 2007). Pure arithmetic over seconds; knows no members but their names, and no clock.
import type { Random } from '../base/random.ts'
import type { Coordinate } from '../wire/types.ts'

/** Numbers of Serf: every member of a cluster has to use the same. */
const DIMENSIONS = 8
const MAX_ERROR = 1.5
/** Shares of the error, and of the distance, that one round trip may correct. */
const ERROR_SHARE = 0.25
const FORCE_SHARE = 0.25
const ADJUSTMENT_SAMPLES = 20
const MIN_HEIGHT = 10e-6
const FILTER_SAMPLES = 3
const GRAVITY_RHO = 150
const ZERO = 1e-6
/** Round trips that are taken, seconds. */
const MAX_RTT = 10

/** No honest coordinate lies beyond: two of the longest round trips. Differs: Serf takes any number that is finite, and one member can
 *  throw those that ping it out of the system. */
const MAX_DISTANCE = 2 * MAX_RTT

const NANOSECONDS = 1e9

/** A coordinate that knows nothing yet: at the origin. */
export function freshCoordinate(dimensions: number = DIMENSIONS): Coordinate {
  return frozen({ vector: new Array<number>(dimensions).fill(0), error: MAX_ERROR, adjustment: 0, height: MIN_HEIGHT })
}

/** The round trip between two coordinates of equal dimensions, in seconds: whole nanoseconds, as Serf tells it. */
export function distance(one: Coordinate, other: Coordinate): number {
  const raw = rawDistance(one, other)
  const adjusted = raw + one.adjustment + other.adjustment
  return Math.trunc((adjusted > 0 ? adjusted : raw) * NANOSECONDS) / NANOSECONDS
}

/** Our own coordinate, and what it is reckoned from. */
export class Vivaldi {
  readonly #random: Random
  readonly #origin: Coordinate
  /** The last round trips of each member. */
  readonly #filters = new Map<string, number[]>()
  readonly #adjustments: number[] = new Array<number>(ADJUSTMENT_SAMPLES).fill(0)
  #adjustmentAt = 0
  #own: Coordinate
  #resets = 0

  /** @param start our own coordinate; fresh where absent. Its dimensions are ours */
  constructor(random: Random, start: Coordinate = freshCoordinate()) {
    this.#random = random
    this.#origin = freshCoordinate(start.vector.length)
    this.#own = frozen(start)
  }

  /** Frozen, and the same object until it changes. */
  get own(): Coordinate {
    return this.#own
  }

  /** How often our own coordinate came to nothing, and was begun anew. */
  get resets(): number {
    return this.#resets
  }

  /** Takes a round trip to member `name`, which is at `other`. Gives why not, where it is not taken: then nothing has changed. */
  update(name: string, other: Coordinate, rttSeconds: number): string | undefined {
    const problem = problemOf(other, this.#own.vector.length)
    if (problem !== undefined) return problem
    if (!(rttSeconds >= 0 && rttSeconds <= MAX_RTT)) return `a round trip of ${rttSeconds} s`
    const rtt = this.#filter(name, rttSeconds)
    this.#pull(other, rtt)
    this.#adjust(other, rtt)
    this.#fall()
    if (!hasOnlyNumbers(this.#own)) {
      this.#resets++
      this.#own = this.#origin
    }
    this.#own = frozen(this.#own)
    return undefined
  }

  /** Drops what is kept of a member. */
  forget(name: string): void {
    this.#filters.delete(name)
  }

  /** The median of the last round trips: the larger one of two. */
  #filter(name: string, rtt: number): number {
    const samples = this.#filters.get(name) ?? []
    samples.push(rtt)
    if (samples.length > FILTER_SAMPLES) samples.shift()
    this.#filters.set(name, samples)
    return [...samples].sort((one, other) => one - other)[Math.floor(samples.length / 2)] as number
  }

  /** Vivaldi itself: towards `other` or away from it, the less the surer we are. */
  #pull(other: Coordinate, measured: number): void {
    const { error } = this.#own
    const expected = distance(this.#own, other)
    const rtt = Math.max(measured, ZERO)
    const wrongness = Math.abs(expected - rtt) / rtt
    const weight = error / Math.max(error + other.error, ZERO)
    const corrected = ERROR_SHARE * weight * wrongness + error * (1 - ERROR_SHARE * weight)
    this.#own = { ...this.#own, error: Math.min(MAX_ERROR, corrected) }
    this.#move(FORCE_SHARE * weight * (rtt - expected), other)
  }

  /** What remains wrong on the average. Slots not filled yet count as nothing wrong. */
  #adjust(other: Coordinate, rtt: number): void {
    this.#adjustments[this.#adjustmentAt] = rtt - rawDistance(this.#own, other)
    this.#adjustmentAt = (this.#adjustmentAt + 1) % ADJUSTMENT_SAMPLES
    const sum = this.#adjustments.reduce((total, sample) => total + sample, 0)
    this.#own = { ...this.#own, adjustment: sum / (2 * ADJUSTMENT_SAMPLES) }
  }

  /** Gravity: the whole cluster must not drift away. */
  #fall(): void {
    const away = distance(this.#origin, this.#own)
    this.#move(-((away / GRAVITY_RHO) ** 2), this.#origin)
  }

  /** By `force` away from `other`. */
  #move(force: number, other: Coordinate): void {
    const { vector, height } = this.#own
    const { direction, length } = this.#directionFrom(other)
    this.#own = {
      ...this.#own,
      vector: vector.map((part, at) => part + (direction[at] as number) * force),
      height: length > ZERO ? Math.max(MIN_HEIGHT, ((height + other.height) * force) / length + height) : height,
    }
  }

  /** The unit vector from `other` to us; any, where we are at one place. */
  #directionFrom(other: Coordinate): { direction: readonly number[]; length: number } {
    const between = this.#own.vector.map((part, at) => part - (other.vector[at] as number))
    const length = lengthOf(between)
    if (length > ZERO) return { direction: between.map((part) => part / length), length }
    const drawn = between.map(() => this.#random.fraction() - 0.5)
    const drawnLength = lengthOf(drawn)
    if (drawnLength > ZERO) return { direction: drawn.map((part) => part / drawnLength), length: 0 }
    return { direction: between.map((_, at) => (at === 0 ? 1 : 0)), length: 0 }
  }
}

/** Why a coordinate cannot be of an honest member; `undefined` where it can. */
function problemOf(other: Coordinate, dimensions: number): string | undefined {
  const { vector, error, adjustment, height } = other
  if (vector.length !== dimensions) return `a coordinate of ${vector.length} dimensions, ${dimensions} are understood`
  if (!hasOnlyNumbers(other)) return 'a coordinate that is no number'
  const isNear = [...vector, adjustment, height].every((part) => Math.abs(part) <= MAX_DISTANCE)
  if (!isNear) return `a coordinate more than ${MAX_DISTANCE} s away`
  if (error < 0 || error > MAX_ERROR || height < 0) return `a coordinate of error ${error} and height ${height}`
  return undefined
}

function hasOnlyNumbers({ vector, error, adjustment, height }: Coordinate): boolean {
  return [...vector, error, adjustment, height].every((part) => Number.isFinite(part))
}

function rawDistance(one: Coordinate, other: Coordinate): number {
  const between = one.vector.map((part, at) => part - (other.vector[at] as number))
  return lengthOf(between) + one.height + other.height
}

function lengthOf(vector: readonly number[]): number {
  return Math.sqrt(vector.reduce((sum, part) => sum + part * part, 0))
}

function frozen({ vector, error, adjustment, height }: Coordinate): Coordinate {
  return Object.freeze({ vector: Object.freeze([...vector]), error, adjustment, height })
}
