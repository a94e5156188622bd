// What others measured of Serf, memberlist and their kin, and what we measured of Go's: the same played by our members in the simulator, at
// `lan`. One job, one cluster. Knows no table and no other run.
import { Cluster, type SimMemberOptions } from '../../../src/sim/cluster.ts'
import { NO_RULES } from '../support/rules.ts'

const SECOND_MS = 1000
const SETTLED_WITHIN_MS = 600_000
/** kinship: the starved read what comes so much later; somebody crashes in the middle. */
const LATE_MS = { min: 500, max: 2500 }
const STARVED_FOR_MS = 60 * SECOND_MS
/** Go: left alone for so long before one is killed. */
const ALONE_MS = 5 * SECOND_MS
const EVENTS_EVERY_MS = { min: 250, max: 450 }
const PAYLOAD = 'x'.repeat(64)
/** The last event may take until the next full exchange, as others' did. */
const LAST_EVENT_MS = 40 * SECOND_MS
/** Two verdicts about one living member this far apart are two false deaths. */
const INCIDENT_MS = 10 * SECOND_MS

export const DETECTORS = ['lifeguard', 'swim', 'swim-udp'] as const
/** All of Lifeguard; none of it; none, and no pings over TCP. No rule of ours in any. */
export type Detector = (typeof DETECTORS)[number]

export type PeersJob =
  | {
      readonly kind: 'starved'
      readonly members: number
      readonly starved: number
      readonly lossRatio: number
      readonly detector: Detector
      readonly seed: number
    }
  | { readonly kind: 'killed'; readonly members: number; readonly seed: number }
  | { readonly kind: 'events'; readonly members: number; readonly events: number; readonly seed: number }

export interface StarvedResult {
  /** Living members declared dead: once each time, however many observers tell it; and all that observers told. */
  readonly falseDeaths: number
  readonly falseVerdicts: number
  /** The same of suspicions of the living. */
  readonly suspicions: number
  readonly suspicionsTold: number
  /** To the first verdict about the one that crashed. Absent where there was none. */
  readonly firstMs?: number
}

export interface KilledResult {
  readonly firstMs: number
  readonly allMs: number
}

export interface EventsResult {
  /** Milliseconds until each other member had each event. */
  readonly each: readonly number[]
  /** Until all others had it; of those that all had. */
  readonly all: readonly number[]
  readonly lost: number
  /** Packets of all members an event, beyond two a member and second. */
  readonly packets: number
}

export type PeersResult = StarvedResult | KilledResult | EventsResult

export function run(job: PeersJob): Promise<PeersResult> {
  if (job.kind === 'starved') return starved(job)
  return job.kind === 'killed' ? killed(job) : events(job)
}

function detectorOptions(detector: Detector): SimMemberOptions {
  if (detector === 'lifeguard') return NO_RULES
  const plain = { ...NO_RULES, awarenessMaxMultiplier: 1, suspicionMaxTimeoutMult: 1, buddySystem: false }
  return detector === 'swim' ? plain : { ...plain, streamPings: false }
}

async function starved(job: Extract<PeersJob, { kind: 'starved' }>): Promise<StarvedResult> {
  const cluster = await settled(job.members, job.seed, { options: detectorOptions(job.detector) })
  const { links } = cluster.simulation.network
  const [victim = '', ...others] = cluster.simulation.random('roles').shuffle([...cluster.names])
  const late = new Set(others.slice(0, job.starved))
  links.setDefault({ lossRatio: job.lossRatio })
  // Streams too: with kinship a ping over TCP saved nobody, so that its starved read those no sooner.
  links.addRule(({ to }, dice) =>
    late.has(to) ? { delayMs: LATE_MS.min + dice.fraction() * (LATE_MS.max - LATE_MS.min) } : 'pass',
  )
  cluster.events.length = 0
  await cluster.run(STARVED_FOR_MS)
  const crashedAt = cluster.now
  cluster.crash(victim)
  await cluster.run(STARVED_FOR_MS)
  const isFalse = ({ about, atMs }: { readonly about: string; readonly atMs: number }): boolean =>
    about !== victim || atMs < crashedAt
  const told = cluster.events
  const dead = told.filter(({ type }) => type === 'member-dead')
  const suspected = told.filter((event) => event.type === 'member-suspect' && isFalse(event))
  const first = dead.find((event) => !isFalse(event))
  const falseDead = dead.filter(isFalse)
  await cluster.close()
  return {
    falseDeaths: incidents(falseDead),
    falseVerdicts: falseDead.length,
    suspicions: incidents(suspected),
    suspicionsTold: suspected.length,
    ...(first === undefined ? {} : { firstMs: first.atMs - crashedAt }),
  }
}

