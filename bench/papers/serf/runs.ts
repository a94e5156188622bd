// How fast one broadcast reaches a cluster at `lan`: a user event, or a change of tags. One job, one cluster, several broadcasts one after
// the other, each from a member drawn by the seed, at one loss after the other. Knows no table and no other run.
import { Cluster } from '../../../src/sim/cluster.ts'
import { Sizes } from '../support/sizes.ts'
import { quantile } from '../support/statistics.ts'

export interface SerfJob {
  readonly kind: 'spread'
  readonly members: number
  readonly lossRatios: readonly number[]
  /** Of each kind, at each loss. */
  readonly broadcasts: number
  readonly seed: number
}

/** One broadcast. */
export interface Spread {
  readonly what: 'event' | 'tags'
  readonly lossRatio: number
  /** Milliseconds until half, 99 %, and 99.99 % of all members had it, who sent it included; null where so many never had within the time
   *  that it was watched. */
  readonly halfMs: number | null
  readonly mostMs: number | null
  readonly nearlyAllMs: number | null
  /** The share that had it at the end. */
  readonly share: number
  /** Packets of all members while it was watched, beyond those of as long a time without one. */
  readonly packets: number
  /** Payload kilobits a second that one sends and hears in the busiest fifth of a second, on average over all. */
  readonly kilobits: number
}

export type SerfResult = readonly Spread[]

export const GOSSIP_MS = 200
export const WATCH_MS = 10_000
const SETTLED_WITHIN_MS = 600_000
const PAYLOAD = 'x'.repeat(64)

export async function run({ members, lossRatios, broadcasts, seed }: SerfJob): Promise<SerfResult> {
  const cluster = await settled(members, seed)
  const dice = cluster.simulation.random('broadcasts')
  const { links, traffic } = cluster.simulation.network
  const found: Spread[] = []
  for (const lossRatio of lossRatios) {
    links.setDefault({ lossRatio })
    await cluster.run(WATCH_MS)
    const idleFrom = traffic.sent.packets
    await cluster.run(2 * WATCH_MS)
    const idle = (traffic.sent.packets - idleFrom) / 2
    for (let at = 0; at < 2 * broadcasts; at++) {
      await cluster.run(GOSSIP_MS * dice.fraction())
      const source = `m-${1 + dice.below(members)}`
      const what = at % 2 === 0 ? 'event' : 'tags'
      found.push({ what, lossRatio, ...(await spread(cluster, source, what, `${lossRatio}-${at}`, idle)) })
    }
  }
  await cluster.close()
  return found
}

async function settled(members: number, seed: number): Promise<Cluster> {
  const cluster = new Cluster({ seed, transcript: 'off' })
  const sizes = new Sizes(cluster)
  await cluster.start(members, { withinMs: SETTLED_WITHIN_MS })
  const isQuiet = (): boolean => {
    sizes.read()
    return cluster.names.every((name) => sizes.of(name) === members && cluster.member(name).stats().queued === 0)
  }
  await cluster.until(isQuiet, { withinMs: SETTLED_WITHIN_MS, everyMs: 1000, what: 'all know all' })
  return cluster
}

/** @param unique what no other broadcast of the run bears */
async function spread(
  cluster: Cluster,
  source: string,
  what: Spread['what'],
  unique: string,
  idlePackets: number,
): Promise<Omit<Spread, 'what' | 'lossRatio'>> {
  const { traffic } = cluster.simulation.network
  const members = cluster.names.length
  cluster.events.length = 0
  const [began, packetsFrom] = [cluster.now, traffic.sent.packets]
  if (what === 'event') cluster.member(source).sendEvent(unique, PAYLOAD)
  else
    cluster
      .member(source)
      .setTags({ version: unique })
      .catch(() => {}) // told too slowly where half of all is lost
  let busiest = 0
  for (let slice = 0; slice < WATCH_MS / GOSSIP_MS; slice++) {
    const before = traffic.sent.bytes + traffic.delivered.bytes
    await cluster.run(GOSSIP_MS)
    busiest = Math.max(busiest, traffic.sent.bytes + traffic.delivered.bytes - before)
  }
  const [type, about] = what === 'event' ? ['user-event', unique] : ['member-update', source]
  const heard = cluster.events.filter(
    (event) => event.type === type && event.about === about && event.observer !== source,
  )
  const times = [0, ...heard.map(({ atMs }) => atMs - began)]
  return {
    halfMs: reached(times, members, 0.5),
    mostMs: reached(times, members, 0.99),
    nearlyAllMs: reached(times, members, 0.9999),
    share: times.length / members,
    packets: traffic.sent.packets - packetsFrom - idlePackets,
    kilobits: (busiest * 8) / GOSSIP_MS / members,
  }
}

/** When the share of all had it. */
function reached(times: readonly number[], members: number, share: number): number | null {
  const wanted = Math.ceil(share * members)
  return times.length < wanted ? null : quantile(times, wanted / times.length)
}
