// bench:serf: which runs, and the tables of their results beside the formula of the convergence simulator on Serf's site.
import { SERF_CURVE, sourceOf } from '../published.ts'
import { type Extent, groupedBy, type PaperBench, type Row } from '../support/bench.ts'
import { serfKilobits, serfRounds } from '../support/formulas.ts'
import { mean, quantile } from '../support/statistics.ts'
import { figure, percent, seconds, section, table, tailName } from '../support/table.ts'
import { GOSSIP_MS, type SerfJob, type SerfResult, type Spread, WATCH_MS } from './runs.ts'

type SerfRow = Row<SerfJob, SerfResult>

/** More take minutes and gigabytes: by `--members`. */
const SIZES = [30, 100, 300]
const LOSSES = [0, 0.25, 0.5]
const FANOUT = 3

export const serfBench: PaperBench<SerfJob, SerfResult> = {
  name: 'serf',
  runs: import.meta.resolve('./runs.ts'),
  plan,
  tables,
}

function plan({ members, seeds, isSmoke }: Extent): readonly SerfJob[] {
  if (isSmoke) return [{ kind: 'spread', members: 30, lossRatios: [0], broadcasts: 5, seed: 1 }]
  // As many broadcasts a cluster as its start is worth.
  return (members ?? SIZES).flatMap((size) =>
    Array.from(
      { length: seeds ?? 3 },
      (_, at) => ({ kind: 'spread', members: size, lossRatios: LOSSES, broadcasts: 6, seed: at + 1 }) as const,
    ),
  )
}

function tables(rows: readonly SerfRow[]): string {
  const cells = cellsOf(rows)
  return [convergence(cells), cost(cells)].join('\n\n')
}

function convergence(cells: readonly Cell[]): string {
  const lines = cells.map(({ what, members, lossRatio, spreads }) => {
    const all = (pick: (spread: Spread) => number | null): readonly (number | null)[] => spreads.map(pick)
    const formula = (share: number): string => seconds(serfRounds(share, members, FANOUT, lossRatio) * GOSSIP_MS, 1)
    return [
      what,
      middle(all(({ halfMs }) => halfMs)),
      formula(0.5),
      middle(all(({ mostMs }) => mostMs)),
      formula(0.99),
      middle(all(({ nearlyAllMs }) => nearlyAllMs)),
      formula(0.9999),
      of(all(({ nearlyAllMs }) => nearlyAllMs)),
      percent(mean(spreads.map(({ share }) => share)), 2),
    ]
  })
  const counts = cells.map(({ spreads }) => spreads.length)
  const heads = [...HEADS, '50 %', 'Serf', '99 %', 'Serf', '99.99 %', 'Serf', 'broadcasts that do', 'had it at the end']
  return section(
    `Seconds until a share of all members has one broadcast: median / ${tailName(0.99, counts)}`,
    table(heads, lines),
    `${sourceOf(SERF_CURVE)} The formula knows of no end: it goes on telling until all know. With us, as with Serf, each tells a broadcast \`retransmitMult\` × ⌈log10(N + 1)⌉ times, and who was missed learns of it in a full exchange, often later than the ${seconds(WATCH_MS, 0)} s that were watched.`,
  )
}

function cost(cells: readonly Cell[]): string {
  const lines = cells.map(({ what, members, lossRatio, spreads }) => {
    const packets = mean(spreads.map((spread) => spread.packets))
    return [
      what,
      lossRatio > 0 ? '-' : figure(packets, 0),
      lossRatio > 0 ? '-' : figure(packets / members, 1),
      figure(mean(spreads.map(({ kilobits }) => kilobits)), 1),
      figure(serfKilobits(1400, FANOUT, GOSSIP_MS), 1),
    ]
  })
  const heads = [...HEADS, 'packets a broadcast', 'of each member', 'kb/s at the busiest', 'Serf, at most']
  return section(
    'What a broadcast takes',
    table(heads, lines),
    'Packets beyond those of a time without a broadcast; under loss, suspicions and denials are many more than these, and no two times alike. Kilobits of payload, in and out, of a member in the busiest fifth of a second; Serf’s bound [calc] is that of gossip in full packets.',
  )
}

const HEADS = ['members, loss, what'] as const

/** Broadcasts of one kind, at one loss, in clusters of one size. */
interface Cell {
  readonly what: string
  readonly members: number
  readonly lossRatio: number
  readonly spreads: readonly Spread[]
}

function cellsOf(rows: readonly SerfRow[]): readonly Cell[] {
  const all = rows.flatMap(({ job, result }) => result.map((spread) => ({ members: job.members, spread })))
  const groups = groupedBy(all, ({ members, spread }) => `${members}, ${percent(spread.lossRatio, 0)}, ${spread.what}`)
  return [...groups].map(([what, found]) => {
    const { members, spread } = found[0] as (typeof found)[number]
    return { what, members, lossRatio: spread.lossRatio, spreads: found.map((one) => one.spread) }
  })
}

/** Median and 99th percentile; a broadcast that never came so far counts as later than all others. */
function middle(values: readonly (number | null)[]): string {
  const all = values.map((value) => value ?? Number.POSITIVE_INFINITY)
  return [0.5, 0.99].map((share) => told(quantile(all, share))).join(' / ')
}

function told(ms: number): string {
  return Number.isFinite(ms) ? seconds(ms) : 'never'
}

function of(values: readonly (number | null)[]): string {
  return `${values.filter((value) => value !== null).length} of ${values.length}`
}
