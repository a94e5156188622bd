// What simulated clusters do: the figures of `planCluster`, counted. One job, one cluster of real members, one seed. Members come to know
// each other without loss; then the loss begins, and what is counted begins after a while of it. Knows no formula.
import { Cluster } from '../../src/sim/cluster.ts'
import type { Latency } from '../../src/sim/latency.ts'
import type { PlanOptions } from '../../src/sim/plan.ts'
import { PROFILES, resolveSwimOptions, type SwimOptions } from '../../src/swim/options.ts'

/** What is planned and what is run: the same. */
export interface Case {
  readonly members: number
  readonly lossRatio: number
  readonly profile: 'lan' | 'wan'
  readonly knobs: Partial<SwimOptions>
}

export type PlanJob =
  /** Nobody fails, packets get lost. */
  | { readonly kind: 'steady'; readonly of: Case; readonly windowMs: number; readonly seed: number }
  /** One after the other is unplugged, and comes back. */
  | { readonly kind: 'crash'; readonly of: Case; readonly crashes: number; readonly seed: number }
  /** One user event after the other. */
  | { readonly kind: 'broadcast'; readonly of: Case; readonly events: number; readonly seed: number }

/** Counts of all members together. */
export interface SteadyResult {
  readonly memberSeconds: number
  readonly sentPackets: number
  readonly sentBytes: number
  readonly receivedPackets: number
  readonly dialled: number
  readonly streamBytes: number
  /** Different pairs of an accused member and its incarnation. */
  readonly suspicions: number
  /** Such pairs that somebody declared dead. */
  readonly verdicts: number
  /** `member-dead` events. */
  readonly verdictsTold: number
  /** Local health, mean. */
  readonly health: number
}

/** Milliseconds from each crash to the first verdict, and until all held the member for dead. */
export interface CrashResult {
  readonly first: readonly number[]
  readonly all: readonly number[]
}

/** Milliseconds from each event until all had it. */
export interface BroadcastResult {
  readonly told: readonly number[]
}

export type PlanResult = SteadyResult | CrashResult | BroadcastResult

/** So long names have in these clusters, `m-12`, and so many bytes no tags take. */
export const SIZES = { nameBytes: 4, tagBytes: 2 } as const

const LATENCY: Readonly<Record<Case['profile'], Latency>> = {
  lan: { minMs: 0.2, maxMs: 1 },
  wan: { minMs: 30, maxMs: 70 },
}
const MEAN_LATENCY_MS = { lan: 0.6, wan: 50 } as const

/** Loss goes on for so many probe intervals before anything is counted. */
const WARM_UP_PROBES = 20
const HEALTH_EVERY_MS = 1000
const LONG_MS = 3_600_000
const LOOK_EVERY_MS = 100

/** The same cluster for the formulas. */
export function planOptionsOf({ knobs, ...rest }: Case): PlanOptions {
  return { ...knobs, ...rest, ...SIZES, latencyMs: MEAN_LATENCY_MS[rest.profile] }
}

export async function run(job: PlanJob): Promise<PlanResult> {
  const { members, profile, knobs } = job.of
  const cluster = new Cluster({
    seed: job.seed,
    transcript: 'off',
    latencyMs: LATENCY[profile],
    // Bytes are compared as the formulas have them.
    options: { profile, compression: false, ...knobs },
  })
  await cluster.start(members, { withinMs: LONG_MS })
  await cluster.settle({ withinMs: LONG_MS })
  if (job.kind === 'steady') return steady(cluster, job.of, job.windowMs)
  return job.kind === 'crash' ? crashes(cluster, job.of, job.crashes) : broadcasts(cluster, job.of, job.events)
}

