// Plays of clusters in namespaces: who takes part, what a network in trouble makes healthy members say, how long it takes until all is well,
// and clusters that are started and ended together.
import assert from 'node:assert/strict'
import { interopTest } from './interop-test.ts'
import { all, LAN, SPREAD_WITHIN_MS, type Told } from './lan-cluster.ts'
import { lacksNamespaces } from './netns.ts'
import { NetnsCluster } from './netns-cluster.ts'
import { type Kind, monotonicMs } from './peer.ts'
import type { Stage } from './stage.ts'

export const MIXED: readonly Kind[] = ['go', 'node', 'go', 'node', 'node', 'go']
export const ALL_GO: readonly Kind[] = ['go', 'go', 'go', 'go', 'go', 'go']
export const ALL_NODE: readonly Kind[] = ['node', 'node', 'node', 'node', 'node', 'node']

/** What a network in trouble makes a healthy member say. */
export const EXPECTED: readonly string[] = ['stream-only', 'stream-invalid', 'packet-unsent', 'join-failed']

/** Until a cut cluster is one again by Go's means alone. Who called half or more of the cluster dead dials one of them each reconnect
 *  interval. The first exchange tells each side that it is called dead, which it denies; a second one carries the denials across, since
 *  gossip no longer goes to the long dead. A dial that began in the cut may still keep its stream's time. */
export const HEAL_WITHIN_MS: number = 2 * LAN.reconnectIntervalMs + LAN.streamTimeoutMs + SPREAD_WITHIN_MS

/** Once through all members in the longest case (2N - 1 intervals), and the last probe to its end. */
export const CYCLE_MS: number = (2 * 6 - 1) * LAN.probeIntervalMs + LAN.probeIntervalMs

export function netnsTest(title: string, play: (stage: Stage) => Promise<void>): void {
  interopTest(title, play, { withinMs: 270_000, lacks: lacksNamespaces })
}

/** Starts the clusters one after the other, ends them all at once, whatever happens, and reads what their agents logged. */
export async function withClusters(
  titles: readonly string[],
  casts: readonly (readonly Kind[])[],
  play: (clusters: readonly NetnsCluster[]) => Promise<void>,
): Promise<void> {
  const clusters: NetnsCluster[] = []
  try {
    for (const [index, title] of titles.entries()) {
      clusters.push(await NetnsCluster.start({ title, kinds: casts[index] ?? [], expects: EXPECTED }))
    }
    await play(clusters)
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()))
  }
  assert.deepEqual(
    clusters.flatMap((cluster) => cluster.strangeLines()),
    [],
  )
}

export async function healAll(stage: Stage, clusters: readonly NetnsCluster[]): Promise<void> {
  await all(
    clusters.map(async (cluster) => {
      await cluster.heal()
      const healed = monotonicMs()
      await cluster.untilOne('the healing', HEAL_WITHIN_MS)
      const joins = cluster.told(healed, 'join').map(({ at }) => at)
      const oneAfterMs = joins.length === 0 ? 0 : Math.max(...joins) - healed
      stage.note(
        `${cluster.title}: one cluster ${seconds(oneAfterMs)} after it was healed (bound ${seconds(HEAL_WITHIN_MS)})`,
      )
    }),
  )
}

/** Until then, what must not happen has time to happen. */
export async function passed(at: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - monotonicMs())))
}

export function said({ witness, type, name }: Told): string {
  return `${witness.name} ${type} ${name}`
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
