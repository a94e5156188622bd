// Distributions, printed the way evidence is: the median, the tail, the worst.

export interface Spread {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

export function inSeconds({ p50, p99, max }: Spread): string {
  return [p50, p99, max].map((ms) => (ms / 1_000).toFixed(2)).join(' / ')
}
