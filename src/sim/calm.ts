// What is demanded of a cluster that agrees and in which nothing is broken: that nothing happens by itself, that news reaches all, and that
// one who falls silent is noticed in time, and denies it when it can. Lets time pass; how long it may take follows from the options.
import type { Member, MemberState } from '../serf/members.ts'
import type { SwimOptions } from '../swim/options.ts'
import type { Cluster } from './cluster.ts'
import { InvariantError, type InvariantName } from './invariants.ts'

/** Lets time pass until it holds. Rejects `InvariantError` where it does not within the time. */
export type Demand = (
  invariant: InvariantName,
  holds: () => boolean,
  withinMs: number,
  why: () => string,
) => Promise<void>

const NEWS = 'calm'
/** What is sent at a time that somebody's snapshot holds for past is nothing new to it. */
const SENT = ['events', 'queries'] as const
/** Exchanges that bring an event to one whom gossip has left out, with one to spare in a million; each member begins one an interval. */
const EXCHANGES = 20
/** Of `lan` and `wan`. */
const LEAST_RETRANSMIT_MULT = 4

/** Nothing happens in an interval of exchanges but what is asked for: news, which all hear. */
export async function beCalm(cluster: Cluster, swim: SwimOptions, demand: Demand): Promise<void> {
  const { names, events } = cluster
  const calmFrom = events.length
  const withinMs = EXCHANGES * swim.pushPullIntervalMs
  const uneven = (): string | undefined => SENT.find((kind) => !isLevel(cluster, kind))
  await demand(
    'clocks-become-level',
    () => uneven() === undefined,
    withinMs,
    () => `the clocks of ${uneven()} are not level`,
  )
  const from = events.length
  const [teller, asker] = [names[0], names.at(-1)] as [string, string]
  const query = cluster.member(asker).query(NEWS, undefined, { ack: true })
  cluster.member(teller).sendEvent(NEWS)
  await cluster.run(swim.pushPullIntervalMs)
  const stirred = events.slice(calmFrom).find(({ type }) => type.startsWith('member-') || type === 'conflict')
  if (stirred !== undefined) {
    const { type, observer, about, atMs } = stirred
    throw new InvariantError('calm-stays-calm', observer, `${type} about ${about} at ${atMs.toFixed(0)} ms`)
  }
  const unheard = (): readonly string[] => {
    const heard = events.slice(from).filter(({ type, about }) => type === 'user-event' && about === NEWS)
    return names.filter((name) => !heard.some(({ observer }) => observer === name))
  }
  const why = (): string => `${unheard().join(' ')} did not hear`
  await demand('news-reaches-all', () => unheard().length === 0, withinMs, why)
  const acks = await cluster.finish(query.acks.collect())
  // A query is gossip alone, which may leave one out: of five at `lan` one in 300 times, since each that hears of it sends it in four
  // packets (measured on the simulator). At `local` each sends it in two, and it may die out.
  if (swim.retransmitMult >= LEAST_RETRANSMIT_MULT && 2 * acks.length <= names.length) {
    throw new InvariantError('news-reaches-all', asker, `${acks.length} of ${names.length} acknowledged its query`)
  }
}

/** Whether all are at one Lamport time. Exchanges tell it (serf-behaviour §21); that a member lives is known before, by gossip. */
function isLevel(cluster: Cluster, kind: (typeof SENT)[number]): boolean {
  return new Set(cluster.names.map((name) => cluster.member(name).stats().ltimes[kind])).size === 1
}

/** A process stands still until somebody suspects it, and goes on: the suspicion comes in time, and the denial too. */
export async function noticeAndDeny(cluster: Cluster, swim: SwimOptions, demand: Demand): Promise<void> {
  const { names } = cluster
  if (names.length < 3) return // alone with one other it has nobody to ask
  const silent = names[1] as string
  const heldBy = (name: string): Member | undefined => cluster.member(name).member(silent)
  const before = cluster.member(silent).local.incarnation
  const statesOf = (): readonly (MemberState | undefined)[] =>
    names.filter((name) => name !== silent).map((name) => heldBy(name)?.state)
  const said = (): string => `${silent} is ${statesOf().join(', ')} to the others`
  cluster.pause(silent)
  // Every other one probes it within 2N - 1 intervals (SWIM §4.3), and then waits for the end of one; the first is long before.
  const noticedMs = (2 * names.length + 1) * swim.probeIntervalMs
  await demand('silence-is-noticed', () => statesOf().includes('suspect'), noticedMs, said)
  cluster.resume(silent)
  // Without the buddy system only gossip tells it, and may leave it out. At `local`, where each that hears of the accusation tells two, gossip
  // leaves one of seven out one time in ten, and in the three seconds there are nobody may ping it: then it is dead first, and heard then.
  if (!swim.buddySystem) return
  const isHeard = (): boolean => {
    const states = statesOf()
    const isDoomed = swim.retransmitMult >= LEAST_RETRANSMIT_MULT && states.includes('dead')
    if (isDoomed) throw new InvariantError('denial-is-heard', silent, said())
    // Its denial is gossip too: one who misses it holds it for suspect until it pings it, and is told again.
    const { incarnation } = cluster.member(silent).local
    const hearing = names.filter((name) => name !== silent && heldBy(name)?.incarnation === incarnation)
    return incarnation > before && states.includes('alive') && 2 * hearing.length > states.length
  }
  await demand('denial-is-heard', isHeard, noticedMs + swim.suspicionMult * swim.probeIntervalMs, said)
}
