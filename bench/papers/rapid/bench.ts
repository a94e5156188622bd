// bench:rapid: which runs, and the tables of their results beside what Rapid's paper prints of Rapid and of others.
import { RAPID_BOOTSTRAP, RAPID_FAULTS, sourceOf } from '../published.ts'
import { type Extent, groupedBy, ofKind, type PaperBench, type Row, upTo } from '../support/bench.ts'
import { mean, median, sum } from '../support/statistics.ts'
import { figure, percent, seconds, section, table } from '../support/table.ts'
import type { FaultResult, RapidJob, RapidResult, StormResult } from './runs.ts'

type RapidRow = Row<RapidJob, RapidResult>

/** A thousand, as in the paper, takes hours. */
const SIZES = [100]
const FAULTS = ['crash', 'flip', 'lossy'] as const
const TITLES = {
  crash: 'Some of them crash at once',
  flip: 'Some of them hear nothing, 20 s of every 40, for 300 s',
  lossy: 'Some of them lose 80 % of what they send, for 310 s',
} as const

export const rapidBench: PaperBench<RapidJob, RapidResult> = {
  name: 'rapid',
  runs: import.meta.resolve('./runs.ts'),
  plan,
  tables,
}

function plan({ members, seeds, isSmoke, knobs }: Extent): readonly RapidJob[] {
  const jobs = isSmoke ? SMOKE : (members ?? SIZES).flatMap((size) => perSize(size, seeds))
  return knobs === undefined ? jobs : jobs.map((job) => ({ ...job, knobs }))
}

const SMOKE: readonly RapidJob[] = [
  { kind: 'storm', members: 20, seed: 1 },
  { kind: 'crash', members: 20, sick: 2, seed: 1 },
  { kind: 'flip', members: 12, sick: 1, seed: 1 },
]

/** The paper has one in a hundred sick; in a small cluster that is one, and ten are told too. */
function perSize(size: number, seeds: number = 3): readonly RapidJob[] {
  const all = upTo(seeds)
  const sicks = new Set([Math.max(1, Math.round(size / 100)), 10])
  const faults = FAULTS.flatMap((kind) =>
    [...sicks].flatMap((sick) => all.map((seed) => ({ kind, members: size, sick, seed }) as const)),
  )
  return [...faults, ...all.map((seed) => ({ kind: 'storm', members: size, seed }) as const)]
}

function tables(rows: readonly RapidRow[]): string {
  return [...FAULTS.map((kind) => faultTable(rows, kind)), stormTable(rows)].filter((text) => text !== '').join('\n\n')
}

function faultTable(rows: readonly RapidRow[], kind: (typeof FAULTS)[number]): string {
  const groups = groupedBy(ofKind(rows, kind), ({ job }) => `${job.sick} of ${job.members}${turned(job)}`)
  if (groups.size === 0) return ''
  const lines = [...groups].map(([who, found]) => {
    const results = found.map(({ result }) => result as FaultResult)
    const sizes = results.flatMap((result) => result.sizes)
    const firsts = results.flatMap(({ firstMs }) => (firstMs === undefined ? [] : [firstMs]))
    const alls = results.flatMap(({ allMs }) => (allMs === undefined ? [] : [allMs]))
    return [
      who,
      String(results.length),
      seconds(firsts.length === 0 ? undefined : median(firsts), 1),
      seconds(alls.length === 0 ? undefined : median(alls), 1),
      `${alls.length} of ${results.length}`,
      `${Math.min(...sizes)} to ${Math.max(...sizes)}`,
      figure(mean(results.map((result) => result.sizes.length)), 1),
      percent(mean(results.map(({ rightShare }) => rightShare).filter((share) => !Number.isNaN(share)))),
      figure(mean(results.map(({ returns }) => returns)), 1),
      `${sum(results.map(({ falseAtHealthy }) => falseAtHealthy))} / ${sum(results.map(({ falseAtSick }) => falseAtSick))}`,
    ]
  })
  const heads = [
    'sick',
    'runs',
    'first verdict, s',
    'all agree for good, s',
    'runs that do',
    'sizes told',
    'different',
    'right afterwards',
    'returns a run',
    'false at healthy / sick',
  ]
  const told = RAPID_FAULTS.figures[kind].map((line) => `- ${line}`)
  return section(
    TITLES[kind],
    `${table(heads, lines)}\n\nOf 1,000, ten of them so:\n\n${told.join('\n')}`,
    sourceOf(RAPID_FAULTS),
  )
}

function stormTable(rows: readonly RapidRow[]): string {
  const groups = groupedBy(ofKind(rows, 'storm'), ({ job }) => `${job.members}${turned(job)}`)
  if (groups.size === 0) return ''
  const lines = [...groups].map(([members, found]) => {
    const results = found.map(({ result }) => result as StormResult)
    const of = (pick: (result: StormResult) => number): number => mean(results.map(pick))
    const three = (pick: (result: StormResult) => readonly [number, number, number]): string =>
      ([0, 1, 2] as const).map((at) => figure(of((result) => pick(result)[at]))).join(' / ')
    return [
      `ours, ${members}`,
      seconds(
        of(({ allMs }) => allMs),
        1,
      ),
      figure(
        of(({ sizes }) => sizes),
        1,
      ),
      three(({ received }) => received),
      three(({ sent }) => sent),
    ]
  })
  for (const { system, seconds: took, sizes, received, sent } of RAPID_BOOTSTRAP.figures) {
    const three = (values: readonly number[] | undefined): string =>
      values === undefined ? '-' : values.map((value) => figure(value)).join(' / ')
    lines.push([`${system}, 1000`, String(took), String(sizes), three(received), three(sent)])
  }
  const heads = ['', 'all know all, s', 'different sizes', 'KB/s in: mean / p99 / most', 'KB/s out']
  return section(
    'All others join one that is there, at once',
    table(heads, lines),
    `${sourceOf(RAPID_BOOTSTRAP)} Ours are payload bytes, of UDP, and of TCP as they arrive; theirs all that a process moved.`,
  )
}

function turned({ knobs }: RapidJob): string {
  return knobs === undefined ? '' : `, ${JSON.stringify(knobs)}`
}