async function steady(cluster: Cluster, of: Case, windowMs: number): Promise<SteadyResult> {
  const suspicions = new Set<string>()
  const verdicts = new Set<string>()
  let verdictsTold = 0
  for (const name of cluster.names) {
    const membership = cluster.member(name)
    membership.on('member-suspect', ({ member }) => suspicions.add(`${member.name}/${member.incarnation}`))
    membership.on('member-dead', ({ member }) => {
      verdictsTold++
      verdicts.add(`${member.name}/${member.incarnation}`)
    })
  }
  await worsen(cluster, of)
  suspicions.clear()
  verdicts.clear()
  verdictsTold = 0
  const { sent, delivered, streams } = cluster.simulation.network.traffic
  const before = structuredClone({ sent, delivered, streams })
  const looks = Math.ceil(windowMs / HEALTH_EVERY_MS)
  let health = 0
  for (let look = 0; look < looks; look++) {
    await cluster.run(windowMs / looks)
    for (const name of cluster.names) health += cluster.member(name).health
    cluster.events.length = 0
  }
  return {
    memberSeconds: (of.members * windowMs) / 1000,
    sentPackets: sent.packets - before.sent.packets,
    sentBytes: sent.bytes - before.sent.bytes,
    receivedPackets: delivered.packets - before.delivered.packets,
    dialled: streams.dialled - before.streams.dialled,
    streamBytes: streams.bytes - before.streams.bytes,
    suspicions: suspicions.size,
    verdicts: verdicts.size,
    verdictsTold,
    health: health / looks / of.members,
  }
}

async function crashes(cluster: Cluster, of: Case, count: number): Promise<CrashResult> {
  const dice = cluster.simulation.random('victims')
  const first: number[] = []
  const all: number[] = []
  for (let crash = 0; crash < count; crash++) {
    await worsen(cluster, of)
    // At any moment of anybody's interval.
    await cluster.run(dice.fraction() * probeIntervalOf(of))
    const victim = `m-${2 + dice.below(of.members - 1)}`
    const others = cluster.names.filter((name) => name !== victim)
    const isDead = (observer: string): boolean => cluster.member(observer).member(victim)?.state === 'dead'
    // Who falsely held it for dead already has nothing left to learn.
    const knownAt = new Map(others.filter(isDead).map((name) => [name, 0]))
    const crashedAt = cluster.now
    cluster.events.length = 0
    cluster.crash(victim, { how: 'unplugged' })
    await cluster.until(() => others.every(isDead), { withinMs: LONG_MS, everyMs: LOOK_EVERY_MS })
    for (const { type, about, observer, atMs } of cluster.events.splice(0)) {
      if (type === 'member-dead' && about === victim && !knownAt.has(observer)) knownAt.set(observer, atMs - crashedAt)
    }
    first.push(Math.min(...knownAt.values()))
    all.push(Math.max(...knownAt.values()))
    cluster.links({ lossRatio: 0 })
    await cluster.restart(victim)
    await cluster.settle({ withinMs: LONG_MS })
  }
  return { first, all }
}

async function broadcasts(cluster: Cluster, of: Case, count: number): Promise<BroadcastResult> {
  const dice = cluster.simulation.random('senders')
  await worsen(cluster, of)
  const told: number[] = []
  const gossipMs = resolveSwimOptions(of.profile, of.knobs).gossipIntervalMs
  for (let event = 0; event < count; event++) {
    cluster.events.length = 0
    const name = `e-${event}`
    const heardAt = new Map<string, number>()
    const sentAt = cluster.now
    cluster.member(`m-${1 + dice.below(of.members)}`).sendEvent(name)
    await cluster.until(
      () => {
        for (const { type, about, observer, atMs } of cluster.events.splice(0)) {
          if (type === 'user-event' && about === name) heardAt.set(observer, atMs - sentAt)
        }
        return heardAt.size >= of.members
      },
      { withinMs: LONG_MS, everyMs: LOOK_EVERY_MS },
    )
    told.push(Math.max(...heardAt.values()))
    // Until it is told as often as it has to be, at a moment that owes nothing to this one.
    await cluster.run((20 + 5 * dice.fraction()) * gossipMs)
  }
  return { told }
}

async function worsen(cluster: Cluster, of: Case): Promise<void> {
  cluster.links({ lossRatio: of.lossRatio })
  if (of.lossRatio > 0) await cluster.run(WARM_UP_PROBES * probeIntervalOf(of))
}

function probeIntervalOf({ profile, knobs }: Case): number {
  return knobs.probeIntervalMs ?? PROFILES[profile].probeIntervalMs
}
