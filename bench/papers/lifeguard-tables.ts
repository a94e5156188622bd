// Results as tables, beside what was published. Everything that is printed is worked out from the results given, or is a published figure.
import { cellName, type Ratio, type Result, ratioOf, type Total, totalOf } from './lifeguard-results.ts'
import { LIFEGUARD_BY_SICK, LIFEGUARD_ROWS, LIFEGUARD_TUNING, type LifeguardRow } from './published.ts'
import { quantile } from './support/statistics.ts'
import { seconds, table as tableOf, tailName } from './support/table.ts'

const PAPER_MEMBERS = 128

type ByName = ReadonlyMap<string, readonly Result[]>

/** What each configuration said falsely. Per cent are of the first one named; where that is SWIM, the paper's stand beside. */
export function verdictsTable(byName: ByName): string {
  const base = baseOf(byName)
  const head = [
    'configuration',
    'runs',
    'FP',
    '%',
    'paper',
    'FP-',
    '%',
    'paper',
    'own FP-',
    'incidents',
    'about sick',
    'suspicions',
    'healthy',
  ]
  const lines = [...byName].map(([name, results]) => {
    const total = totalOf(results)
    const paper = publishedOf(name, byName)
    return [
      name,
      total.runs,
      total.falseAll,
      percent(total.falseAll, base?.falseAll),
      paper?.falseAll ?? '-',
      total.falseHealthy,
      percent(total.falseHealthy, base?.falseHealthy),
      paper?.falseHealthy ?? '-',
      total.falseOwn,
      total.incidents,
      total.aboutSick,
      total.suspectAll,
      total.suspectHealthy,
    ]
  })
  return table(head, lines)
}

/** What each configuration sent, a member and a second, and how fast it was. Per cent as above. */
export function loadTable(byName: ByName): string {
  const base = baseOf(byName)
  const totals = [...byName.values()].map(totalOf)
  const head = [
    'configuration',
    'packets/s',
    '%',
    'paper',
    'bytes/s',
    '%',
    'paper',
    'TCP bytes/s',
    'streams/s',
    ...tailHeads(totals),
    'missed',
  ]
  const lines = [...byName].map(([name, results]) => {
    const total = totalOf(results)
    const paper = publishedOf(name, byName)
    return [
      name,
      total.packets.toFixed(2),
      percent(total.packets, base?.packets),
      paper?.messages ?? '-',
      total.bytes.toFixed(0),
      percent(total.bytes, base?.bytes),
      paper?.bytes ?? '-',
      total.streamBytes.toFixed(0),
      total.streams.toFixed(3),
      tail(total.first),
      tail(total.last),
      total.undetected,
    ]
  })
  return table(head, lines)
}

/** Median detection and false positives, per cent of the first configuration named, beside the blog's figure. */
export function tuningTable(byName: ByName): string {
  const totals: [string, Total][] = [...byName].map(([name, results]) => [name, totalOf(results)])
  const base = totals[0]?.[1]
  const tailHead = `last ${tailOf(totals.map(([, total]) => total))} s`
  const head = ['configuration', 'first p50 s', 'last p50 s', '%', 'blog', tailHead, 'FP', '%', 'blog', 'FP-', '%']
  const lines = totals.map(([name, total]) => {
    const blog = LIFEGUARD_TUNING.figures[name]
    const median = quantile(total.last, 0.5)
    return [
      name,
      seconds(quantile(total.first, 0.5)),
      seconds(median),
      percent(median, base && quantile(base.last, 0.5)),
      blog?.median ?? '-',
      seconds(quantile(total.last, 0.99)),
      total.falseAll,
      percent(total.falseAll, base?.falseAll),
      blog?.falseAll ?? '-',
      total.falseHealthy,
      percent(total.falseHealthy, base?.falseHealthy),
    ]
  })
  return table(head, lines)
}

/** False positives of each configuration against the number of sick members: a mean run, since the numbers of runs differ. The paper's
 *  are totals, for the same share of its 128 members. */
export function bySickTable(byName: ByName): string {
  const all = [...byName.values()].flat()
  const sizes = [...new Set(all.map(({ cell }) => cell.sick))].sort((one, other) => one - other)
  const names = [...byName.keys()]
  const head = ['sick', ...names.flatMap((name) => [`${name} FP`, 'FP-']), 'paper: SWIM', 'Lifeguard', '%']
  const lines = sizes.map((size) => {
    const members = all[0]?.scale.members ?? PAPER_MEMBERS
    const paper = LIFEGUARD_BY_SICK.figures[(size * PAPER_MEMBERS) / members]
    const own = names.flatMap((name) => {
      const { runs, falseAll, falseHealthy } = totalOf(
        (byName.get(name) ?? []).filter(({ cell }) => cell.sick === size),
      )
      return runs === 0 ? ['-', '-'] : [(falseAll / runs).toFixed(1), (falseHealthy / runs).toFixed(1)]
    })
    const published = paper ? [paper.swim, paper.lifeguard, percent(paper.lifeguard, paper.swim)] : ['-', '-', '-']
    return [size, ...own, ...published]
  })
  return table(head, lines)
}

