// Clusters that lose packets: for UDP alone, and by chance. Every member in a network namespace of its own, iptables in between.
// Clusters of agents alone lose as many beside ours in the same run, so that what is Go's own way is seen as such.
import assert from 'node:assert/strict'
import { all, LAN, type LanPeer, pairs, SPREAD_WITHIN_MS } from './support/lan-cluster.ts'
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

/** At N < 10: four probe intervals. */
const LEAST_SUSPICION_MS: number = 4 * LAN.probeIntervalMs

netnsTest(
  'ML-22, ML-23: without UDP between two, or to one member, nobody is suspected, and the trouble is told',
  async (stage) => {
    const titles = ['UDP lost, to a Node member', 'UDP lost, to an agent']
    await withClusters(titles, [MIXED, MIXED], async (clusters) => {
      const since = monotonicMs()
      await stage.step('between two members: the others relay', async () => {
        for (const cluster of clusters) {
          const [go, node] = [cluster.at(0), cluster.at(1)]
          await Promise.all([cluster.cut(go, node, { protocol: 'udp' }), cluster.cut(node, go, { protocol: 'udp' })])
        }
        await passed(since + 2 * CYCLE_MS)
        for (const cluster of clusters) {
          assert.ok((await cluster.dropped()) > 0, 'the rule dropped something')
          await nobodySuspected(cluster, since)
          await cluster.heal()
        }
      })
      await stage.step('to one member: the fallback over TCP keeps it alive, and everyone tells', async () => {
        await all(
          clusters.map(async (cluster, index) => {
            const [deaf] = cluster.at(index === 0 ? 1 : 0) as [LanPeer]
            const began = monotonicMs()
            await cluster.cut(cluster.peers, [deaf], { protocol: 'udp' })
            const silent = (): string | undefined =>
              cluster.others(deaf).find((peer) => !tellsStreamOnly(peer, deaf))?.name
            await cluster.until(
              `everyone tells that ${deaf.name} answers over TCP only`,
              2 * CYCLE_MS + SPREAD_WITHIN_MS,
              silent,
            )
            stage.note(`${cluster.title}: all others had told after ${seconds(monotonicMs() - began)}`)
            await passed(began + 2 * CYCLE_MS)
            await nobodySuspected(cluster, since)
            await cluster.heal()
            await cluster.untilOne('the loss of UDP', LAN.pushPullIntervalMs)
          }),
        )
      })
    })
  },
)

netnsTest('of 30 % lost packets nobody dies for good', async (stage) => {
  const titles = ['30 % lost, mixed', '30 % lost, pure Node', '30 % lost, pure Go']
  await withClusters(titles, [MIXED, ALL_NODE, ALL_GO], async (clusters) => {
    const since = monotonicMs()
    await Promise.all(clusters.map((cluster) => cluster.cut(cluster.peers, cluster.peers, { lossRatio: 0.3 })))
    await passed(since + 60_000)
    for (const cluster of clusters) {
      assert.ok((await cluster.dropped()) > 500, 'the rule dropped something')
      stage.note(`${cluster.title}: ${await figures(cluster, since)}`)
    }
    // The healthy do die of such loss now and then, and come back. Two counts of rare things, alike in the mean, differ by more than three
    // times the root of their sum once in some hundred runs: less than that is noise, and none where Go has none is less than ten.
    const [mixed, ours, pureGo] = clusters.map((cluster) => falseDeaths(cluster, since).length) as [
      number,
      number,
      number,
    ]
    for (const count of [mixed, ours]) {
      const noise = 3 * Math.sqrt(count + pureGo)
      assert.ok(
        count - pureGo <= noise,
        `${count} false deaths beside ${pureGo} of pure Go\n${await clusters[0]?.dump()}`,
      )
    }
    await stage.step('the loss over, each is one cluster, with nothing restarted and no command', () =>
      healAll(stage, clusters),
    )
  })
})

async function nobodySuspected(cluster: NetnsCluster, since: number): Promise<void> {
  assert.deepEqual(cluster.told(since, 'suspect', 'dead').map(said), [], await cluster.dump())
}

function tellsStreamOnly(peer: LanPeer, about: LanPeer): boolean {
  if (peer.kind === 'node')
    return peer.warnings.some((text) => text.includes('"stream-only"') && text.includes(about.name))
  return peer.log.some(({ text }) =>
    text.startsWith(`memberlist: Was able to connect to ${about.name} but other probes failed`),
  )
}

/** Counts for a reader. An agent tells its own suspicions only, a Node member also those it heard of: what compares is accusations that
 *  reached the accused, which agents tell, by pair of accuser and accused agent. */
async function figures(cluster: NetnsCluster, since: number): Promise<string> {
  const parts = [`${await cluster.dropped()} packets lost in ${seconds(monotonicMs() - since)}`]
  const denied = cluster.denied(since)
  for (const kind of ['go', 'node'] as const) {
    const accusers = cluster.peers.filter((peer) => peer.kind === kind)
    const accusable = pairs(accusers, cluster.agents).length
    if (accusers.length === 0) continue
    const told = cluster.told(since, 'suspect').filter(({ witness }) => witness.kind === kind).length
    const reached = denied.filter(({ accuser }) => accusers.some(({ name }) => name === accuser)).length
    parts.push(
      `${accusers.length} ${kind} members told ${told} suspicions` +
        (accusable === 0 ? '' : `, and agents denied ${reached} of theirs, ${(reached / accusable).toFixed(2)} a pair`),
    )
  }
  const deaths = falseDeaths(cluster, since)
  parts.push(`${deaths.length} false deaths${deaths.length === 0 ? '' : `: ${deaths.join(', ')}`}`)
  return parts.join('; ')
}

/** One a victim and time it was called dead: what several tell within a suspicion's shortest life is one verdict, passed on. */
function falseDeaths(cluster: NetnsCluster, since: number): string[] {
  const deaths: string[] = []
  for (const { name } of cluster.peers) {
    const told = cluster.told(since, 'dead').filter((one) => one.name === name)
    const times = told.map(({ at }) => at).sort((left, right) => left - right)
    const first = times.filter((at, index) => index === 0 || at - (times[index - 1] as number) > LEAST_SUSPICION_MS)
    for (const at of first) {
      const witnesses = told.filter(
        (one) => one.at >= at && one.at < (first.find((next) => next > at) ?? Number.POSITIVE_INFINITY),
      )
      deaths.push(`${name} after ${seconds(at - since)} to ${witnesses.length}`)
    }
  }
  return deaths
}
