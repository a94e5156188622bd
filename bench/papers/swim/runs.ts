// SWIM's experiments in the simulator: one job, one cluster. The knobs stand as near to SWIM's own as ours come (`swimOptions`).
// Time is told in protocol periods. Knows no table and no other run.
import { Cluster, type SimMemberOptions } from '../../../src/sim/cluster.ts'
import { swimRepeats } from '../support/formulas.ts'
import { NO_RULES } from '../support/rules.ts'
import { median } from '../support/statistics.ts'

/** T' of SWIM §5. */
export const PERIOD_MS = 2000
/** Where one is to see no end of a suspicion. */
const ENDLESS_MULT = 100
/** Sizes of the group are read so often, for so long: where the paper's figure is cut, and as long again. */
const JOIN_EVERY_MS = 10_000
const JOINS = 17
const JOIN_LOSS = 0.1
export const CUT_MS = 175_000
const WATCH_MS = 2 * CUT_MS

export type SwimJob =
  /** Packets of a quiet cluster. */
  | { readonly kind: 'load'; readonly members: number; readonly periods: number; readonly seed: number }
  /** One after the other falls silent until somebody suspects it. */
  | { readonly kind: 'silence'; readonly members: number; readonly trials: number; readonly seed: number }
  /** One of them dies. */
  | { readonly kind: 'crash'; readonly members: number; readonly seed: number }
  /** Nobody dies, packets do. */
  | {
      readonly kind: 'loss'
      readonly members: number
      readonly periods: number
      readonly lossRatio: number
      readonly helpers: number
      readonly seed: number
    }
  /** News of one member after the other. */
  | {
      readonly kind: 'infection'
      readonly members: number
      readonly trials: number
      readonly periods: number
      readonly seed: number
    }
  /** 17 join one after the other, each losing a tenth of what is sent to it. `lan`: with our own defaults. */
  | { readonly kind: 'joins'; readonly knobs: 'swim' | 'lan'; readonly seed: number }

export interface LoadResult {
  /** Per member and period. */
  readonly sent: number
  readonly received: number
  readonly bytes: number
  /** Share of all pairs of a member and a period in which it sent fewer than five. */
  readonly belowFive: number
}

/** Of each trial, in periods. */
export interface SilenceResult {
  /** The first period of the silence, counted from 1, in which somebody began to probe it. */
  readonly probedIn: readonly number[]
  /** From the beginning of the silence to the first suspicion. */
  readonly suspected: readonly number[]
}

/** In periods, after the crash but where something else is said. */
export interface CrashResult {
  readonly suspected: number
  /** The first to give it up. */
  readonly dead: number
  /** After the first suspicion: half of the others had heard. */
  readonly suspicionSpread: number
  /** After the first verdict: half of the others held it for dead, and all. */
  readonly verdictSpread: number
  readonly allDead: number
}

export interface LossResult {
  readonly probes: number
  readonly failures: number
}

export interface InfectionResult {
  /** Of each trial, how many know after 0, 1, ... periods, the first one included. */
  readonly curves: readonly (readonly number[])[]
}

export interface JoinsResult {
  /** Mean size of the group in the eyes of those that run, each second. */
  readonly peak: number
  readonly atCut: number
  readonly atEnd: number
  /** Verdicts about the living, each observer's counted. */
  readonly falseVerdicts: number
}

export type SwimResult = LoadResult | SilenceResult | CrashResult | LossResult | InfectionResult | JoinsResult

export function run(job: SwimJob): Promise<SwimResult> {
  switch (job.kind) {
    case 'load':
      return load(job)
    case 'silence':
      return silence(job)
    case 'crash':
      return crash(job)
    case 'loss':
      return loss(job)
    case 'infection':
      return infection(job)
    case 'joins':
      return joins(job)
  }
}

/** No gossip between probes, no full exchanges, no pings over TCP, no helper but `helpers`, none of Lifeguard, no rule of ours; repeats and
 *  suspicion as often and as long as SWIM's, as far as whole multipliers of memberlist's logarithm to 10 go. */
export function swimOptions(members: number, helpers: number = 1): SimMemberOptions {
  const repeats = swimRepeats(members)
  return {
    ...NO_RULES,
    probeIntervalMs: PERIOD_MS,
    probeTimeoutMs: 500,
    indirectChecks: helpers,
    streamPings: false,
    awarenessMaxMultiplier: 1,
    buddySystem: false,
    suspicionMult: Math.round(repeats / Math.max(1, Math.log10(members))),
    suspicionMaxTimeoutMult: 1,
    retransmitMult: Math.round(repeats / Math.ceil(Math.log10(members + 1))),
    gossipIntervalMs: 0,
    gossipToTheDeadMs: 0,
    pushPullIntervalMs: 0,
    reconnectIntervalMs: 0,
    coordinates: false,
  }
}

