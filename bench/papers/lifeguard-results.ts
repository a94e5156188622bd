// Results of runs: how they stand in a file, one JSON object a line, and what is made of many of them. Knows no cluster and prints nothing.
import { existsSync, readFileSync } from 'node:fs'
import type { SimMemberOptions } from '../../src/sim/cluster.ts'
import type { Cell, Model, Outcome, Scale } from './lifeguard-play.ts'
import { MODELS } from './lifeguard-play.ts'
import { CONFIGURATIONS } from './lifeguard-rows.ts'
import { bootstrap, sum } from './support/statistics.ts'

/** One run to be made. */
export interface Job {
  readonly name: string
  /** All of them, so that two configurations of one name are not taken for each other. */
  readonly options: SimMemberOptions
  readonly cell: Cell
  readonly seed: number
  readonly scale: Scale
  /** What every second member runs instead: a configuration of lifeguard-rows.ts. Absent: all have `options`. */
  readonly beside?: string
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
 *  it is another matter from commit to commit. But for `ours` and `best`, which are what the sources do: their names say too little. */
export function keyOf({ name, options, cell, seed, scale, beside }: Job): string {
  const sorted = Object.fromEntries(Object.entries(options).sort(([one], [other]) => (one < other ? -1 : 1)))
  const what = name in CONFIGURATIONS && name !== 'ours' && name !== 'best' ? name : sorted
  const mixed = beside === undefined ? [] : [beside]
  return JSON.stringify([what, cellName(cell), seed, scale.members, scale.sicknessMs, ...mixed])
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
  readonly falseOwn: number
  readonly incidents: number
  readonly aboutSick: number
  readonly suspectAll: number
  readonly suspectHealthy: number
  /** A member and a second. */
  readonly packets: number
  readonly bytes: number
  readonly streams: number
  readonly streamBytes: number
  /** Milliseconds. */
  readonly first: readonly number[]
  readonly firstUnaccused: readonly number[]
  readonly last: readonly number[]
  readonly undetected: number
}

export function totalOf(results: readonly Result[]): Total {
  const all = (value: (outcome: Outcome) => number): number => sum(results.map(({ outcome }) => value(outcome)))
  const memberSeconds = results.reduce((total, { scale }) => total + (scale.members * scale.sicknessMs) / 1_000, 0)
  return {
    runs: results.length,
    falseAll: all(({ dead }) => dead.all),
    falseHealthy: all(({ dead }) => dead.healthy),
    falseOwn: all(({ dead }) => dead.healthyOwn ?? dead.healthy),
    incidents: all(({ incidents }) => incidents),
    aboutSick: all(({ dead }) => dead.aboutSick),
    suspectAll: all(({ suspect }) => suspect.all),
    suspectHealthy: all(({ suspect }) => suspect.healthy),
    packets: all(({ packets }) => packets) / memberSeconds,
    bytes: all(({ bytes }) => bytes) / memberSeconds,
    streams: all(({ streams }) => streams) / memberSeconds,
    streamBytes: all(({ streamBytes }) => streamBytes) / memberSeconds,
    first: results.flatMap(({ outcome }) => outcome.first),
    firstUnaccused: results.flatMap(({ outcome }) => outcome.firstUnaccused ?? []),
    last: results.flatMap(({ outcome }) => outcome.last),
    undetected: all(({ undetected }) => undetected),
  }
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

/** As the measure in lifeguard-seeds.ts has it. */
const RESAMPLING = { draws: 10_000, seed: 20_170_706 } as const

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
  const sums = (drawn: readonly (typeof pairs)[number][]): readonly [one: number, other: number] => [
    sum(drawn.map((pair) => pair.one)),
    sum(drawn.map((pair) => pair.other)),
  ]
  const [one, other] = sums(pairs)
  const { low, high } = bootstrap(pairs, (drawn) => quotient(...sums(drawn)), RESAMPLING)
  return { ratio: quotient(one, other), low, high, seeds: pairs.length, runs, one, other }
}

/** Nothing over nothing is 1: neither is better. */
function quotient(one: number, other: number): number {
  return one === 0 && other === 0 ? 1 : one / other
}
