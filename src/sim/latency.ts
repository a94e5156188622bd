// How long something takes, as data: a number, a range, or a shape with a tail; the same words for a link, for a reader that starves
// and for a packet that is held back. Draws the same from the same dice on every version of Node (arithmetic.ts).
import { OptionsError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { expOf, logOf } from './arithmetic.ts'

/** Evenly drawn from a range. */
export interface UniformLatency {
  readonly minMs: number
  readonly maxMs: number
}

/** At least `minMs`; what comes on top is mostly little and seldom much: half of it is below 0.69 of the mean, one in a hundred above 4.6 of it. */
export interface ExponentialLatency {
  readonly kind: 'exponential'
  /** Mean of what comes on top of `minMs`. */
  readonly meanMs: number
  /** Default 0. */
  readonly minMs?: number
  /** What is drawn above it counts as this. Default: no limit, and 23 means at the very most. */
  readonly maxMs?: number
}

/** Half of all take less than `medianMs`, one in a hundred more than e^(2.33 sigma) times as much: 3.2 medians at sigma 0.5, 10 at 1. */
export interface LogNormalLatency {
  readonly kind: 'log-normal'
  readonly medianMs: number
  /** From 0, no tail, to 3. */
  readonly sigma: number
  /** What is drawn above it counts as this. Default: no limit. */
  readonly maxMs?: number
}

/** Milliseconds one way: always the same, evenly drawn from a range, of a shape with a tail, or a function of the dice. */
export type Latency = number | UniformLatency | ExponentialLatency | LogNormalLatency | ((random: Random) => number)

const MAX_SIGMA = 3

/** Milliseconds for one thing. */
export function drawLatency(latency: Latency, random: Random): number {
  if (typeof latency === 'number') return latency
  if (typeof latency === 'function') return drawn(latency(random))
  if (!('kind' in latency)) return latency.minMs + random.fraction() * (latency.maxMs - latency.minMs)
  const ms =
    latency.kind === 'exponential'
      ? (latency.minMs ?? 0) - latency.meanMs * logOf(1 - random.fraction())
      : latency.medianMs * expOf(latency.sigma * normal(random))
  return latency.maxMs === undefined ? ms : Math.min(ms, latency.maxMs)
}

/** The most that is ever drawn; infinite where there is no limit, or nobody knows. */
export function mostMs(latency: Latency): number {
  if (typeof latency === 'number') return latency
  return (typeof latency === 'function' ? undefined : latency.maxMs) ?? Number.POSITIVE_INFINITY
}

/** @throws OptionsError naming `option` and what is wrong with it; of a function only what it gives can be wrong */
export function checkLatency(option: string, latency: Latency): Latency {
  if (typeof latency === 'function') return latency
  if (typeof latency === 'number') {
    checkMs(option, latency, 0)
    return latency
  }
  if (typeof latency !== 'object' || latency === null) {
    throw new OptionsError(option, latency, 'milliseconds, a range, a distribution or a function')
  }
  if (!('kind' in latency)) {
    checkMs(`${option}.minMs`, latency.minMs, 0)
    checkMs(`${option}.maxMs`, latency.maxMs, latency.minMs)
  } else if (latency.kind === 'exponential') {
    checkMs(`${option}.meanMs`, latency.meanMs, 0)
    if (latency.minMs !== undefined) checkMs(`${option}.minMs`, latency.minMs, 0)
    if (latency.maxMs !== undefined) checkMs(`${option}.maxMs`, latency.maxMs, latency.minMs ?? 0)
  } else if (latency.kind === 'log-normal') {
    checkMs(`${option}.medianMs`, latency.medianMs, 0)
    const { sigma } = latency
    if (!(sigma >= 0 && sigma <= MAX_SIGMA)) throw new OptionsError(`${option}.sigma`, sigma, `from 0 to ${MAX_SIGMA}`)
    if (latency.maxMs !== undefined) checkMs(`${option}.maxMs`, latency.maxMs, 0)
  } else {
    throw new OptionsError(`${option}.kind`, (latency as { kind: unknown }).kind, `'exponential' or 'log-normal'`)
  }
  return latency
}

/** In words, for a transcript. */
export function latencyInWords(latency: Latency): string {
  if (typeof latency === 'number') return `${latency} ms`
  if (typeof latency === 'function') return 'as a function says'
  if (!('kind' in latency)) return `${latency.minMs} to ${latency.maxMs} ms`
  const most = latency.maxMs === undefined ? '' : `, ${latency.maxMs} ms at most`
  if (latency.kind === 'exponential')
    return `${latency.minMs ?? 0} ms and exponential with mean ${latency.meanMs} ms${most}`
  return `log-normal with median ${latency.medianMs} ms and sigma ${latency.sigma}${most}`
}

/** What the user's function gave. */
function drawn(ms: number): number {
  checkMs('latencyMs', ms, 0)
  return ms
}

/** From the standard normal distribution, by Marsaglia's polar method. */
function normal(random: Random): number {
  for (;;) {
    const x = 2 * random.fraction() - 1
    const y = 2 * random.fraction() - 1
    const square = x * x + y * y
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * logOf(square)) / square)
  }
}

function checkMs(option: string, ms: number, atLeast: number): void {
  if (!(typeof ms === 'number' && ms >= atLeast && ms < Number.POSITIVE_INFINITY))
    throw new OptionsError(option, ms, `finite, ${atLeast} ms or more`)
}