async function load({ members, periods, seed }: Extract<SwimJob, { kind: 'load' }>): Promise<LoadResult> {
  const cluster = await acquainted(seed, members, swimOptions(members))
  const tallies = cluster.names.map((name) => cluster.host(name).station.traffic)
  let [sent, received, bytes, belowFive] = [0, 0, 0, 0]
  for (let period = 0; period < periods; period++) {
    const before = tallies.map((traffic) => [traffic.sent.packets, traffic.sent.bytes, traffic.delivered.packets])
    await cluster.run(PERIOD_MS)
    tallies.forEach((traffic, at) => {
      const [sentBefore = 0, bytesBefore = 0, receivedBefore = 0] = before[at] ?? []
      const sentNow = traffic.sent.packets - sentBefore
      sent += sentNow
      bytes += traffic.sent.bytes - bytesBefore
      received += traffic.delivered.packets - receivedBefore
      if (sentNow < 5) belowFive++
    })
  }
  await cluster.close()
  const looks = members * periods
  return { sent: sent / looks, received: received / looks, bytes: bytes / looks, belowFive: belowFive / looks }
}

async function silence({ members, trials, seed }: Extract<SwimJob, { kind: 'silence' }>): Promise<SilenceResult> {
  const cluster = await acquainted(seed, members, swimOptions(members))
  const dice = cluster.simulation.random('silence')
  const [probedIn, suspected]: [number[], number[]] = [[], []]
  for (let trial = 0; trial < trials; trial++) {
    await cluster.run((1 + dice.fraction()) * PERIOD_MS)
    const victim = `m-${1 + dice.below(members)}`
    cluster.events.length = 0
    const began = cluster.now
    cluster.pause(victim)
    const isSuspected = (): boolean =>
      cluster.events.some(({ type, about }) => type === 'member-suspect' && about === victim)
    await cluster.until(isSuspected, { withinMs: 100 * PERIOD_MS, everyMs: 0, what: `${victim} is suspected` })
    const afterMs = (cluster.events.find(({ type }) => type === 'member-suspect')?.atMs ?? Number.NaN) - began
    // A probe ends a period after it began. One under way when its target fell silent counts for the first period.
    probedIn.push(Math.max(1, Math.ceil((afterMs - PERIOD_MS) / PERIOD_MS)))
    suspected.push(afterMs / PERIOD_MS)
    cluster.resume(victim)
    // What is still told of it is old news to all.
    await cluster.settle({ withinMs: 100 * PERIOD_MS })
  }
  await cluster.close()
  return { probedIn, suspected }
}

async function crash({ members, seed }: Extract<SwimJob, { kind: 'crash' }>): Promise<CrashResult> {
  const cluster = await acquainted(seed, members, swimOptions(members))
  const dice = cluster.simulation.random('crash')
  const victim = `m-${1 + dice.below(members)}`
  await cluster.run(dice.fraction() * PERIOD_MS)
  cluster.events.length = 0
  const crashedAt = cluster.now
  cluster.crash(victim)
  const isDead = (name: string): boolean => cluster.member(name).member(victim)?.state === 'dead'
  await cluster.until(() => cluster.names.every(isDead), { withinMs: 200 * PERIOD_MS, everyMs: 100 })
  const suspectedAt = toldAt(cluster, 'member-suspect', victim)
  const deadAt = toldAt(cluster, 'member-dead', victim)
  await cluster.close()
  const [suspected = Number.NaN] = suspectedAt
  const [dead = Number.NaN] = deadAt
  return {
    suspected: (suspected - crashedAt) / PERIOD_MS,
    dead: (dead - crashedAt) / PERIOD_MS,
    suspicionSpread: (median(suspectedAt) - suspected) / PERIOD_MS,
    verdictSpread: (median(deadAt) - dead) / PERIOD_MS,
    allDead: (Math.max(...deadAt) - crashedAt) / PERIOD_MS,
  }
}

async function loss({
  members,
  periods,
  lossRatio,
  helpers,
  seed,
}: Extract<SwimJob, { kind: 'loss' }>): Promise<LossResult> {
  // Suspicions never end: the dead would not be probed. What counts is the end of the probe, which each member remembers.
  const options = { ...swimOptions(members, helpers), suspicionMult: ENDLESS_MULT, suspicionMaxTimeoutMult: 100 }
  const cluster = await acquainted(seed, members, options)
  cluster.simulation.network.links.setDefault({ lossRatio })
  // Each target comes once a round, and leaves six entries at most: of thirty-two none is lost between two looks.
  const lookEvery = 2 * (members - 1)
  let [failures, since] = [0, cluster.now]
  for (let period = 0; period < periods; period += lookEvery) {
    await cluster.run(Math.min(lookEvery, periods - period) * PERIOD_MS)
    for (const observer of cluster.names) {
      for (const subject of cluster.names) {
        if (subject === observer) continue
        for (const { kind, atMs } of cluster.member(observer).explain(subject).entries)
          if (kind === 'probe-failed' && atMs > since) failures++
      }
    }
    since = cluster.now
  }
  await cluster.close()
  return { probes: members * periods, failures }
}

