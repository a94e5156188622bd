// bench:swim: which runs, and the tables of their results beside what SWIM's paper prints.

import { SWIM_DETECTION, SWIM_JOINS, SWIM_LOAD, SWIM_SPREAD, sourceOf } from '../published.ts'
import { type Extent, groupedBy, ofKind, type PaperBench, type Row, upTo } from '../support/bench.ts'
import {
  DETECTION_PERIODS,
  falselySuspected,
  infected,
  probedInPeriod,
  probeFails,
  swimRepeats,
} from '../support/formulas.ts'
import { chanceInterval, mean, median, quantile, sum } from '../support/statistics.ts'
import {
  figure,
  percent,
  section,
  short,
  shortInterval,
  spread,
  spreadName,
  table,
  tailName,
} from '../support/table.ts'
import {
  type CrashResult,
  CUT_MS,
  type InfectionResult,
  type JoinsResult,
  type LoadResult,
  type LossResult,
  type SilenceResult,
  type SwimJob,
  type SwimResult,
} from './runs.ts'

type SwimRow = Row<SwimJob, SwimResult>

const SIZES = [8, 14, 20, 28, 35, 43, 52, 56]
const LOSSES = [0.01, 0.05, 0.1, 0.2]
const HELPERS = [1, 3]
const INFECTED_SIZES = [50, 100]
const PERIODS = 40
const INFECTION_PERIODS = 10

export const swimBench: PaperBench<SwimJob, SwimResult> = {
  name: 'swim',
  runs: import.meta.resolve('./runs.ts'),
  plan,
  tables,
}

function plan({ members, seeds, isSmoke }: Extent): readonly SwimJob[] {
  return isSmoke
    ? SMOKE
    : [...perSize(members ?? SIZES, seeds), ...lossy(), ...news(members ?? INFECTED_SIZES), ...joining(seeds)]
}

/** As many as give each mean to a few per cent. */
const SMOKE: readonly SwimJob[] = [
  { kind: 'load', members: 12, periods: PERIODS, seed: 1 },
  { kind: 'silence', members: 10, trials: 500, seed: 1 },
  { kind: 'crash', members: 10, seed: 1 },
  { kind: 'loss', members: 10, periods: 400, lossRatio: 0.1, helpers: 1, seed: 1 },
  { kind: 'infection', members: 16, trials: 40, periods: 6, seed: 1 },
]

function perSize(sizes: readonly number[], seeds: number = 20): readonly SwimJob[] {
  return sizes.flatMap((size): readonly SwimJob[] => [
    ...upTo(2).map((seed) => ({ kind: 'load', members: size, periods: PERIODS, seed }) as const),
    ...upTo(5).map((seed) => ({ kind: 'silence', members: size, trials: 60, seed }) as const),
    ...upTo(seeds).map((seed) => ({ kind: 'crash', members: size, seed }) as const),
  ])
}

function lossy(): readonly SwimJob[] {
  return LOSSES.flatMap((lossRatio) =>
    HELPERS.flatMap((helpers) =>
      // Rare events take more probes.
      upTo(lossRatio < 0.05 ? 10 : 3).map(
        (seed) => ({ kind: 'loss', members: 20, periods: 500, lossRatio, helpers, seed }) as const,
      ),
    ),
  )
}

function news(sizes: readonly number[]): readonly SwimJob[] {
  return sizes.flatMap((size) =>
    upTo(5).map(
      (seed) => ({ kind: 'infection', members: size, trials: 20, periods: INFECTION_PERIODS, seed }) as const,
    ),
  )
}

function joining(seeds: number = 10): readonly SwimJob[] {
  return (['swim', 'lan'] as const).flatMap((knobs) =>
    upTo(seeds).map((seed) => ({ kind: 'joins', knobs, seed }) as const),
  )
}

function tables(rows: readonly SwimRow[]): string {
  return [
    loadTable(rows),
    silenceTable(rows),
    crashTable(rows),
    lossTable(rows),
    infectionTable(rows),
    joinsTable(rows),
  ]
    .filter((text) => text !== '')
    .join('\n\n')
}

