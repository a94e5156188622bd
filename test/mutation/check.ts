// What a check is: a scenario on the simulator that holds under every seed, and says in words what does not hold otherwise. Shared by all
// of them: what a cluster is like before anything happens to it, and what its members have told.
import assert from 'node:assert/strict'
import type { MemberJoinEvent } from '../../src/events.ts'
import type { AnyMember } from '../../src/serf/members.ts'
import { Cluster, type ClusterEvent, type ClusterOptions, type SimMemberOptions } from '../../src/sim/cluster.ts'

export interface Check {
  /** A fact: what every run of it shows. */
  readonly name: string
  /** Under each of them it holds, and under each of them it catches whatever a mutant says that it catches. */
  readonly seeds: readonly number[]
  /** Rejects an `AssertionError` or a `TimeoutError` where the fact does not hold. Whatever else it rejects is a crash. */
  play(seed: number): Promise<void>
}

/** Asks for random trials (src/sim/exploration.ts) in place of a check. */
export const EXPLORE = 'explore'

/** Seeds of a check that says nothing else. */
export const THREE: readonly number[] = [1, 2, 3]

/** What comes before a check, or after it, has failed: no finding of the check, whatever it is. */
export class HarnessError extends Error {}

/** Waits for what is no part of a check. Rejects `HarnessError`. */
export async function beside(what: string, work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    throw new HarnessError(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** Plays on a cluster of `size` that agrees and has nothing more to tell. */
export async function onCluster(
  size: number,
  options: Omit<ClusterOptions, 'transcript'>,
  play: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const cluster = new Cluster({ ...options, transcript: 'off' })
  await beside('the cluster does not start', cluster.start(size))
  await beside('the cluster does not come to agree', cluster.settle())
  await beside('the cluster does not get quiet', cluster.run(QUIET_MS))
  await play(cluster)
  await beside('the cluster does not close', cluster.close())
}

/** Until all that is said at the start has been told often enough. */
const QUIET_MS = 5_000

/** What was told since `fromMs`, of these types. */
export function told(
  cluster: Cluster,
  types: readonly ClusterEvent['type'][],
  fromMs = 0,
): readonly Pick<ClusterEvent, 'observer' | 'type' | 'about' | 'atMs'>[] {
  return cluster.events.filter(({ type, atMs }) => types.includes(type) && atMs >= fromMs)
}

/** The same in words, for a comparison that shows them. */
export function wordsOf(events: readonly Pick<ClusterEvent, 'observer' | 'type' | 'about'>[]): string[] {
  return events.map(({ observer, type, about }) => `${observer}: ${type} ${about}`)
}

/** True when each of `observers` holds `name` so. */
export function hold(
  cluster: Cluster,
  observers: readonly string[],
  name: string,
  holds: (member: AnyMember) => boolean,
): boolean {
  return observers.every((observer) => {
    const member = cluster.member(observer).member(name)
    return member !== undefined && holds(member as AnyMember)
  })
}

/** Everyone that runs but for these. */
export function othersThan(cluster: Cluster, ...names: readonly string[]): readonly string[] {
  return cluster.names.filter((name) => !names.includes(name))
}

/** Watches the numbers of members: none falls, and whoever is held alive again after a suspicion or a death has a higher one.
 *  @returns what was seen to be wrong, in words; empty at the end of a good run */
export function watchIncarnations(cluster: Cluster): string[] {
  const wrong: string[] = []
  for (const observer of cluster.names) {
    const highest = new Map<string, number>()
    const membership = cluster.member(observer)
    const look = (type: string, { name, incarnation }: AnyMember): void => {
      const before = highest.get(name) ?? 0
      if (incarnation < before) wrong.push(`${observer}: ${type} ${name} falls from ${before} to ${incarnation}`)
      highest.set(name, Math.max(before, incarnation))
    }
    const comesBack = ({
      type,
      member,
      previous,
    }: Pick<MemberJoinEvent, 'member' | 'previous'> & { type: string }): void => {
      if (previous !== undefined && member.incarnation <= previous.incarnation) {
        wrong.push(`${observer}: ${type} ${member.name} at ${member.incarnation}, accused at ${previous.incarnation}`)
      }
      look(type, member as AnyMember)
    }
    membership.on('member-join', comesBack)
    membership.on('member-recover', comesBack)
    for (const type of ['member-suspect', 'member-dead', 'member-left', 'member-update'] as const) {
      membership.on(type, ({ member }) => look(type, member as AnyMember))
    }
  }
  return wrong
}

/** Asserts that there is nothing of it, and shows what there is. */
export function assertNone(what: readonly string[], message: string): void {
  assert.deepEqual(what, [], message)
}

/** Asserts that nobody has told of such a thing since `fromMs`, and shows who has of what. */
export function assertNoneTold(
  cluster: Cluster,
  types: readonly ClusterEvent['type'][],
  message: string,
  fromMs = 0,
): void {
  assertNone(wordsOf(told(cluster, types, fromMs)), message)
}

/** Options of all but one member, and those of that one. */
export function exceptOf(
  name: string,
  its: SimMemberOptions,
  all: SimMemberOptions = {},
): (member: string) => SimMemberOptions {
  return (member) => (member === name ? { ...all, ...its } : all)
}
