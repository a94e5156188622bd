// One run of the Lifeguard experiments: a cluster of real members in virtual time, some of them sick in turns. Counts what they say.
//
// Definitions, written before the first run:
// - A run: all members start within 10 s, agree, and are left alone for 10 s. Then begins the time of sickness, 120 s; then 30 s in
//   which all are well. `sick` members, drawn by the seed, fall sick again and again: sick for `sickMs`, well for `wellMs`, each at a
//   phase of its own (its first sickness begins within one such cycle). The others are healthy from beginning to end.
// - Models of sickness. `blocked`: the process stands still; timers come late, and before what arrived meanwhile (in Node, late timers
//   run first). `held`: what it sends leaves, and what is sent to it is read, when the sickness ends; its timers are on time, so it
//   judges by what it cannot hear: as in a program of many threads whose sockets alone are stuck. `late`: whatever is sent to the member while it is sick is read 0.5 to 2.5 s later, evenly drawn for each packet and
//   each piece of a stream (handshakes are the kernel's, and on time); its timers are on time. `one-way`: whatever is sent to the
//   member while it is sick is lost, packets and streams; what it sends arrives. TCP sends again until it is well.
// - A false verdict is a `member-dead` event about a member that runs, told by any member, within the 150 s: every observer that
//   tells it counts once each time. FP: the subject is healthy. FP-: the subject and the observer are healthy. Verdicts about the sick
//   are told apart: they are not false in the same way. An incident is all of FP- about one subject, no two further apart than 10 s.
// - Suspicions: `member-suspect` events, told apart likewise.
// - Load: packets (datagrams; several messages may share one) and payload bytes that all members sent over UDP in the 120 s, without
//   IP and UDP headers; streams dialled and bytes arrived over TCP apart. A member and a second: divided by all members and 120 s.
// - Detection: three healthy members are killed 80, 81 and 82 s after the sickness began, so 40 s of it are still to come. `first`: from
//   the crash to the first `member-dead` about it at a healthy observer; `last`: until the last healthy observer has told it. Not
//   within the run: `undetected`, and no figure.
// One run knows nothing of other runs, of rows and tables, or of files.
import type { Random } from '../../src/base/random.ts'
import { Cluster, type ClusterEvent, type SimMemberOptions } from '../../src/sim/cluster.ts'
import type { Leg, Verdict } from '../../src/sim/links.ts'

export const MODELS = ['blocked', 'held', 'late', 'one-way'] as const
export type Model = (typeof MODELS)[number]

/** What happens to whom: one square of a grid. */
export interface Cell {
  readonly model: Model
  /** How many members fall sick. */
  readonly sick: number
  readonly sickMs: number
  readonly wellMs: number
}

export interface Scale {
  readonly members: number
  /** How long members fall sick. */
  readonly sicknessMs: number
}

/** As in the paper. */
export const FULL: Scale = { members: 128, sicknessMs: 120_000 }

/** Verdicts or suspicions, by subject and observer. */
export interface Tallies {
  /** Subject healthy, any observer. */
  readonly all: number
  /** Subject and observer healthy. */
  readonly healthy: number
  /** Those of them whose observer has the options that the run is about: all, where no others are beside. Absent in older results. */
  readonly healthyOwn?: number
  /** Subject sick, any observer. */
  readonly aboutSick: number
}

export interface Outcome {
  readonly dead: Tallies
  readonly incidents: number
  readonly suspect: Tallies
  readonly packets: number
  readonly bytes: number
  readonly streams: number
  readonly streamBytes: number
  /** Milliseconds, one a crash that a healthy member saw. */
  readonly first: readonly number[]
  /** The same, of members whom no healthy one held for suspect when they crashed. Absent in results older than it. */
  readonly firstUnaccused?: readonly number[]
  /** Milliseconds, one a crash that all healthy members saw. */
  readonly last: readonly number[]
  readonly undetected: number
}