function loadTable(rows: readonly SwimRow[]): string {
  const groups = groupedBy(ofKind(rows, 'load'), ({ job }) => job.members)
  if (groups.size === 0) return ''
  const { sent, received, belowFiveAt28 } = SWIM_LOAD.figures
  const lines = [...groups].map(([members, found]) => {
    const results = found.map(({ result }) => result as LoadResult)
    const of = (pick: (result: LoadResult) => number): number => mean(results.map(pick))
    return [
      String(members),
      figure(of((result) => result.sent)),
      `≈ ${figure(sent, 1)}`,
      figure(of((result) => result.received)),
      `≈ ${figure(received, 1)}`,
      percent(of((result) => result.belowFive)),
      members === 28 ? percent(belowFiveAt28, 0) : '-',
      figure(of((result) => result.bytes) / of((result) => result.sent), 0),
    ]
  })
  const heads = ['members', 'sent', 'SWIM', 'received', 'SWIM', 'fewer than 5 sent', 'SWIM', 'bytes a packet']
  return section('Messages of a member in a period, nothing happening', table(heads, lines), sourceOf(SWIM_LOAD))
}

function silenceTable(rows: readonly SwimRow[]): string {
  const groups = groupedBy(ofKind(rows, 'silence'), ({ job }) => job.members)
  if (groups.size === 0) return ''
  const counts: number[] = []
  const lines = [...groups].map(([members, found]) => {
    const results = found.map(({ result }) => result as SilenceResult)
    const periods = results.flatMap(({ probedIn }) => probedIn)
    const suspected = results.flatMap((result) => result.suspected)
    counts.push(suspected.length)
    return [
      String(members),
      String(periods.length),
      figure(mean(periods)),
      spread(periods, mean),
      figure(1 / probedInPeriod(members)),
      figure(DETECTION_PERIODS),
      figure(mean(suspected)),
      figure(quantile(suspected, 0.99)),
    ]
  })
  const { least, most } = SWIM_DETECTION.figures
  const heads = [
    'members',
    'trials',
    'probed in',
    spreadName(counts),
    'of so many',
    'e/(e-1)',
    'suspected after',
    tailName(0.99, counts),
  ]
  return section(
    'Periods from a failure to its first detection, means',
    table(heads, lines),
    `The period in which the first probe of the silent began, counted from 1, is what the formula is about; the suspicion follows at that probe's end. Of so few: 1 / (1 - (1 - 1/(N - 1))^(N - 1)) [calc]; taking turns (SWIM §4.3) makes it a little less. SWIM's measured means of 8 to 40 members lie between ${least} and ${most}. ${sourceOf(SWIM_DETECTION)}`,
  )
}

function crashTable(rows: readonly SwimRow[]): string {
  const groups = groupedBy(ofKind(rows, 'crash'), ({ job }) => job.members)
  if (groups.size === 0) return ''
  const lines = [...groups].map(([members, found]) => {
    const published = SWIM_SPREAD.figures.find(([size]) => size === members)?.[1]
    const of = (pick: (result: CrashResult) => number): number =>
      median(found.map(({ result }) => pick(result as CrashResult)))
    return [
      String(members),
      figure(of((result) => result.suspicionSpread)),
      figure(of((result) => result.verdictSpread)),
      figure(published, 1),
      figure(
        of((result) => result.dead - result.suspected),
        1,
      ),
      String(swimRepeats(members)),
      figure(
        of((result) => result.allDead),
        1,
      ),
    ]
  })
  const heads = ['members', 'suspicion at half', 'verdict at half', 'SWIM', 'suspicion lasts', 'SWIM', 'all know after']
  return section(
    'Periods until others know of a crash, medians',
    table(heads, lines),
    `At half: from the first member that held it to the median one. ${sourceOf(SWIM_SPREAD)} A suspicion of SWIM's lasts 3⌈ln(N + 1)⌉ periods [calc, agrees with Fig. 3(c)].`,
  )
}

