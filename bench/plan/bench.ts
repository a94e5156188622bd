// bench:plan: which clusters, and the tables of what they did beside what the formulas say. A ratio is the formula's figure by the count.
import { type ClusterPlan, planCluster } from '../../src/sim/plan.ts'
import { type Extent, groupedBy, ofKind, type PaperBench, type Row } from '../papers/support/bench.ts'
import { mean, quantile, sum } from '../papers/support/statistics.ts'
import { figure, percent, seconds, short, table, tailName } from '../papers/support/table.ts'
import {
  type BroadcastResult,
  type Case,
  type CrashResult,
  type PlanJob,
  type PlanResult,
  planOptionsOf,
  type SteadyResult,
} from './runs.ts'

type PlanRow = Row<PlanJob, PlanResult>

/** Of one case, all seeds together. */
interface Group<Result> {
  readonly of: Case
  readonly plan: ClusterPlan
  readonly results: readonly Result[]
}

const SIZES = [5, 10, 30, 100]
const SEEDS = 1
/** Counted in each cluster. */
const MEMBER_SECONDS = 6000
const STEADY_LOSSES = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
const OTHER_LOSSES = [0, 0.2]
/** From this size on, where each run takes minutes of a busy processor, fewer and shorter ones. */
const LARGE = 100
const LARGE_LOSSES = [0.1, 0.2]
const LARGE_MEMBER_SECONDS = 3000
/** Turned one at a time, at this size and loss. */
const KNOB_MEMBERS = 30
const KNOB_LOSS = 0.2
const KNOBS: readonly Case['knobs'][] = [
  { indirectChecks: 1 },
  { streamPings: false },
  { suspicionMult: 3 },
  { retransmitMult: 6 },
  { probeIntervalMs: 500, probeTimeoutMs: 250 },
  { gossipIntervalMs: 400 },
]

export const planBench: PaperBench<PlanJob, PlanResult> = {
  name: 'plan',
  runs: import.meta.resolve('./runs.ts'),
  plan,
  tables,
}

/** As many as give each figure to some per cent. */
const SMALL = { members: 10, profile: 'lan', knobs: {} } as const
const SMOKE: readonly PlanJob[] = [
  { kind: 'steady', of: { ...SMALL, lossRatio: 0.2 }, windowMs: 150_000, seed: 1 },
  { kind: 'steady', of: { ...SMALL, members: 5, lossRatio: 0.5 }, windowMs: 400_000, seed: 1 },
  { kind: 'crash', of: { ...SMALL, members: 8, lossRatio: 0 }, crashes: 24, seed: 1 },
  { kind: 'broadcast', of: { ...SMALL, lossRatio: 0 }, events: 40, seed: 1 },
]

function plan({ members = SIZES, seeds = SEEDS, isSmoke, knobs: base = {} }: Extent): readonly PlanJob[] {
  if (isSmoke) return SMOKE
  const lan = (size: number, lossRatio: number, knobs: Case['knobs'] = {}): Case => ({
    members: size,
    lossRatio,
    profile: 'lan',
    knobs: { ...(base as Case['knobs']), ...knobs },
  })
  const knobs = KNOBS.map((given) => lan(KNOB_MEMBERS, KNOB_LOSS, given))
  const wan = OTHER_LOSSES.map((lossRatio): Case => ({ ...lan(KNOB_MEMBERS, lossRatio), profile: 'wan' }))
  const steady = members.flatMap((size) =>
    (size < LARGE ? STEADY_LOSSES : LARGE_LOSSES).map((lossRatio) => lan(size, lossRatio)),
  )
  const others = members.flatMap((size) => OTHER_LOSSES.map((lossRatio) => lan(size, lossRatio)))
  const wanLossy = wan.filter(({ lossRatio }) => lossRatio > 0)
  return Array.from({ length: seeds }, (_, at) => at + 1).flatMap((seed): readonly PlanJob[] => [
    ...others
      .concat(wan)
      .map((of): PlanJob => ({ kind: 'broadcast', of, events: of.members >= LARGE ? 40 : 100, seed })),
    ...others
      .filter(({ members: size, lossRatio }) => size < LARGE || lossRatio === 0)
      .concat(wan, lan(KNOB_MEMBERS, 0, { suspicionMult: 3 }))
      .map((of): PlanJob => ({ kind: 'crash', of, crashes: of.members >= LARGE ? 10 : 40, seed })),
    ...steady.concat(knobs, wanLossy).map((of): PlanJob => {
      const perSecond = of.profile === 'wan' ? 0.2 : 1
      return {
        kind: 'steady',
        of,
        windowMs: Math.round(
          (1000 * (of.members < LARGE ? MEMBER_SECONDS : LARGE_MEMBER_SECONDS)) / perSecond / of.members,
        ),
        seed,
      }
    }),
  ])
}