const SPREAD_MS = 10_000
const QUIET_MS = 10_000
const WELL_AGAIN_MS = 30_000
const CRASHES = 3
const CRASH_EVERY_MS = 1_000
/** Share of the sickness that is over at the first crash. */
const CRASH_AFTER = 2 / 3
const LATE_MIN_MS = 500
const LATE_MAX_MS = 2_500
const SAME_INCIDENT_MS = 10_000

/** Plays one cell once. The same seed draws the same sick members and phases whatever the options.
 *  @param beside options of every second member, which stands for one of another make; absent: all have `options` */
export async function play(
  cell: Cell,
  seed: number,
  options: SimMemberOptions,
  scale: Scale = FULL,
  beside: SimMemberOptions = options,
): Promise<Outcome> {
  const { members, sicknessMs } = scale
  const isOwn = (name: string): boolean => beside === options || Number(name.slice(name.lastIndexOf('-') + 1)) % 2 === 1
  const optionsOf = (name: string): SimMemberOptions => (isOwn(name) ? options : beside)
  const cluster = new Cluster({ seed, transcript: 'off', spreadMs: SPREAD_MS, options: optionsOf })
  await cluster.start(members)
  await cluster.settle({ withinMs: 300_000 })
  await cluster.run(QUIET_MS)

  const names = cluster.simulation.random('who is sick').shuffle([...cluster.names])
  const sick = new Set(names.slice(0, cell.sick))
  const victims = names.slice(cell.sick, cell.sick + CRASHES)
  const healthy = names.slice(cell.sick)
  const begunAt = cluster.now
  const crashedAt = new Map<string, number>()
  /** Who stood accused at its crash. */
  const accused = new Set<string>()
  const firstEvent = cluster.events.length
  const { traffic } = cluster.simulation.network
  const before = structuredClone({ sent: traffic.sent, streams: traffic.streams })

  scheduleSickness(cluster, cell, sick, begunAt + sicknessMs)
  victims.forEach((name, index) => {
    cluster.simulation.schedule.at(begunAt + CRASH_AFTER * sicknessMs + index * CRASH_EVERY_MS, () => {
      crashedAt.set(name, cluster.now)
      if (healthy.some((other) => other !== name && cluster.member(other).member(name)?.state === 'suspect'))
        accused.add(name)
      cluster.crash(name)
    })
  })
  await cluster.run(sicknessMs)
  const after = structuredClone({ sent: traffic.sent, streams: traffic.streams })
  await cluster.run(WELL_AGAIN_MS)

  const events = cluster.events.slice(firstEvent)
  const isFalse = ({ atMs, about }: ClusterEvent): boolean => atMs < (crashedAt.get(about) ?? Number.POSITIVE_INFINITY)
  const falseDead = events.filter((event) => event.type === 'member-dead' && isFalse(event))
  const falseSuspect = events.filter((event) => event.type === 'member-suspect' && isFalse(event))
  const observers = names.filter((name) => !sick.has(name) && !crashedAt.has(name))
  return {
    dead: tally(falseDead, sick, isOwn),
    incidents: incidentsOf(falseDead.filter(({ observer, about }) => !sick.has(observer) && !sick.has(about))),
    suspect: tally(falseSuspect, sick, isOwn),
    packets: after.sent.packets - before.sent.packets,
    bytes: after.sent.bytes - before.sent.bytes,
    streams: after.streams.dialled - before.streams.dialled,
    streamBytes: after.streams.bytes - before.streams.bytes,
    ...detectionOf(events, crashedAt, new Set(observers), accused),
  }
}

