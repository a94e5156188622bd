// bench:peers: which runs, and the tables of their results beside what kinship publishes and what we measured of Go's own members.
import { GO_DETECTION, GO_EVENTS, KINSHIP_SIMULATED, sourceOf } from '../published.ts'
import { type Extent, groupedBy, ofKind, type PaperBench, type Row, upTo } from '../support/bench.ts'
import { mean, median, quantile, sum } from '../support/statistics.ts'
import { figure, seconds, section, spread, spreadName, table, tailName } from '../support/table.ts'
import {
  DETECTORS,
  type Detector,
  type EventsResult,
  type KilledResult,
  type PeersJob,
  type PeersResult,
  type StarvedResult,
} from './runs.ts'

type PeersRow = Row<PeersJob, PeersResult>

const SIZES = [10, 50, 100]
const EVENTS = 60
const NAMES: Readonly<Record<Detector, string>> = {
  lifeguard: 'Lifeguard',
  swim: 'SWIM',
  'swim-udp': 'SWIM, no TCP',
}

export const peersBench: PaperBench<PeersJob, PeersResult> = {
  name: 'peers',
  runs: import.meta.resolve('./runs.ts'),
  plan,
  tables,
}

function plan({ members, seeds, isSmoke }: Extent): readonly PeersJob[] {
  if (isSmoke) {
    return [
      { kind: 'starved', members: 10, starved: 1, lossRatio: 0.01, detector: 'lifeguard', seed: 1 },
      ...upTo(3).map((seed) => ({ kind: 'killed', members: 10, seed }) as const),
      { kind: 'events', members: 10, events: 10, seed: 1 },
    ]
  }
  const sizes = members ?? SIZES
  const cells = KINSHIP_SIMULATED.figures.filter((cell) => (members ?? [50]).includes(cell.members))
  return [
    ...cells.flatMap(({ members: size, starved, lossRatio }) =>
      DETECTORS.flatMap((detector) =>
        upTo(seeds ?? 20).map(
          (seed) => ({ kind: 'starved', members: size, starved, lossRatio, detector, seed }) as const,
        ),
      ),
    ),
    ...sizes.flatMap((size) => upTo(seeds ?? 40).map((seed) => ({ kind: 'killed', members: size, seed }) as const)),
    ...sizes.flatMap((size) =>
      upTo(3).map((seed) => ({ kind: 'events', members: size, events: EVENTS, seed }) as const),
    ),
  ]
}

function tables(rows: readonly PeersRow[]): string {
  return [starvedTable(rows), killedTable(rows), eventsTable(rows)].filter((text) => text !== '').join('\n\n')
}

function starvedTable(rows: readonly PeersRow[]): string {
  const groups = groupedBy(ofKind(rows, 'starved'), ({ job }) =>
    [job.members, job.starved, job.lossRatio, job.detector].join(' '),
  )
  if (groups.size === 0) return ''
  const [runs, crashes]: [number[], number[]] = [[], []]
  const lines = [...groups.values()].map((found) => {
    const { members, starved, lossRatio, detector } = (found[0] as (typeof found)[number]).job
    const results = found.map(({ result }) => result as StarvedResult)
    const of = (pick: (result: StarvedResult) => number): number => mean(results.map(pick))
    const deaths = results.map(({ falseDeaths }) => falseDeaths)
    const firsts = results.flatMap(({ firstMs }) => (firstMs === undefined ? [] : [firstMs]))
    runs.push(deaths.length)
    crashes.push(firsts.length)
    const published = KINSHIP_SIMULATED.figures.find(
      (cell) => cell.members === members && cell.starved === starved && cell.lossRatio === lossRatio,
    )
    const column = DETECTORS.indexOf(detector)
    const [from, to] = published?.detectionSeconds ?? [undefined, undefined]
    return [
      `${members}, ${starved} starved, ${100 * lossRatio} %, ${NAMES[detector]}`,
      String(results.length),
      figure(mean(deaths), 3),
      spread(deaths, mean),
      figure(published?.falseDeaths[column], 3),
      figure(
        of(({ falseVerdicts }) => falseVerdicts),
        2,
      ),
      figure(
        of(({ suspicions }) => suspicions),
        1,
      ),
      figure(
        of(({ suspicionsTold }) => suspicionsTold),
        1,
      ),
      figure(published?.suspicions?.[column], 1),
      `${seconds(quantile(firsts, 0.5))} / ${seconds(quantile(firsts, 0.99))}`,
      from === undefined ? '-' : `${from} to ${to}`,
    ]
  })
  const heads = [
    'members, loss, detector',
    'runs',
    'false deaths a run',
    spreadName(runs),
    'kinship',
    'verdicts told',
    'suspicions',
    'suspicions told',
    'kinship',
    `crash found, s: p50 / ${tailName(0.99, crashes)}`,
    'kinship, p50',
  ]
  return section(
    'Some read packets 0.5 to 2.5 s late for 120 s, one crashes at 60 s',
    table(heads, lines),
    `${sourceOf(KINSHIP_SIMULATED)} A false death of ours is one of a living member, however many tell it; told counts every observer. How kinship counts suspicions we do not know.`,
  )
}

