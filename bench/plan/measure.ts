// What a simulated cluster does under loss: the figures of `planCluster`, counted. Real members, virtual time; one run from one seed.
// Members come to know each other without loss; then the loss begins, and what is counted begins after a while of it.

import { Cluster } from '../../src/sim/cluster.ts'
import type { SwimOptions } from '../../src/swim/options.ts'

export interface Case {
  readonly members: number
  readonly lossRatio: number
  readonly profile?: 'lan' | 'wan' | 'local'
  readonly knobs?: Partial<SwimOptions>
  readonly seed: number
}

/** Loss goes on for so many probe intervals before anything is counted. */
const WARM_UP_PROBES = 20

/** Counts of a cluster in which nobody fails, over some virtual time. */
export interface Steady {
  readonly memberSeconds: number
  readonly sentPackets: number
  readonly sentBytes: number
  readonly receivedPackets: number
  readonly receivedBytes: number
  readonly exchanges: number
  readonly exchangeBytes: number
  /** Different (accused, incarnation) pairs. */
  readonly suspicions: number
  /** Members told `member-dead` about a healthy one: each observer counts. */
  readonly verdicts: number
  /** Different (accused, incarnation) pairs among them. */
  readonly condemned: number
  /** Mean local health over members and seconds. */
  readonly health: number
}

export async function measureSteady(what: Case, windowMs: number): Promise<Steady> {
  const cluster = await joined(what)
  const { network } = cluster.simulation
  const suspicions = new Set<string>()
  const condemned = new Set<string>()
  let verdicts = 0
  for (const name of cluster.names) {
    const membership = cluster.member(name)
    membership.on('member-suspect', ({ member }) => suspicions.add(`${member.name}/${member.incarnation}`))
    membership.on('member-dead', ({ member }) => {
      verdicts++
      condemned.add(`${member.name}/${member.incarnation}`)
    })
  }
  await worsen(cluster, what)
  suspicions.clear()
  condemned.clear()
  verdicts = 0
  const { sent, delivered, streams } = network.traffic
  const before = { ...structuredClone({ sent, delivered, streams }) }
  let health = 0
  const looks = Math.ceil(windowMs / 1000)
  for (let look = 0; look < looks; look++) {
    await cluster.run(windowMs / looks)
    for (const name of cluster.names) health += cluster.member(name).health
  }
  return {
    memberSeconds: (what.members * windowMs) / 1000,
    sentPackets: sent.packets - before.sent.packets,
    sentBytes: sent.bytes - before.sent.bytes,
    receivedPackets: delivered.packets - before.delivered.packets,
    receivedBytes: delivered.bytes - before.delivered.bytes,
    exchanges: streams.dialled - before.streams.dialled,
    exchangeBytes: streams.bytes - before.streams.bytes,
    suspicions: suspicions.size,
    verdicts,
    condemned: condemned.size,
    health: health / looks / what.members,
  }
}

/** Milliseconds from a crash to the first verdict and to the last member's, one of each a crash. */
export interface Detections {
  readonly first: readonly number[]
  readonly all: readonly number[]
}

export async function measureDetection(what: Case, crashes: number): Promise<Detections> {
  const cluster = await joined(what)
  const dice = cluster.simulation.random('victims')
  const [first, all]: [number[], number[]] = [[], []]
  for (let crash = 0; crash < crashes; crash++) {
    await worsen(cluster, what)
    const victim = `m-${2 + dice.below(what.members - 1)}`
    await cluster.run(dice.fraction() * 5000)
    const crashedAt = cluster.now
    const from = cluster.events.length
    const others = cluster.names.filter((name) => name !== victim)
    // Who held the victim for dead already tells nothing more: told at once.
    const told = new Map<string, number>()
    for (const name of others) if (cluster.member(name).member(victim)?.state === 'dead') told.set(name, 0)
    cluster.crash(victim, { how: 'unplugged' })
    await cluster.until(() => others.every((name) => cluster.member(name).member(victim)?.state === 'dead'), {
      withinMs: 1_200_000,
      everyMs: 100,
    })
    for (const { type, about, observer, atMs } of cluster.events.slice(from)) {
      if (type === 'member-dead' && about === victim && !told.has(observer)) told.set(observer, atMs - crashedAt)
    }
    first.push(Math.min(...told.values()))
    all.push(Math.max(...told.values()))
    cluster.simulation.network.links.setDefault({ lossRatio: 0 })
    await cluster.restart(victim)
    await cluster.settle({ withinMs: 1_200_000 })
  }
  return { first, all }
}

/** Milliseconds from a broadcast to the last member that hears it, one each. */
export async function measureBroadcasts(what: Case, count: number): Promise<readonly number[]> {
  const cluster = await joined(what)
  const dice = cluster.simulation.random('senders')
  await worsen(cluster, what)
  const times: number[] = []
  for (let event = 0; event < count; event++) {
    const from = cluster.events.length
    const sender = `m-${1 + dice.below(what.members)}`
    const name = `e-${event}`
    const sentAt = cluster.now
    cluster.member(sender).sendEvent(name)
    const heard = (): Set<string> =>
      new Set(
        cluster.events
          .slice(from)
          .filter(({ type, about }) => type === 'user-event' && about === name)
          .map(({ observer }) => observer),
      )
    await cluster.until(() => heard().size >= what.members, { withinMs: 1_200_000, everyMs: 100 })
    const last = cluster.events.findLast(({ type, about }) => type === 'user-event' && about === name)
    times.push((last?.atMs ?? Number.NaN) - sentAt)
    await cluster.run(3000 + dice.fraction() * 1000)
  }
  return times
}

async function joined({ members, profile = 'lan', knobs = {}, seed }: Case): Promise<Cluster> {
  const cluster = new Cluster({ seed, transcript: 'off', options: { profile, ...knobs } })
  await cluster.start(members, { withinMs: 600_000 })
  await cluster.settle({ withinMs: 1_200_000 })
  return cluster
}

async function worsen(cluster: Cluster, { lossRatio, profile = 'lan', knobs = {} }: Case): Promise<void> {
  cluster.simulation.network.links.setDefault({ lossRatio })
  await cluster.run(WARM_UP_PROBES * (knobs.probeIntervalMs ?? (profile === 'wan' ? 5000 : 1000)))
}
