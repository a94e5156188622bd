// Results of runs: how they stand in a file, one JSON object a line, and what is made of many of them. Knows no cluster and prints nothing.
import { existsSync, readFileSync } from 'node:fs'
import { Random } from '../../src/base/random.ts'
import type { SimMemberOptions } from '../../src/sim/cluster.ts'
import type { Cell, Model, Outcome, Scale } from './lifeguard-play.ts'
import { MODELS } from './lifeguard-play.ts'
import { CONFIGURATIONS } from './lifeguard-rows.ts'

/** One run to be made. */
export interface Job {
  readonly name: string
  /** All of them, so that two configurations of one name are not taken for each other. */
  readonly options: SimMemberOptions
  readonly cell: Cell
  readonly seed: number
  readonly scale: Scale
}

/** One run that was made. */
export interface Result extends Job {
  readonly outcome: Outcome
  /** The commit of the sources, with `+` where something was changed since. */
  readonly commit: string
  /** Seconds of CPU. */
  readonly cpuSeconds: number
}

/** What tells one run from another. A configuration of lifeguard-rows.ts is its name: which switches there are to be turned off for
 *  it is another matter from commit to commit. But for `ours`, which is what the sources do: its name says too little. */
export function keyOf({ name, options, cell, seed, scale }: Job): string {
  const sorted = Object.fromEntries(Object.entries(options).sort(([one], [other]) => (one < other ? -1 : 1)))
  const what = name in CONFIGURATIONS && name !== 'ours' ? name : sorted
  return JSON.stringify([what, cellName(cell), seed, scale.members, scale.sicknessMs])
}

/** `late:16/8000/2000`: model, members sick, milliseconds sick, milliseconds well. */
export function cellName({ model, sick, sickMs, wellMs }: Cell): string {
  return `${model}:${sick}/${sickMs}/${wellMs}`
}

/** @throws Error for a name that is none */
export function cellOf(name: string): Cell {
  const [, model, ...numbers] = /^([a-z-]+):(\d+)\/(\d+)\/(\d+)$/.exec(name) ?? []
  const [sick = 0, sickMs = 0, wellMs = 0] = numbers.map(Number)
  if (!MODELS.includes(model as Model))
    throw new Error(`${name} is no cell: say late:16/8000/2000, or another of ${MODELS}`)
  return { model: model as Model, sick, sickMs, wellMs }
}

/** Results of a file, the latest of each run. None where there is no file. A last line cut short, by a kill, is left out. */
export function readResults(path: string): ReadonlyMap<string, Result> {
  const results = new Map<string, Result>()
  if (!existsSync(path)) return results
  const lines = readFileSync(path, 'utf8').split('\n')
  lines.forEach((line, index) => {
    if (line === '') return
    try {
      const result = JSON.parse(line) as Result
      results.set(keyOf(result), result)
    } catch (error) {
      if (index < lines.length - 1) throw new Error(`${path}:${index + 1} is no JSON`, { cause: error })
    }
  })
  return results
}

/** Sums over runs. */
export interface Total {
  readonly runs: number
  readonly falseAll: number
  readonly falseHealthy: number
  readonly incidents: number
  readonly aboutSick: number
  readonly suspectAll: number
  readonly suspectHealthy: number
  /** A member and a second. */
  readonly packets: number
  readonly bytes: number
  readonly streams: number
  readonly streamBytes: number
  /** Sorted milliseconds. */
  readonly first: readonly number[]
  readonly firstUnaccused: readonly number[]
  readonly last: readonly number[]
  readonly undetected: number
}

export function totalOf(results: readonly Result[]): Total {
  const sum = (value: (outcome: Outcome) => number): number =>
    results.reduce((total, { outcome }) => total + value(outcome), 0)
  const memberSeconds = results.reduce((total, { scale }) => total + (scale.members * scale.sicknessMs) / 1_000, 0)
  return {
    runs: results.length,
    falseAll: sum(({ dead }) => dead.all),
    falseHealthy: sum(({ dead }) => dead.healthy),
    incidents: sum(({ incidents }) => incidents),
    aboutSick: sum(({ dead }) => dead.aboutSick),
    suspectAll: sum(({ suspect }) => suspect.all),
    suspectHealthy: sum(({ suspect }) => suspect.healthy),
    packets: sum(({ packets }) => packets) / memberSeconds,
    bytes: sum(({ bytes }) => bytes) / memberSeconds,
    streams: sum(({ streams }) => streams) / memberSeconds,
    streamBytes: sum(({ streamBytes }) => streamBytes) / memberSeconds,
    first: sorted(results.flatMap(({ outcome }) => outcome.first)),
    firstUnaccused: sorted(results.flatMap(({ outcome }) => outcome.firstUnaccused ?? [])),
    last: sorted(results.flatMap(({ outcome }) => outcome.last)),
    undetected: sum(({ undetected }) => undetected),
  }
}

/** The least value that `share` of them do not exceed, so the largest of few; NaN where there are none. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN
}

export interface Ratio {
  readonly ratio: number
  /** 95 % of the ratios that other draws of as many seeds would give. */
  readonly low: number
  readonly high: number
  readonly seeds: number
  readonly runs: number
  readonly one: number
  readonly other: number
}

const RESAMPLES = 10_000
/** Fixed, so that a table is the same each time it is printed. */
const RESAMPLING_SEED = 20_170_706

/** Sum over sum of a value, in runs that both have: same cell, same seed. The interval is the percentile bootstrap over seeds: all
 *  cells of a seed are drawn together, since they share who is sick. */
export function ratioOf(
  ones: readonly Result[],
  others: readonly Result[],
  value: (outcome: Outcome) => number,
): Ratio | undefined {
  const runOf = ({ cell, seed, scale }: Result): string => `${cellName(cell)} ${seed} ${scale.members}`
  const otherByRun = new Map(others.map((result) => [runOf(result), result]))
  const bySeed = new Map<number, { one: number; other: number }>()
  let runs = 0
  for (const result of ones) {
    const beside = otherByRun.get(runOf(result))
    if (beside === undefined) continue
    runs++
    const sums = bySeed.get(result.seed) ?? { one: 0, other: 0 }
    sums.one += value(result.outcome)
    sums.other += value(beside.outcome)
    bySeed.set(result.seed, sums)
  }
  if (runs === 0) return undefined
  const pairs = [...bySeed.values()]
  const random = new Random(RESAMPLING_SEED)
  const ratios = Array.from({ length: RESAMPLES }, () => {
    let [one, other] = [0, 0]
    for (let draw = 0; draw < pairs.length; draw++) {
      const pair = pairs[random.below(pairs.length)]
      one += pair?.one ?? 0
      other += pair?.other ?? 0
    }
    return quotient(one, other)
  })
  const one = pairs.reduce((sum, pair) => sum + pair.one, 0)
  const other = pairs.reduce((sum, pair) => sum + pair.other, 0)
  const ascending = sorted(ratios)
  const [low, high] = [quantile(ascending, 0.025), quantile(ascending, 0.975)]
  return { ratio: quotient(one, other), low, high, seeds: pairs.length, runs, one, other }
}

/** Nothing over nothing is 1: neither is better. */
function quotient(one: number, other: number): number {
  return one === 0 && other === 0 ? 1 : one / other
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((one, other) => one - other)
}
