// How soon the death of a process is known to all, in two clusters of ten that are treated alike at the same moments: five Go and five Node
// members, and ten Go members. Every few seconds one is killed in each, and a new one takes its place; what the machine does to one cluster
// it does to the other. A kill counts with the median of its witnesses, so kills, not witnesses, are the samples.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { TEN } from './mixed-plays.ts'
import type { Peer, Program } from './peer.ts'
import type { Cast, Scenario } from './scenarios.ts'
import type { Stage } from './stage.ts'
import { detectionBoundMs, spreadBoundMs } from './timing.ts'
import { timeOf } from './views.ts'

/** Time between two kills of one cluster: short enough to gather many, long enough for the new member to be known to all. */
const KILL_EVERY_MS = 3_000
/** Dead members are still listed for gossip-to-the-dead and one probe cycle: that many more than the ten. */
const STILL_LISTED = 16

/** One cluster of these by itself, for the allow-list; the tests play two at a time. */
export const DETECTION_PLAYS: readonly Scenario[] = (['lan', 'local'] as const).flatMap((profile) =>
  [false, true].map((isEncrypted) => ({
    id: `detection-${profile}${isEncrypted ? '-encrypted' : ''}`,
    title: `a killed process is known to be dead as soon as in a cluster of Go alone, ${profile}, ${isEncrypted ? 'encrypted' : 'plain'}`,
    cast: TEN,
    understudies: ['serf', 'agent'] as const,
    profile,
    isEncrypted,
    play: async (stage: Stage, cast: Cast) => {
      await killInStep([new Treadmill(stage, cast)], 20)
    },
  })),
)

export interface Kill {
  readonly victim: Program
  /** From the kill to `dead`, by witness; milliseconds. */
  readonly delays: readonly { readonly witness: Program; readonly ms: number }[]
}

/** One cluster that is killed member by member. Kinds take turns: place `n` always holds the same program. */
export class Treadmill {
  readonly #stage: Stage
  readonly #cast: readonly Program[]
  readonly #profile: 'lan' | 'local'
  readonly #secretKey: string | undefined
  readonly #places: Peer[] = []
  #generation = 0

  constructor(stage: Stage, { cast, profile, isEncrypted }: Cast) {
    this.#stage = stage
    this.#cast = cast
    this.#profile = profile
    this.#secretKey = isEncrypted ? randomBytes(32).toString('base64') : undefined
  }

  async gather(): Promise<void> {
    const peers = await Promise.all(this.#cast.map((program) => this.#start(program)))
    this.#places.push(...peers)
    for (const peer of peers.slice(1)) await peer.join([peers[0]?.address ?? ''])
    await this.#knownToAll(peers)
  }

  /** Kills whoever holds the place, and resolves when all who were there know; the new member comes meanwhile. */
  async kill(place: number): Promise<Kill> {
    const victim = this.#places[place] as Peer
    const witnesses = this.#stage.running.filter((peer) => timeOf(peer, 'join', victim) !== undefined)
    const replaced = this.#replace(place, victim)
    // Awaited below, unless something else fails first.
    replaced.catch(() => {})
    const killedAt = await this.#stage.kill(victim)
    const withinMs = detectionBoundMs(this.#profile, this.#cast.length + 2, this.#cast.length + STILL_LISTED)
    // A witness that is killed before it knows is none.
    const silent = (): Peer | undefined =>
      witnesses.find((peer) => peer.isRunning && diedAt(peer, victim) === undefined)
    await this.#stage.until(`${victim.name} is dead everywhere`, withinMs, async () => silent()?.name)
    await replaced
    const told = witnesses.map((peer) => ({ witness: peer.program, at: diedAt(peer, victim) }))
    const delays = told.flatMap(({ witness, at }) => (at === undefined ? [] : [{ witness, ms: at - killedAt }]))
    return { victim: victim.program, delays }
  }

  async #replace(place: number, victim: Peer): Promise<void> {
    const fresh = await this.#start(victim.program)
    // The next place is not the next to be killed.
    const seed = this.#places[(place + this.#cast.length - 1) % this.#cast.length] as Peer
    this.#places[place] = fresh
    await fresh.join([seed.address])
    await this.#knownToAll([fresh])
  }

  async #start(program: Program): Promise<Peer> {
    const name = `${program}-${++this.#generation}.treadmill`
    const sealed = this.#secretKey === undefined ? {} : { secretKey: this.#secretKey }
    return this.#stage.start(program, { name, profile: this.#profile, ...sealed })
  }

