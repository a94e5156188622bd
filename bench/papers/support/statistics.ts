// What is said of many runs: means, quantiles, and how far either could be off. Chance comes from a fixed seed, so that the same
// results give the same tables.
import { Random } from '../../../src/base/random.ts'

/** From one value to another. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** How often to draw anew, and by which chance. */
export interface Resampling {
  readonly draws: number
  readonly seed: number
}

const RESAMPLING: Resampling = { draws: 1000, seed: 20_020_623 }
const LEVEL = 0.95

/** NaN of no values. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** The smallest value that at least `share` of all do not exceed. NaN of no values. @param share 0 to 1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Percentile bootstrap (Efron 1979): where the statistic of as many values, drawn anew from these, lies in 95 % of all draws.
 *  Both ends are NaN of no values. */
export function bootstrap<Value>(
  values: readonly Value[],
  statistic: (values: readonly Value[]) => number,
  { draws, seed }: Resampling = RESAMPLING,
): Interval {
  if (values.length === 0) return { low: Number.NaN, high: Number.NaN }
  const random = new Random(seed)
  const drawn = Array.from({ length: draws }, () =>
    statistic(values.map(() => values[random.below(values.length)] as Value)),
  )
  return { low: quantile(drawn, (1 - LEVEL) / 2), high: quantile(drawn, (1 + LEVEL) / 2) }
}

/** Where the chance lies, 95 %, of something that happened `count` times `of` as many (Wilson 1927): right also of none at all. */
export function chanceInterval(count: number, of: number): Interval {
  const z2 = 1.96 ** 2
  const middle = (count + z2 / 2) / (of + z2)
  const off = (1.96 / (of + z2)) * Math.sqrt((count * (of - count)) / of + z2 / 4)
  return { low: count === 0 ? 0 : middle - off, high: count === of ? 1 : middle + off }
}
