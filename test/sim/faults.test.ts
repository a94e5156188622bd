// Faults between members that all run: what must be borne without a verdict, and what must not.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Cluster } from '../../src/sim/cluster.ts'
import { allKnowWithinMs } from './support/bounds.ts'
import { forEachSeed } from './support/seeds.ts'

const deaths = (cluster: Cluster): string[] =>
  cluster.events.filter(({ type }) => type === 'member-dead').map(({ observer, about }) => `${about} by ${observer}`)

const suspicions = (cluster: Cluster): number => cluster.events.filter(({ type }) => type === 'member-suspect').length

function cutFromAll(cluster: Cluster, name: string, kind: 'all' | 'packets', isOneWay: boolean): void {
  for (const other of cluster.names) if (other !== name) cluster.cut(other, name, { kind, isOneWay })
}

describe('faults that members bear', () => {
  const blocked = 'one link cut in both directions raises no suspicion: others carry the probe'
  it(blocked, async () => {
    await forEachSeed({ file: import.meta.url, test: blocked }, 5, {}, async (cluster) => {
      await cluster.start(8)
      await cluster.settle()
      cluster.cut('m-2', 'm-5')
      await cluster.run(60_000)
      assert.equal(suspicions(cluster), 0)
      await cluster.settle()
    })
  })

  const fallback = 'all packets to one member cut raise no suspicion: streams still reach it'
  it(fallback, async () => {
    await forEachSeed({ file: import.meta.url, test: fallback }, 5, {}, async (cluster) => {
      await cluster.start(8)
      await cluster.settle()
      cutFromAll(cluster, 'm-5', 'packets', false)
      await cluster.run(20_000)
      const others = cluster.names.filter((name) => name !== 'm-5')
      const accused = cluster.events.filter(({ type, about }) => type === 'member-suspect' && about === 'm-5')
      assert.deepEqual(accused, [])
      for (const name of others) assert.equal(cluster.member(name).member('m-5')?.state, 'alive')
    })
  })

  const refuted = 'a member that hears little but can speak refutes what is said of it, and nobody dies'
  it(refuted, async () => {
    let recoveries = 0
    await forEachSeed({ file: import.meta.url, test: refuted }, 10, {}, async (cluster) => {
      await cluster.start(10)
      await cluster.settle()
      // One way: 60 % of what is sent to m-5 is lost, packets and pieces of streams alike; what it sends arrives.
      for (const other of cluster.names) if (other !== 'm-5') cluster.link(other, 'm-5', { lossRatio: 0.6 })
      await cluster.run(60_000)
      assert.deepEqual(deaths(cluster), [])
      recoveries += cluster.events.filter(({ type, about }) => type === 'member-recover' && about === 'm-5').length
      for (const other of cluster.names) if (other !== 'm-5') cluster.link(other, 'm-5', { lossRatio: 0 })
      await cluster.settle()
      const { incarnation } = cluster.member('m-5').local
      const accused = cluster.events.some(({ type, about }) => type === 'member-suspect' && about === 'm-5')
      if (accused) assert.ok(incarnation > 1, 'a refutation raises the incarnation')
    })
    assert.ok(recoveries > 0, 'no seed had anything to refute')
  })

  const lossy = 'a tenth of everything lost everywhere kills nobody in two minutes'
  it(lossy, async () => {
    await forEachSeed({ file: import.meta.url, test: lossy }, 5, { lossRatio: 0.1 }, async (cluster) => {
      await cluster.start(20)
      await cluster.settle({ withinMs: 120_000 })
      await cluster.run(120_000)
      assert.deepEqual(deaths(cluster), [])
      await cluster.settle()
    })
  })

  const short = 'a partition that heals while its suspicions still spread kills nobody'
  it(short, async () => {
    let felt = 0
    await forEachSeed({ file: import.meta.url, test: short }, 20, {}, async (cluster) => {
      await cluster.start(10)
      await cluster.settle()
      await cluster.run(2_000)
      const { names } = cluster
      cluster.partition([names.slice(0, 5), names.slice(5)])
      await cluster.run(1_500)
      cluster.heal()
      await cluster.run(30_000)
      assert.deepEqual(deaths(cluster), [])
      await cluster.settle()
      if (suspicions(cluster) > 0) felt++
    })
    assert.ok(felt > 0, 'no seed felt the cut')
  })

  // The accused hear of it only while accusations are still gossiped, or when they are probed; so some may be declared dead
  // after the cut has healed, and refute that.
  const longer = 'a partition that heals before its verdicts ends with all alive to all'
  it(longer, async () => {
    await forEachSeed({ file: import.meta.url, test: longer }, 20, {}, async (cluster) => {
      await cluster.start(10)
      await cluster.settle()
      const { names } = cluster
      cluster.partition([names.slice(0, 5), names.slice(5)])
      await cluster.run(4_000)
      cluster.heal()
      assert.ok(suspicions(cluster) > 0, 'the cut was felt')
      await cluster.run(15_000)
      await cluster.settle({ withinMs: 45_000 })
    })
  })
})

describe('a process that is stopped for a while', () => {
  const awake = 'accuses nobody when it goes on, and is alive to all again'
  it(awake, async () => {
    await forEachSeed({ file: import.meta.url, test: awake }, 10, {}, async (cluster) => {
      await cluster.start(5)
      await cluster.settle()
      await cluster.run(3_000)
      cluster.pause('m-3')
      await cluster.run(20_000)
      const others = cluster.names.filter((name) => name !== 'm-3')
      for (const name of others) assert.equal(cluster.member(name).member('m-3')?.state, 'dead')
      cluster.resume('m-3')
      await cluster.run(20_000)
      const accusations = cluster.events.filter(
        ({ observer, type }) => observer === 'm-3' && (type === 'member-suspect' || type === 'member-dead'),
      )
      assert.deepEqual(accusations, [])
      await cluster.settle({ withinMs: 20_000 })
    })
  })
})

describe('faults that members must report', () => {
  const split = 'two halves that cannot reach each other hold each other for dead, and themselves for alive'
  it(split, async () => {
    await forEachSeed({ file: import.meta.url, test: split }, 5, {}, async (cluster) => {
      await cluster.start(12)
      await cluster.settle()
      const { names } = cluster
      const halves = [names.slice(0, 6), names.slice(6)]
      cluster.partition(halves)
      const isSplit = (): boolean =>
        halves.every((half) =>
          half.every((observer) =>
            cluster
              .member(observer)
              .members()
              .every(({ name, state }) => state === (half.includes(name) ? 'alive' : 'dead')),
          ),
        )
      // Six at once: each half probes six dead in turn, and accuses each with only six left to confirm.
      await cluster.until(isSplit, { withinMs: 2 * allKnowWithinMs(12), what: 'each half holds the other for dead' })
    })
  })

  const deaf = 'a member that nothing reaches any more is dead to the others'
  it(deaf, async () => {
    await forEachSeed({ file: import.meta.url, test: deaf }, 5, {}, async (cluster) => {
      await cluster.start(10)
      await cluster.settle()
      cutFromAll(cluster, 'm-5', 'all', true)
      const others = cluster.names.filter((name) => name !== 'm-5')
      const isDead = (): boolean => others.every((name) => cluster.member(name).member('m-5')?.state === 'dead')
      await cluster.until(isDead, { withinMs: allKnowWithinMs(10), what: 'm-5 is dead to all others' })
    })
  })
})