  /** By their histories: asking twenty processes again and again would disturb what is measured. */
  async #knownToAll(peers: readonly Peer[]): Promise<void> {
    await this.#stage.until('the new are known to all', spreadBoundMs(this.#profile), async () => {
      for (const peer of peers.filter(({ isRunning }) => isRunning)) {
        const blind = this.#places.find(
          (one) => one.isRunning && one !== peer && timeOf(one, 'join', peer) === undefined,
        )
        if (blind !== undefined) return `${blind.name} does not know ${peer.name}`
      }
      return undefined
    })
  }
}

/** Gathers the clusters and kills one of each at the same moments, `count` times, round the places. */
export async function killInStep(clusters: readonly Treadmill[], count: number): Promise<Kill[][]> {
  await Promise.all(clusters.map((cluster) => cluster.gather()))
  const kills: Promise<Kill[]>[] = []
  // Neighbours are of different kinds, and a place comes again only after all others.
  for (let turn = 0; turn < count; turn++) {
    const both = Promise.all(clusters.map((cluster) => cluster.kill((turn * 3) % TEN.length)))
    // A failure ends the run below; until then it must not count as unhandled.
    both.catch(() => {})
    kills.push(both)
    await sleep(KILL_EVERY_MS)
  }
  const done = await Promise.all(kills)
  return clusters.map((_, index) => done.map((both) => both[index] as Kill))
}

function diedAt(witness: Peer, victim: Peer): number | undefined {
  return timeOf(witness, 'dead', victim)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** One number a kill. */
export function delayOf(kill: Kill): number {
  return median(kill.delays.map(({ ms }) => ms))
}

export interface Ratio {
  /** Median of the first over median of the second. */
  readonly ratio: number
  /** The true ratio lies between these with the stated confidence, by 4000 resamples of both. */
  readonly least: number
  readonly most: number
}

/** Compares medians by the percentile bootstrap.
 *  @param confidence of the interval, between 0 and 1
 *  @param fraction a dice: 0 up to 1 */
export function ratioOfMedians(
  first: readonly number[],
  second: readonly number[],
  confidence: number,
  fraction: () => number,
): Ratio {
  const resample = (values: readonly number[]): number[] =>
    values.map(() => values[Math.floor(fraction() * values.length)] ?? Number.NaN)
  const ratios = Array.from({ length: 4_000 }, () => median(resample(first)) / median(resample(second)))
  ratios.sort((left, right) => left - right)
  const tail = (1 - confidence) / 2
  const at = (share: number): number =>
    ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))] ?? Number.NaN
  return { ratio: median(first) / median(second), least: at(tail), most: at(1 - tail) }
}

/** Plays both clusters; resolves with the kills of each, when all processes are gone. */
export async function compare(
  mixed: Stage,
  pure: Stage,
  casts: readonly [Cast, Cast],
  count: number,
): Promise<Kill[][]> {
  try {
    return await killInStep([new Treadmill(mixed, casts[0]), new Treadmill(pure, casts[1])], count)
  } finally {
    await Promise.all([mixed.stop(), pure.stop()])
  }
}

/** Lines for a reader: each cluster whole, by victim and by witness. */
export function tableOf(clusters: Readonly<Record<string, readonly Kill[]>>): string[] {
  return Object.entries(clusters).flatMap(([label, kills]) => {
    const line = (what: string, values: readonly number[]): string =>
      `${label}, ${what}: median ${(median(values) / 1000).toFixed(2)} s, ` +
      `${(Math.min(...values) / 1000).toFixed(2)} to ${(Math.max(...values) / 1000).toFixed(2)} s, n ${values.length}`
    const victims = [...new Set(kills.map(({ victim }) => victim))].sort()
    const witnesses = [...new Set(kills.flatMap(({ delays }) => delays.map(({ witness }) => witness)))].sort()
    return [
      line('all kills', kills.map(delayOf)),
      ...victims.map((one) => line(`${one} killed`, kills.filter(({ victim }) => victim === one).map(delayOf))),
      ...witnesses.map((one) =>
        line(
          `as ${one} tells`,
          kills.flatMap(({ delays }) => delays.filter(({ witness }) => witness === one).map(({ ms }) => ms)),
        ),
      ),
    ]
  })
}