/** Lets each sick member fall sick and recover until `endsAt`, when all are well. */
function scheduleSickness(cluster: Cluster, cell: Cell, sick: ReadonlySet<string>, endsAt: number): void {
  const { simulation } = cluster
  /** Who is sick now, and until when. */
  const sickUntil = new Map<string, number>()
  if (cell.model !== 'blocked') simulation.network.links.addRule(ruleOf(cell.model, sickUntil, () => simulation.now))
  const fallSick = (name: string): void => {
    if (simulation.now >= endsAt) return
    const until = Math.min(simulation.now + cell.sickMs, endsAt)
    sickUntil.set(name, until)
    if (cell.model === 'blocked') cluster.pause(name)
    simulation.schedule.at(until, () => recover(name))
  }
  const recover = (name: string): void => {
    sickUntil.delete(name)
    if (cell.model === 'blocked') cluster.resume(name)
    simulation.schedule.at(simulation.now + cell.wellMs, () => fallSick(name))
  }
  const phases = simulation.random('phases of sickness')
  for (const name of sick) {
    simulation.schedule.at(simulation.now + phases.fraction() * (cell.sickMs + cell.wellMs), () => fallSick(name))
  }
}

/** What a sickness of the sockets does to whatever is on its way. */
function ruleOf(
  model: Exclude<Model, 'blocked'>,
  sickUntil: ReadonlyMap<string, number>,
  now: () => number,
): (leg: Leg, random: Random) => Verdict {
  switch (model) {
    case 'held':
      return ({ from, to, bytes }) => {
        const until = Math.max(sickUntil.get(from) ?? 0, sickUntil.get(to) ?? 0)
        return until === 0 || bytes === 0 ? 'pass' : { delayMs: until - now() }
      }
    case 'late':
      return ({ to, bytes }, random) =>
        sickUntil.has(to) && bytes > 0
          ? { delayMs: LATE_MIN_MS + random.fraction() * (LATE_MAX_MS - LATE_MIN_MS) }
          : 'pass'
    case 'one-way':
      return ({ to }) => (sickUntil.has(to) ? 'drop' : 'pass')
  }
}

function tally(events: readonly ClusterEvent[], sick: ReadonlySet<string>, isOwn: (name: string) => boolean): Tallies {
  const aboutHealthy = events.filter(({ about }) => !sick.has(about))
  return {
    all: aboutHealthy.length,
    healthy: aboutHealthy.filter(({ observer }) => !sick.has(observer)).length,
    healthyOwn: aboutHealthy.filter(({ observer }) => !sick.has(observer) && isOwn(observer)).length,
    aboutSick: events.length - aboutHealthy.length,
  }
}

function incidentsOf(verdicts: readonly ClusterEvent[]): number {
  const lastAt = new Map<string, number>()
  let incidents = 0
  for (const { about, atMs } of verdicts) {
    if (atMs - (lastAt.get(about) ?? Number.NEGATIVE_INFINITY) > SAME_INCIDENT_MS) incidents++
    lastAt.set(about, atMs)
  }
  return incidents
}

function detectionOf(
  events: readonly ClusterEvent[],
  crashedAt: ReadonlyMap<string, number>,
  observers: ReadonlySet<string>,
  accused: ReadonlySet<string>,
): Pick<Outcome, 'first' | 'firstUnaccused' | 'last' | 'undetected'> {
  const first: number[] = []
  const firstUnaccused: number[] = []
  const last: number[] = []
  for (const [name, at] of crashedAt) {
    // Who held it for dead when it crashed, falsely, tells nothing again: its verdict counts as there at the crash.
    const knownAt = new Map<string, number>()
    for (const { type, atMs, about, observer } of events) {
      if (about !== name || !observers.has(observer)) continue
      if (type === 'member-dead' && !knownAt.has(observer)) knownAt.set(observer, Math.max(atMs, at))
      if (type === 'member-join') knownAt.delete(observer)
    }
    const delays = [...knownAt.values()].map((known) => Math.round(known - at))
    if (delays.length > 0) first.push(Math.min(...delays))
    if (delays.length > 0 && !accused.has(name)) firstUnaccused.push(Math.min(...delays))
    if (delays.length === observers.size) last.push(Math.max(...delays))
  }
  return { first, firstUnaccused, last, undetected: crashedAt.size - last.length }
}