function tables(rows: readonly PlanRow[]): string {
  const crash = groupsOf<CrashResult>(ofKind(rows, 'crash'))
  const broadcast = groupsOf<BroadcastResult>(ofKind(rows, 'broadcast'))
  const steady = groupsOf<SteadyResult>(ofKind(rows, 'steady'))
  const parts = [
    crash.length > 0 ? detectionTable(crash) : '',
    broadcast.length > 0 ? toldTable(broadcast) : '',
    steady.length > 0 ? `${mistakesTable(steady)}\n\n${trafficTable(steady)}` : '',
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function groupsOf<Result>(rows: readonly PlanRow[]): readonly Group<Result>[] {
  return [...groupedBy(rows, ({ job }) => JSON.stringify(job.of)).values()].map((group) => {
    const { of } = (group[0] as PlanRow).job
    const results = group.map(({ result }) => result as unknown as Result)
    return { of, plan: planCluster(planOptionsOf(of)), results }
  })
}

function detectionTable(groups: readonly Group<CrashResult>[]): string {
  const rows = groups.map(({ of, plan: { detection }, results }) => {
    const first = results.flatMap((result) => result.first)
    const all = results.flatMap((result) => result.all)
    const cells = [
      [detection.first.p50Ms, quantile(first, 0.5)],
      [detection.first.p99Ms, quantile(first, 0.99)],
      [detection.all?.p50Ms, quantile(all, 0.5)],
      [detection.all?.p99Ms, quantile(all, 0.99)],
    ] as const
    return [...caseCells(of), String(first.length), ...cells.flatMap(([formula, counted]) => compare(formula, counted))]
  })
  const tail = besideP99(groups.map(({ results }) => sum(results.map(({ first }) => first.length))))
  const heads = ['first p50', `first ${tail}`, 'all p50', `all ${tail}`].flatMap((head) => [`${head}, s`, 'ratio'])
  return section('From a crash to the first verdict, and until all know', [...CASE_HEADS, 'crashes', ...heads], rows)
}

function toldTable(groups: readonly Group<BroadcastResult>[]): string {
  const rows = groups.map(({ of, plan: { told }, results }) => {
    const times = results.flatMap((result) => result.told)
    const median = compare(told?.p50Ms, quantile(times, 0.5))
    return [...caseCells(of), String(times.length), ...median, ...compare(told?.p99Ms, quantile(times, 0.99))]
  })
  const tail = besideP99(groups.map(({ results }) => sum(results.map(({ told }) => told.length))))
  const heads = [...CASE_HEADS, 'events', 'p50, s', 'ratio', `${tail}, s`, 'ratio']
  return section('From a user event until the last member has it', heads, rows)
}

function mistakesTable(groups: readonly Group<SteadyResult>[]): string {
  const rows = groups.map(({ of, plan: { mistakes }, results }) => {
    const days = sum(results.map(({ memberSeconds }) => memberSeconds)) / of.members / 86_400
    const counted = (pick: (result: SteadyResult) => number): number => sum(results.map(pick))
    const cells = [
      [mistakes.suspicionsPerDay, counted(({ suspicions }) => suspicions)],
      [mistakes.verdictsPerDay, counted(({ verdicts }) => verdicts)],
      [mistakes.verdictsToldPerDay, counted(({ verdictsTold }) => verdictsTold)],
    ] as const
    return [
      ...caseCells(of),
      ...cells.flatMap(([perDay, count]) => [
        perDay === undefined ? '-' : `${short(perDay * days)} / ${count}`,
        perDay === undefined || count === 0 ? '-' : figure((perDay * days) / count),
      ]),
      `${figure(mistakes.health)} / ${figure(mean(results.map(({ health }) => health)))}`,
    ]
  })
  const heads = ['suspicions', 'ratio', 'verdicts', 'ratio', 'told', 'ratio', 'health']
  return section(
    'Mistakes about healthy members, in the time that was run: formula / count',
    [...CASE_HEADS, ...heads],
    rows,
  )
}

function trafficTable(groups: readonly Group<SteadyResult>[]): string {
  const rows = groups.map(({ of, plan: { traffic }, results }) => {
    const memberSeconds = sum(results.map((result) => result.memberSeconds))
    const counted = (pick: (result: SteadyResult) => number): number => sum(results.map(pick)) / memberSeconds
    const { sent, received, streams } = traffic
    const cells = [
      [sent.packets, counted(({ sentPackets }) => sentPackets)],
      [sent.bytes, counted(({ sentBytes }) => sentBytes)],
      [received.packets, counted(({ receivedPackets }) => receivedPackets)],
      [streams.exchanges + streams.pings, counted(({ dialled }) => dialled)],
      [streams.sentBytes, counted(({ streamBytes }) => streamBytes)],
    ] as const
    const shown = cells.flatMap(([formula, count]) => [`${short(formula)} / ${short(count)}`, figure(formula / count)])
    return [...caseCells(of), ...shown]
  })
  const heads = ['packets sent', 'bytes sent', 'packets received', 'streams', 'stream bytes'].flatMap((head) => [
    head,
    'ratio',
  ])
  return section('Traffic of one member, a second: formula / count', [...CASE_HEADS, ...heads], rows)
}

const CASE_HEADS = ['profile, knobs', 'members', 'loss']

function caseCells({ members, lossRatio, profile, knobs }: Case): string[] {
  const turned = Object.entries(knobs).map(([name, value]) => `${name} ${value}`)
  return [[profile, ...turned].join(', '), String(members), percent(lossRatio, 0)]
}

/** The formula's time beside the run's, and the one by the other. */
function compare(formulaMs: number | undefined, countedMs: number): string[] {
  if (formulaMs === undefined) return [`- / ${seconds(countedMs)}`, '-']
  return [`${seconds(formulaMs)} / ${seconds(countedMs)}`, figure(formulaMs / countedMs)]
}

/** The formula's 99th percentile stands beside what `quantile` gives of so many. */
function besideP99(counts: readonly number[]): string {
  const counted = tailName(0.99, counts)
  return counted === 'p99' ? counted : `p99 / ${counted}`
}

function section(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return `### ${title}\n\n${table(heads, rows)}`
}
