// A minute in which 30 % of everything is lost. What beside agents can only be bounded by chance (test/interop/losses.test.ts) is the
// same in every run here, so how far such counts spread is looked at here.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cluster } from '../../src/sim/cluster.ts'
import { forEachSeed } from './support/seeds.ts'

const MEMBERS = 6
const SEEDS = 60

test('of 30 % lost packets nobody dies for good, and what members are wrong about spreads no wider than chance', async (t) => {
  const deaths: number[] = []
  const denials: number[] = []
  await forEachSeed({ file: import.meta.url, test: 'of 30 % lost packets' }, SEEDS, {}, async (cluster) => {
    await cluster.start(MEMBERS)
    await cluster.settle({ withinMs: 180_000 })
    const [since, before] = [cluster.now, incarnations(cluster)]
    lose(cluster, 0.3)
    await cluster.run(60_000)
    deaths.push(falseDeaths(cluster, since))
    denials.push(incarnations(cluster) - before)
    lose(cluster, 0)
    await cluster.settle({ withinMs: 75_000 })
  })
  for (const [what, counts] of [
    ['false deaths', deaths],
    ['accusations that the accused denied', denials],
  ] as const) {
    const { mean, variance } = spread(counts)
    t.diagnostic(`${what} of ${MEMBERS} in a minute: mean ${mean.toFixed(2)}, variance ${variance.toFixed(2)}`)
    if (counts.length === SEEDS) assert.ok(mean > 0 && variance <= 1.5 * mean, `${what}: ${counts.join(' ')}`)
  }
})

function lose(cluster: Cluster, lossRatio: number): void {
  for (const from of cluster.names)
    for (const to of cluster.names) if (from !== to) cluster.link(from, to, { lossRatio })
}

/** Of all together. Each denial raises one, by one. */
function incarnations(cluster: Cluster): number {
  return cluster.names.reduce((sum, name) => sum + cluster.member(name).local.incarnation, 0)
}

/** Once a victim, until four probe intervals, a suspicion's shortest life, have gone by without its being called dead. */
function falseDeaths(cluster: Cluster, since: number): number {
  return cluster.names.reduce((sum, name) => {
    const times = cluster.events
      .filter(({ type, about, atMs }) => type === 'member-dead' && about === name && atMs >= since)
      .map(({ atMs }) => atMs)
    return sum + times.filter((at, index) => index === 0 || at - (times[index - 1] as number) > 4_000).length
  }, 0)
}

function spread(counts: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / Math.max(1, counts.length - 1)
  return { mean, variance }
}
