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

/** Two of the longest round trips: neither a coordinate that is taken lies beyond, nor ours. Differs: Serf takes any number that is finite,
 *  and one member can throw those that ping it out of the system. */
const MAX_DISTANCE = 2 * MAX_RTT

const NANOSECONDS = 1e9

/** A coordinate that knows nothing yet: at the origin. */
export function freshCoordinate(dimensions: number = DIMENSIONS): Coordinate {
  return { vector: new Array<number>(dimensions).fill(0), error: MAX_ERROR, adjustment: 0, height: MIN_HEIGHT }
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
    this.#own = start
  }

  /** The same object until it changes, and then another. */
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
    const samples = [...(this.#filters.get(name) ?? []), rttSeconds].slice(-FILTER_SAMPLES)
    const rtt = medianOf(samples)
    const { vector, error, adjustment, height } = this.#own
    const draft: Draft = { vector: vector.slice(), error, adjustment, height }
    this.#pull(draft, other, rtt)
    const sample = rtt - rawDistance(draft, other)
    // Held, not refused: it is made of what was taken before, and a refusal would leave it so for ever.
    draft.adjustment = Math.max(-MAX_DISTANCE, Math.min(MAX_DISTANCE, this.#adjustmentWith(sample)))
    this.#fall(draft)
    const isNumber = hasOnlyNumbers(draft)
    // The nearer the other is but for its height, the greater the step: bounds on what is told are none on where that leads.
    if (isNumber && !isNear(draft)) return `a coordinate that would move ours more than ${MAX_DISTANCE} s away`
    this.#filters.set(name, samples)
    this.#adjustments[this.#adjustmentAt] = sample
    this.#adjustmentAt = (this.#adjustmentAt + 1) % ADJUSTMENT_SAMPLES
    if (!isNumber) this.#resets++
    this.#own = isNumber ? draft : this.#origin
    return undefined
  }

  /** Drops what is kept of a member. */
  forget(name: string): void {
    this.#filters.delete(name)
  }

  /** Vivaldi itself: towards `other` or away from it, the less the surer we are. */
  #pull(draft: Draft, other: Coordinate, measured: number): void {
    const { error } = draft
    const expected = distance(draft, other)
    const rtt = Math.max(measured, ZERO)
    const wrongness = Math.abs(expected - rtt) / rtt
    const weight = error / Math.max(error + other.error, ZERO)
    const corrected = ERROR_SHARE * weight * wrongness + error * (1 - ERROR_SHARE * weight)
    draft.error = Math.min(MAX_ERROR, corrected)
    this.#move(draft, FORCE_SHARE * weight * (rtt - expected), other)
  }

  /** What remains wrong on the average, `sample` being the newest. Slots not filled yet count as nothing wrong. */
  #adjustmentWith(sample: number): number {
    let sum = 0
    for (let at = 0; at < ADJUSTMENT_SAMPLES; at++) {
      sum += at === this.#adjustmentAt ? sample : (this.#adjustments[at] as number)
    }
    return sum / (2 * ADJUSTMENT_SAMPLES)
  }

  /** Gravity: the whole cluster must not drift away. */
  #fall(draft: Draft): void {
    const away = distance(this.#origin, draft)
    const share = away / GRAVITY_RHO
    this.#move(draft, -(share * share), this.#origin) // not `**`, whose last digit is the engine's
  }

  /** By `force` away from `other`; in any direction, where both are at one place. */
  #move(draft: Draft, force: number, other: Coordinate): void {
    const { vector, height } = draft
    const direction = vector.slice()
    for (let at = 0; at < vector.length; at++) direction[at] = (vector[at] as number) - (other.vector[at] as number)
    const length = lengthOf(direction)
    const isApart = length > ZERO
    const unit = isApart ? length : this.#drawInto(direction)
    for (let at = 0; at < vector.length; at++) {
      vector[at] = (vector[at] as number) + ((direction[at] as number) / unit) * force
    }
    if (isApart) draft.height = Math.max(MIN_HEIGHT, ((height + other.height) * force) / length + height)
  }

  /** Any direction; gives its length. */
  #drawInto(direction: number[]): number {
    for (let at = 0; at < direction.length; at++) direction[at] = this.#random.fraction() - 0.5
    const length = lengthOf(direction)
    if (length > ZERO) return length
    direction.fill(0)
    direction[0] = 1
    return 1
  }
}

/** A coordinate that is being reckoned: one for each update, and nobody changes it after. */
interface Draft extends Coordinate {
  readonly vector: number[]
  error: number
  adjustment: number
  height: number
}

/** The larger one of two. */
function medianOf(samples: readonly number[]): number {
  return samples.toSorted((one, other) => one - other)[Math.floor(samples.length / 2)] as number
}

/** Why a coordinate cannot be of an honest member; `undefined` where it can. */
function problemOf(other: Coordinate, dimensions: number): string | undefined {
  const { vector, error, height } = other
  if (vector.length !== dimensions) return `a coordinate of ${vector.length} dimensions, ${dimensions} are understood`
  if (!hasOnlyNumbers(other)) return 'a coordinate that is no number'
  if (!isNear(other)) return `a coordinate more than ${MAX_DISTANCE} s away`
  if (error < 0 || error > MAX_ERROR || height < 0) return `a coordinate of error ${error} and height ${height}`
  return undefined
}

function hasOnlyNumbers({ vector, error, adjustment, height }: Coordinate): boolean {
  return (
    vector.every(Number.isFinite) && Number.isFinite(error) && Number.isFinite(adjustment) && Number.isFinite(height)
  )
}

function isNear({ vector, adjustment, height }: Coordinate): boolean {
  return vector.every(isNearNumber) && isNearNumber(adjustment) && isNearNumber(height)
}

function isNearNumber(part: number): boolean {
  return Math.abs(part) <= MAX_DISTANCE
}

function rawDistance(one: Coordinate, other: Coordinate): number {
  let sum = 0
  for (let at = 0; at < one.vector.length; at++) {
    const between = (one.vector[at] as number) - (other.vector[at] as number)
    sum += between * between
  }
  return Math.sqrt(sum) + one.height + other.height
}

function lengthOf(vector: readonly number[]): number {
  let sum = 0
  for (let at = 0; at < vector.length; at++) sum += (vector[at] as number) * (vector[at] as number)
  return Math.sqrt(sum)
}