/** The counts of each cell. */
export function cellsTable(byName: ByName): string {
  const names = [...new Set([...byName.values()].flat().map(({ cell }) => cellName(cell)))].sort()
  const head = ['cell', ...[...byName.keys()].flatMap((name) => [`${name}: FP`, 'FP-', 'incidents', 'first p50'])]
  const lines = names.map((cell) => [
    cell,
    ...[...byName.values()].flatMap((results) => {
      const total = totalOf(results.filter((result) => cellName(result.cell) === cell))
      return [total.falseAll, total.falseHealthy, total.incidents, seconds(quantile(total.first, 0.5))]
    }),
  ])
  return table(head, lines)
}

/** One configuration against another in the runs that both have: in all, and by model. */
export function comparison(byName: ByName, one: string, other: string): string {
  const [ones = [], others = []] = [byName.get(one), byName.get(other)]
  const models = [...new Set(ones.map(({ cell }) => cell.model))].sort()
  const head = [`${one} / ${other}`, 'ratio', '95 %', 'sums', 'seeds', 'runs']
  const lines: (readonly (string | number)[])[] = []
  const add = (what: string, ratio: Ratio | undefined): void => {
    if (ratio === undefined) return
    const interval = `${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}`
    const sums = `${Math.round(ratio.one)} / ${Math.round(ratio.other)}`
    lines.push([what, ratio.ratio.toFixed(3), interval, sums, ratio.seeds, ratio.runs])
  }
  for (const model of ['all', ...models]) {
    const [left, right] = [ones, others].map((results) =>
      results.filter(({ cell }) => model === 'all' || cell.model === model),
    )
    if (left === undefined || right === undefined) continue
    add(
      `FP-, ${model}`,
      ratioOf(left, right, ({ dead }) => dead.healthy),
    )
    if (model !== 'all') continue
    add(
      'incidents of FP-',
      ratioOf(left, right, ({ incidents }) => incidents),
    )
    add(
      'FP',
      ratioOf(left, right, ({ dead }) => dead.all),
    )
    add(
      'verdicts about the sick',
      ratioOf(left, right, ({ dead }) => dead.aboutSick),
    )
    add(
      'UDP bytes',
      ratioOf(left, right, ({ bytes }) => bytes),
    )
    add(
      'UDP and TCP bytes',
      ratioOf(left, right, ({ bytes, streamBytes }) => bytes + streamBytes),
    )
    add(
      'packets',
      ratioOf(left, right, ({ packets }) => packets),
    )
  }
  const [left, right] = [totalOf(ones), totalOf(others)]
  const detection = table(
    ['detection', ...tailHeads([left, right]), 'crashes', 'missed', 'unaccused: first p50 s', 'crashes'],
    [left, right].map((total, index) => [
      [one, other][index] as string,
      tail(total.first),
      tail(total.last),
      total.first.length,
      total.undetected,
      seconds(quantile(total.firstUnaccused, 0.5)),
      total.firstUnaccused.length,
    ]),
  )
  return `${table(head, lines)}\n\n${detection}`
}

/** The paper's per cent are of SWIM, and beside those of anything else they say nothing. */
function publishedOf(name: string, byName: ByName): LifeguardRow | undefined {
  const [base] = byName.keys()
  return base === 'swim' ? LIFEGUARD_ROWS.figures[name] : undefined
}

function baseOf(byName: ByName): Total | undefined {
  const [first] = byName.values()
  return first === undefined ? undefined : totalOf(first)
}

function tailHeads(totals: readonly Total[]): readonly string[] {
  return ['first', 'last'].map((which) => `${which} p50 / ${tailOf(totals)} s`)
}

/** Crashes that somebody healthy told of have both times, or all but a few. */
function tailOf(totals: readonly Total[]): string {
  return tailName(
    0.99,
    totals.map(({ last }) => last.length),
  )
}

function tail(values: readonly number[]): string {
  return `${seconds(quantile(values, 0.5))} / ${seconds(quantile(values, 0.99))}`
}

function percent(value: number, of: number | undefined): string {
  return of === undefined || of === 0 ? '-' : ((100 * value) / of).toFixed(2)
}

function table(head: readonly string[], lines: readonly (readonly (string | number)[])[]): string {
  return tableOf(head, lines, 'right')
}