function lossTable(rows: readonly SwimRow[]): string {
  const groups = groupedBy(ofKind(rows, 'loss'), ({ job }) => `${job.lossRatio} ${job.helpers}`)
  if (groups.size === 0) return ''
  const lines = [...groups.values()].map((found) => {
    const { lossRatio, helpers } = (found[0] as (typeof found)[number]).job
    const results = found.map(({ result }) => result as LossResult)
    const [probes, failures] = [
      sum(results.map((result) => result.probes)),
      sum(results.map((result) => result.failures)),
    ]
    const chance = failures / probes
    return [
      percent(lossRatio, 0),
      String(helpers),
      String(probes),
      String(failures),
      short(chance),
      shortInterval(chanceInterval(failures, probes)),
      short(probeFails(lossRatio, helpers)),
      short(chance * DETECTION_PERIODS),
      short(falselySuspected(lossRatio, helpers)),
    ]
  })
  const heads = ['loss', 'k', 'probes', 'failed', 'a probe', '95 %', 'formula', 'e/(e-1) periods', 'PM(F)']
  return section(
    'Chance that a living member is suspected',
    table(heads, lines),
    'SWIM §3.1 [calc]: a probe fails with (1 - q²)(1 - q⁴)^k, q = 1 - loss; each member is probed once a period on average, and PM(F) is told of e/(e-1) periods.',
  )
}

function infectionTable(rows: readonly SwimRow[]): string {
  const groups = groupedBy(ofKind(rows, 'infection'), ({ job }) => job.members)
  if (groups.size === 0) return ''
  const lines: string[][] = []
  for (const [members, found] of groups) {
    const curves = found.flatMap(({ result }) => (result as InfectionResult).curves)
    const periods = (curves[0] as readonly number[]).map((_, period) => period).slice(1)
    const at = (period: number): number[] => curves.map((curve) => curve[period] as number)
    lines.push([`${members}, mean of ${curves.length}`, ...periods.map((period) => figure(mean(at(period)), 1))])
    lines.push([`${members}, x(t)`, ...periods.map((period) => figure(infected(members, period), 1))])
  }
  const heads = [
    'members that know after',
    ...Array.from({ length: (lines[0] as string[]).length - 1 }, (_, at) => String(at + 1)),
  ]
  return section(
    'How news spreads on probes and answers alone, periods',
    table(heads, lines),
    'SWIM §4.1 [calc]: x(t) = n / (1 + (n - 1) e^(-(2 - 1/n) t)), an average member infecting 2 - 1/n others a period from the first moment. Ours lag by up to half a period at first: what a member hears it tells with its next ping or answer, not at once.',
  )
}

function joinsTable(rows: readonly SwimRow[]): string {
  const groups = groupedBy(ofKind(rows, 'joins'), ({ job }) => job.knobs)
  if (groups.size === 0) return ''
  const lines = [...groups].map(([knobs, found]) => {
    const of = (pick: (result: JoinsResult) => number): string =>
      figure(mean(found.map(({ result }) => pick(result as JoinsResult))), 1)
    return [
      knobs === 'swim' ? 'ours, knobs as SWIM’s' : 'ours, lan as it is',
      of((result) => result.peak),
      of((result) => result.atCut),
      of((result) => result.atEnd),
      of((result) => result.falseVerdicts),
    ]
  })
  const { peak, suspicion } = SWIM_JOINS.figures
  lines.push(['SWIM, with suspicion', `≈ ${peak}`, `≈ ${suspicion}`, '-', '-'])
  return section(
    '17 join one that is there, a tenth of packets lost at every receiver: mean size of the group',
    table(['', 'peak', `at ${CUT_MS / 1000} s`, `at ${(2 * CUT_MS) / 1000} s`, 'verdicts about the living'], lines),
    `${sourceOf(SWIM_JOINS)} SWIM's other two, without suspicion (≈ ${SWIM_JOINS.figures.infection}) and with multicast (≈ ${SWIM_JOINS.figures.basic}), have no counterpart in our code. Whom SWIM has given up stays out; with us who hears that it was given up denies it and is back.`,
  )
}