function killedTable(rows: readonly PeersRow[]): string {
  const groups = groupedBy(ofKind(rows, 'killed'), ({ job }) => job.members)
  if (groups.size === 0) return ''
  const kills: number[] = []
  const lines = [...groups].flatMap(([members, found]) => {
    const results = found.map(({ result }) => result as KilledResult)
    const two = (values: readonly number[]): string =>
      `${seconds(quantile(values, 0.5), 1)} / ${seconds(quantile(values, 0.9), 1)}`
    const firsts = results.map(({ firstMs }) => firstMs)
    const inSeconds = firsts.map((ms) => ms / 1000)
    kills.push(firsts.length)
    const ours = [
      `${members}, ours simulated`,
      String(results.length),
      two(firsts),
      spread(inSeconds, median, 1),
      two(results.map(({ allMs }) => allMs)),
    ]
    const others = GO_DETECTION.figures
      .filter((row) => row.members === members)
      .map(({ peer, victims, first, all }) => [
        `${members}, ${peer}`,
        String(victims),
        first.map((value) => figure(value, 1)).join(' / '),
        '-',
        all.map((value) => figure(value, 1)).join(' / '),
      ])
    return [ours, ...others]
  })
  const tail = tailName(
    0.9,
    lines.map(([, count]) => Number(count)),
  )
  const heads = [
    'members',
    'kills',
    `first verdict: p50 / ${tail}`,
    `p50, ${spreadName(kills)}`,
    `all know: p50 / ${tail}`,
  ]
  return section('One is killed: seconds until it is known', table(heads, lines), sourceOf(GO_DETECTION))
}

function eventsTable(rows: readonly PeersRow[]): string {
  const groups = groupedBy(ofKind(rows, 'events'), ({ job }) => job.members)
  if (groups.size === 0) return ''
  const [eachCounts, allCounts]: [number[], number[]] = [[], []]
  const lines = [...groups].flatMap(([members, found]) => {
    const results = found.map(({ result }) => result as EventsResult)
    const two = (values: readonly number[]): string =>
      `${figure(quantile(values, 0.5), 0)} / ${figure(quantile(values, 0.99), 0)}`
    const sent = sum(found.map(({ job }) => job.events))
    const each = results.flatMap((result) => result.each)
    const all = results.flatMap((result) => result.all)
    eachCounts.push(each.length)
    allCounts.push(all.length)
    const ours = [
      `${members}, ours simulated`,
      two(each),
      two(all),
      `${all.length} of ${sent}`,
      figure(mean(results.map(({ packets }) => packets)), 0),
    ]
    const others = GO_EVENTS.figures
      .filter((row) => row.members === members)
      .map(({ peer, each: one, all: whole, complete, packets }) => [
        `${members}, ${peer}`,
        one.join(' / '),
        whole.join(' / '),
        `${complete} of 60`,
        String(packets),
      ])
    return [ours, ...others]
  })
  const heads = [
    'members',
    `each: p50 / ${tailName(0.99, eachCounts)}`,
    `all: p50 / ${tailName(0.99, allCounts)}`,
    'that all had',
    'packets an event',
  ]
  return section(
    'User events of 64 bytes, three a second: milliseconds until they are there',
    table(heads, lines),
    `${sourceOf(GO_EVENTS)} Until all have it, Go's p99 is of 60 events. Packets beyond two a member and second. Of ours, events count for all where all had them.`,
  )
}
