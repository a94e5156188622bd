// Halves that could not see each other become one cluster again by themselves: members reach for the dead (serf-behaviour §31).
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Cluster } from '../../src/sim/cluster.ts'
import { neverLaterThanMs } from './support/bounds.ts'
import { forEachSeed } from './support/seeds.ts'
import { inSeconds, spreadOf } from './support/timing.ts'

const INTERVAL_MS = 30_000
/** One exchange, then claims, accusations and denials that cross a cluster of six, with room for a probe of those still accused. */
const SPREAD_MS = 6_000

const isCut = (cluster: Cluster, halves: readonly (readonly string[])[]): boolean =>
  halves.every((half) =>
    half.every((observer) =>
      halves
        .filter((other) => other !== half)
        .flat()
        .every((name) => cluster.member(observer).member(name)?.state === 'dead'),
    ),
  )

/** Cuts, waits until each half has given the other up and so much longer, heals, and gives how long it took to be one. */
async function cutAndHeal(
  cluster: Cluster,
  halves: readonly (readonly string[])[],
  longerMs: number,
  withinMs: number,
): Promise<number> {
  cluster.partition(halves)
  const cutWithinMs = neverLaterThanMs(cluster.names.length)
  await cluster.until(() => isCut(cluster, halves), { withinMs: cutWithinMs, what: 'each half has given the other up' })
  await cluster.run(longerMs)
  cluster.heal()
  const healedAt = cluster.now
  await cluster.settle({ withinMs })
  return cluster.now - healedAt
}

describe('SF-71: a cluster of six cut in half', () => {
  for (const longerMs of [1_000, 20_000, 120_000]) {
    const test = `for ${longerMs / 1000} s longer than it takes to give the others up is one again within an interval`
    it(test, async (context) => {
      const tookMs: number[] = []
      await forEachSeed({ file: import.meta.url, test }, 40, {}, async (cluster) => {
        await cluster.start(6)
        await cluster.settle()
        const [a, b, c, ...others] = cluster.names as [string, string, string]
        // Each of the six tries in every interval, for as many are dead as are here.
        tookMs.push(await cutAndHeal(cluster, [[a, b, c], others], longerMs, INTERVAL_MS + SPREAD_MS))
        await cluster.run(30_000)
        await cluster.settle({ withinMs: 0 })
      })
      context.diagnostic(`one again after ${inSeconds(spreadOf(tookMs))} s (p50 / p99 / max)`)
    })
  }

  const alone = 'is one again without its seed, which is dead'
  it(alone, async (context) => {
    const tookMs: number[] = []
    await forEachSeed({ file: import.meta.url, test: alone }, 40, {}, async (cluster) => {
      await cluster.start(7)
      await cluster.settle()
      cluster.crash('m-1')
      await cluster.run(60_000)
      const halves = [cluster.names.slice(0, 3), cluster.names.slice(3)]
      // A member picks one of four, one of whom is dead indeed: that all six fail in two intervals is one run in 16 million.
      tookMs.push(await cutAndHeal(cluster, halves, 60_000, 2 * INTERVAL_MS + SPREAD_MS))
    })
    context.diagnostic(`one again after ${inSeconds(spreadOf(tookMs))} s (p50 / p99 / max)`)
  })

  const quick = 'by a cut that ends soon after is one again at once: after a mass failure there are quick attempts'
  it(quick, async (context) => {
    const tookMs: number[] = []
    const options = { options: { reconnectIntervalMs: 3_600_000 } } as const
    await forEachSeed({ file: import.meta.url, test: quick }, 40, options, async (cluster) => {
      await cluster.start(7)
      await cluster.settle()
      cluster.crash('m-1')
      await cluster.run(60_000)
      const halves = [cluster.names.slice(0, 3), cluster.names.slice(3)]
      // The pause between two attempts is as long as the time since the loss: the next two come within three times as long as that.
      tookMs.push(await cutAndHeal(cluster, halves, 2_000, 3 * neverLaterThanMs(6)))
    })
    context.diagnostic(`one again after ${inSeconds(spreadOf(tookMs))} s (p50 / p99 / max)`)
  })
})

describe('a member cut off alone', () => {
  const test = 'for three minutes is in again within an interval'
  it(test, async () => {
    await forEachSeed({ file: import.meta.url, test }, 20, {}, async (cluster) => {
      await cluster.start(8)
      await cluster.settle()
      const [alone, ...others] = cluster.names as [string, ...string[]]
      cluster.partition([[alone], others])
      // Its own health is bad, so it gives the others up late (Lifeguard §IV-A): three minutes are enough for all.
      await cluster.run(180_000)
      assert.equal(isCut(cluster, [[alone], others]), true)
      cluster.heal()
      await cluster.settle({ withinMs: INTERVAL_MS + SPREAD_MS })
      assert.deepEqual(
        cluster.events.filter(({ type }) => type === 'conflict'),
        [],
      )
    })
  })
})

describe('a member that lost its disk, and left a side of a cut that had lost all of theirs', () => {
  const test = 'has left to the other side too, soon after the cut, though that knew its earlier life by higher numbers'
  it(test, async () => {
    await forEachSeed({ file: import.meta.url, test }, 10, {}, async (cluster) => {
      await cluster.start(3)
      await cluster.settle()
      for (let version = 0; version < 4; version++) {
        await cluster.finish(cluster.member('m-3').setTags({ version: String(version) }))
        await cluster.finish(cluster.member('m-2').forceLeave('m-3')) // which it denies
      }
      await cluster.settle()
      const known = cluster.member('m-1').member('m-3')?.incarnation as number
      cluster.partition([['m-1'], ['m-2', 'm-3']])
      const isDead = (): boolean => ['m-2', 'm-3'].every((name) => cluster.member('m-1').member(name)?.state === 'dead')
      await cluster.until(isDead, { withinMs: 4 * neverLaterThanMs(3), what: 'm-1 holds the others for dead' })
      cluster.crash('m-2')
      cluster.crash('m-3')
      for (const name of ['m-2', 'm-3']) await cluster.restart(name, { disk: 'lost', joins: false })
      await cluster.finish(cluster.member('m-3').join([cluster.member('m-2').local.address]))
      await cluster.leave('m-3')
      const held = (name: string) => cluster.member(name).member('m-3')
      await cluster.until(() => held('m-2')?.state === 'left', { withinMs: 60_000, what: 'm-3 has left to m-2' })
      assert.ok((held('m-2')?.incarnation as number) < known)
      assert.equal(held('m-1')?.state, 'dead')
      cluster.heal()
      const isLeft = (): boolean => ['m-1', 'm-2'].every((name) => held(name)?.state === 'left')
      await cluster.until(isLeft, { withinMs: 600_000, what: 'm-3 has left to both' })
    })
  })
})
