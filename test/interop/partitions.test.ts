// Clusters that are cut: in halves, and in one direction only. Every member in a network namespace of its own, iptables in between.
// Clusters of agents alone stand beside ours in the same run, so that what is Go's own way is seen as such.
import assert from 'node:assert/strict'
import { all, LAN, type LanPeer, type Told } from './support/lan-cluster.ts'
import type { NetnsCluster } from './support/netns-cluster.ts'
import {
  ALL_GO,
  ALL_NODE,
  CYCLE_MS,
  healAll,
  MIXED,
  netnsTest,
  passed,
  said,
  seconds,
  withClusters,
} from './support/netns-plays.ts'
import { monotonicMs } from './support/peer.ts'
import { detectionBoundMs } from './support/timing.ts'

/** Every member of the other half or of one's own is probed, fails, and is called dead although nobody else says so. */
const DEAD_WITHIN_MS: number = detectionBoundMs('lan', 6)

netnsTest('a cluster cut in halves for longer than any suspicion is one again once it is healed', async (stage) => {
  const titles = ['mixed', 'pure Node', 'pure Go']
  await withClusters(titles, [MIXED, ALL_NODE, ALL_GO], async (clusters) => {
    const since = monotonicMs()
    await Promise.all(clusters.map((cluster) => cut(cluster, [0, 1, 2], [3, 4, 5], 'both ways')))
    await stage.step('each half calls the other dead, and nobody of its own', async () => {
      await all(
        clusters.map(async (cluster) => {
          const [left, right] = [cluster.at(0, 1, 2), cluster.at(3, 4, 5)]
          await Promise.all([
            cluster.untilDead(left, right, DEAD_WITHIN_MS),
            cluster.untilDead(right, left, DEAD_WITHIN_MS),
          ])
          stage.note(
            `${cluster.title}: halves are dead to each other after ${seconds(lastDead(cluster, since) - since)}`,
          )
        }),
      )
      // The hard case: nobody gossips to the dead any more, and the cut was longer than the longest suspicion.
      const lastVerdict = Math.max(...clusters.map((cluster) => lastDead(cluster, since)))
      await passed(Math.max(since + LAN.maxSuspicionMs, lastVerdict + LAN.gossipToTheDeadMs))
      for (const cluster of clusters) {
        const own = cluster
          .told(since, 'dead')
          .filter(({ witness, name }) => half(cluster, witness.name) === half(cluster, name))
        assert.deepEqual(own.map(said), [], await cluster.dump())
      }
    })
    await stage.step('healed, each is one cluster, with nothing restarted and no command', () =>
      healAll(stage, clusters),
    )
  })
})

netnsTest('a cluster cut in one direction only is one again once it is healed', async (stage) => {
  const titles = [
    'one member unheard, mixed',
    'one member unheard, pure Go',
    'half unheard, mixed',
    'half unheard, pure Go',
  ]
  await withClusters(titles, [MIXED, ALL_GO, MIXED, ALL_GO], async (clusters) => {
    const [one, oneGo, half, halfGo] = clusters as [NetnsCluster, NetnsCluster, NetnsCluster, NetnsCluster]
    const since = monotonicMs()
    await Promise.all([
      ...[one, oneGo].map((cluster) => cut(cluster, [1], [0, 2, 3, 4, 5], 'one way')),
      ...[half, halfGo].map((cluster) => cut(cluster, [0, 1, 2], [3, 4, 5], 'one way')),
    ])
    await stage.step('those that hear each other and are heard stay alive to each other', async () => {
      await all(
        clusters.map(async (cluster) => {
          const unheard = cluster === one || cluster === oneGo ? cluster.at(1) : cluster.at(0, 1, 2)
          const hearers = cluster.others(...unheard)
          await cluster.untilDead(hearers, unheard, DEAD_WITHIN_MS)
          await passed(since + LAN.maxSuspicionMs + CYCLE_MS)
          const dead = cluster.told(since, 'dead')
          const by = (witnesses: readonly LanPeer[], victims: readonly LanPeer[]): Told[] =>
            dead.filter(({ witness, name }) => witnesses.includes(witness) && victims.some((one) => one.name === name))
          assert.deepEqual(by(hearers, hearers).map(said), [], await cluster.dump())
          // The unheard hear the others call one of them dead, and may believe it until their next exchange with each other: the
          // denial went out a few times, to the deaf as well. Agents among themselves do the same, so it is only counted.
          const believed = by(unheard, unheard)
          stage.note(
            `${cluster.title}: dead to all that cannot hear them after ` +
              `${seconds(Math.max(...by(hearers, unheard).map(({ at }) => at)) - since)}; they call ` +
              `${new Set(by(unheard, hearers).map(({ name }) => name)).size} of the ${hearers.length} others dead; among themselves they ` +
              `believed ${believed.length} times what the others say${believed.length === 0 ? '' : `: ${believed.map(said).join(', ')}`}`,
          )
        }),
      )
    })
    await stage.step('healed, each is one cluster, with nothing restarted and no command', () =>
      healAll(stage, clusters),
    )
  })
})

async function cut(
  cluster: NetnsCluster,
  from: readonly number[],
  to: readonly number[],
  ways: 'one way' | 'both ways',
): Promise<void> {
  await cluster.cut(cluster.at(...from), cluster.at(...to))
  if (ways === 'both ways') await cluster.cut(cluster.at(...to), cluster.at(...from))
}

function lastDead(cluster: NetnsCluster, since: number): number {
  return Math.max(...cluster.told(since, 'dead').map(({ at }) => at))
}

function half(cluster: NetnsCluster, name: string): number {
  return cluster.peers.findIndex((peer) => peer.name === name) < 3 ? 0 : 1
}