async function killed({ members, seed }: Extract<PeersJob, { kind: 'killed' }>): Promise<KilledResult> {
  // A closed socket refuses packets and streams.
  const cluster = await settled(members, seed, { refusesPackets: true })
  const dice = cluster.simulation.random('victim')
  await cluster.run(ALONE_MS + dice.fraction() * SECOND_MS)
  const victim = `m-${1 + dice.below(members)}`
  cluster.events.length = 0
  const killedAt = cluster.now
  cluster.crash(victim)
  const verdicts = (): readonly number[] =>
    cluster.events.filter(({ type, about }) => type === 'member-dead' && about === victim).map(({ atMs }) => atMs)
  await cluster.until(() => verdicts().length === members - 1, { withinMs: 120 * SECOND_MS, everyMs: 100 })
  const times = verdicts()
  await cluster.close()
  return { firstMs: Math.min(...times) - killedAt, allMs: Math.max(...times) - killedAt }
}

async function events({ members, events: count, seed }: Extract<PeersJob, { kind: 'events' }>): Promise<EventsResult> {
  const cluster = await settled(members, seed, {})
  const dice = cluster.simulation.random('events')
  const { traffic } = cluster.simulation.network
  const sentAt = new Map<string, { readonly atMs: number; readonly source: string }>()
  cluster.events.length = 0
  const [began, packetsFrom] = [cluster.now, traffic.sent.packets]
  for (let at = 0; at < count; at++) {
    const source = `m-${1 + dice.below(members)}`
    sentAt.set(`event-${at}`, { atMs: cluster.now, source })
    cluster.member(source).sendEvent(`event-${at}`, PAYLOAD)
    await cluster.run(EVENTS_EVERY_MS.min + dice.fraction() * (EVENTS_EVERY_MS.max - EVENTS_EVERY_MS.min))
  }
  const packets = traffic.sent.packets - packetsFrom - (2 * members * (cluster.now - began)) / SECOND_MS
  await cluster.run(LAST_EVENT_MS)
  const heard = new Map<string, number[]>()
  for (const { type, about, observer, atMs } of cluster.events) {
    const sent = sentAt.get(about)
    if (type !== 'user-event' || sent === undefined || observer === sent.source) continue
    const times = heard.get(about) ?? []
    times.push(atMs - sent.atMs)
    heard.set(about, times)
  }
  await cluster.close()
  const perEvent = [...sentAt.keys()].map((name) => heard.get(name) ?? [])
  const complete = perEvent.filter((times) => times.length === members - 1)
  return {
    each: perEvent.flat().map((ms) => Math.round(ms)),
    all: complete.map((times) => Math.round(Math.max(...times))),
    lost: count * (members - 1) - perEvent.flat().length,
    packets: packets / count,
  }
}

interface SettledOptions {
  readonly options?: SimMemberOptions
  readonly refusesPackets?: boolean
}

async function settled(members: number, seed: number, options: SettledOptions): Promise<Cluster> {
  const cluster = new Cluster({ ...options, seed, transcript: 'off' })
  await cluster.start(members, { withinMs: SETTLED_WITHIN_MS })
  await cluster.settle({ withinMs: SETTLED_WITHIN_MS })
  return cluster
}

/** Things told of one member one soon after the other are one incident. */
function incidents(told: readonly { readonly about: string; readonly atMs: number }[]): number {
  const lastAt = new Map<string, number>()
  let count = 0
  for (const { about, atMs } of told) {
    if (atMs - (lastAt.get(about) ?? Number.NEGATIVE_INFINITY) > INCIDENT_MS) count++
    lastAt.set(about, atMs)
  }
  return count
}