async function infection({
  members,
  trials,
  periods,
  seed,
}: Extract<SwimJob, { kind: 'infection' }>): Promise<InfectionResult> {
  const cluster = await acquainted(seed, members, swimOptions(members))
  const dice = cluster.simulation.random('infection')
  const curves: (readonly number[])[] = []
  for (let trial = 0; trial < trials; trial++) {
    await cluster.run((1 + dice.fraction()) * PERIOD_MS)
    const source = `m-${1 + dice.below(members)}`
    cluster.events.length = 0
    const began = cluster.now
    // Told too slowly for `setTags`, which rejects: gossip is off.
    cluster
      .member(source)
      .setTags({ news: String(trial) })
      .catch(() => {})
    await cluster.run(periods * PERIOD_MS)
    const heardAt = toldAt(cluster, 'member-update', source, source)
    const know = (period: number): number => 1 + heardAt.filter((atMs) => atMs - began <= period * PERIOD_MS).length
    curves.push(Array.from({ length: periods + 1 }, (_, period) => know(period)))
    await quiet(cluster)
  }
  await cluster.close()
  return { curves }
}

async function joins({ knobs, seed }: Extract<SwimJob, { kind: 'joins' }>): Promise<JoinsResult> {
  const options = knobs === 'swim' ? swimOptions(JOINS + 1) : {}
  const cluster = new Cluster({ seed, options, transcript: 'off', spreadMs: 0 })
  const { links } = cluster.simulation.network
  links.addRule(({ carries }, dice) => (carries === 'packet' && dice.fraction() < JOIN_LOSS ? 'drop' : 'pass'))
  await cluster.start(1)
  const sizes: number[] = []
  for (let second = 0; second < WATCH_MS / 1000; second++) {
    const isTime = (second * 1000) % JOIN_EVERY_MS === 0
    if (isTime && second / (JOIN_EVERY_MS / 1000) < JOINS) await cluster.start(1)
    await cluster.run(1000 * (second + 1) - cluster.now)
    const seen = cluster.names.map((name) => cluster.member(name).members().filter(isIn).length)
    sizes.push(seen.reduce((total, size) => total + size, 0) / seen.length)
  }
  const falseVerdicts = cluster.events.filter(({ type }) => type === 'member-dead').length
  await cluster.close()
  return {
    peak: Math.max(...sizes),
    atCut: sizes[CUT_MS / 1000 - 1] ?? Number.NaN,
    atEnd: sizes.at(-1) ?? Number.NaN,
    falseVerdicts,
  }
}

function isIn({ state }: { readonly state: string }): boolean {
  return state === 'alive' || state === 'suspect'
}

/** A cluster in which everybody knows everybody, and nothing is left to be told. Phases are spread over a period. */
async function acquainted(seed: number, members: number, options: SimMemberOptions): Promise<Cluster> {
  const cluster = new Cluster({ seed, options, transcript: 'off', spreadMs: PERIOD_MS })
  await cluster.start(members)
  // The first has met all, and a second exchange with it tells everybody everything.
  const address = '10.0.0.1:7946'
  await cluster.finish(Promise.all(cluster.names.slice(1).map((name) => cluster.member(name).join([address]))))
  await quiet(cluster)
  return cluster
}

/** Lets time pass until nothing is left to be told, and all agree. */
async function quiet(cluster: Cluster): Promise<void> {
  const isQuiet = (): boolean => cluster.names.every((name) => cluster.member(name).stats().queued === 0)
  await cluster.until(isQuiet, { withinMs: 500 * PERIOD_MS, everyMs: PERIOD_MS / 4, what: 'nothing is to be told' })
  await cluster.settle({ withinMs: 500 * PERIOD_MS })
}

/** When each observer first told it, in order. */
function toldAt(cluster: Cluster, type: string, about: string, but?: string): readonly number[] {
  const times = new Map<string, number>()
  for (const event of cluster.events) {
    if (event.type !== type || event.about !== about || event.observer === but) continue
    if (!times.has(event.observer)) times.set(event.observer, event.atMs)
  }
  return [...times.values()]
}
