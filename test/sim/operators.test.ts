// What an operator may declare of others: force-leave and prune (serf-behaviour §24), by the public face.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Cluster } from '../../src/sim/cluster.ts'
import { allKnowWithinMs } from './support/bounds.ts'
import { forEachSeed } from './support/seeds.ts'

/** Time to deny: `broadcastTimeoutMs` and `leavePropagateDelayMs`. */
const TO_DENY_MS = 6_000

const everywhere = (cluster: Cluster, name: string, state: string | undefined): boolean =>
  cluster.names.every((observer) => observer === name || cluster.member(observer).member(name)?.state === state)

async function kill(cluster: Cluster, name: string): Promise<void> {
  cluster.crash(name)
  const withinMs = allKnowWithinMs(cluster.names.length + 1)
  await cluster.until(() => everywhere(cluster, name, 'dead'), { withinMs, what: `${name} is dead` })
}

describe('SF-12: a live member that is declared to have left', () => {
  for (const count of [2, 3, 12]) {
    const test = `of ${count} is alive everywhere again, by its own word, within a few rounds of gossip`
    it(test, async () => {
      await forEachSeed({ file: import.meta.url, test }, 20, {}, async (cluster) => {
        await cluster.start(count)
        await cluster.settle()
        const name = `m-${count}`
        const told = cluster.member('m-1').forceLeave(name)
        assert.equal(cluster.member('m-1').member(name)?.state, 'leaving')
        await cluster.settle({ withinMs: 5_000 })
        await cluster.finish(told)
        assert.equal(cluster.member(name).local.state, 'alive')
        await cluster.run(20_000)
        await cluster.settle({ withinMs: 0 })
      })
    })
  }
})

describe('SF-23: of two members one forces the other, which lives', () => {
  for (const prune of [false, true]) {
    const test = `both are alive on both sides${prune ? ', with prune too' : ''}`
    it(test, async () => {
      await forEachSeed({ file: import.meta.url, test }, 20, {}, async (cluster) => {
        await cluster.start(2)
        await cluster.settle()
        await cluster.finish(cluster.member('m-1').forceLeave('m-2', { prune }))
        await cluster.settle({ withinMs: 5_000 })
        await cluster.run(2 * TO_DENY_MS)
        await cluster.settle({ withinMs: 0 })
        assert.deepEqual(
          cluster.events.filter(({ type }) => type === 'member-reap'),
          [],
        )
      })
    })
  }
})

describe('SF-24: prune', () => {
  const dead =
    'of a dead member removes it everywhere, with one member-reap each, and it stays away until it comes back'
  it(dead, async () => {
    await forEachSeed({ file: import.meta.url, test: dead }, 10, {}, async (cluster) => {
      await cluster.start(6)
      await cluster.settle()
      await kill(cluster, 'm-6')
      await cluster.finish(cluster.member('m-2').forceLeave('m-6', { prune: true }))
      await cluster.until(() => everywhere(cluster, 'm-6', undefined), { withinMs: 3_000, what: 'm-6 is erased' })
      await cluster.run(120_000)
      assert.equal(everywhere(cluster, 'm-6', undefined), true)
      for (const observer of cluster.names) {
        const types = cluster.events.filter((event) => event.observer === observer && event.about === 'm-6')
        assert.deepEqual(types.map(({ type }) => type).slice(-2), ['member-left', 'member-reap'], observer)
      }
      await cluster.restart('m-6')
      await cluster.settle({ withinMs: 5_000 })
    })
  })

  const back = 'of a dead member does not make it leaving when it comes back while that is still told'
  it(back, async () => {
    await forEachSeed({ file: import.meta.url, test: back }, 10, {}, async (cluster) => {
      await cluster.start(6)
      await cluster.settle()
      await kill(cluster, 'm-6')
      await cluster.finish(cluster.member('m-2').forceLeave('m-6', { prune: true }))
      await cluster.restart('m-6')
      await cluster.settle({ withinMs: 5_000 })
      await cluster.run(2 * TO_DENY_MS)
      await cluster.settle({ withinMs: 0 })
    })
  })

  const live = 'of a live member that cannot deny in time ends with one view, in which it is alive'
  it(live, async () => {
    let erased = 0
    await forEachSeed({ file: import.meta.url, test: live }, 20, {}, async (cluster) => {
      await cluster.start(6)
      await cluster.settle()
      // No packet of m-6 arrives, but its answers over TCP do: it lives, and all but those it exchanges with erase it.
      for (const name of cluster.names) {
        if (name !== 'm-6') cluster.cut('m-6', name, { isOneWay: true, kind: 'packets' })
      }
      // Its next answer over TCP to a probe brings it back, so what counts is the moment.
      for (const name of cluster.names) {
        cluster.member(name).on('member-reap', () => {
          erased++
        })
      }
      await cluster.finish(cluster.member('m-1').forceLeave('m-6', { prune: true }))
      await cluster.run(2 * TO_DENY_MS)
      cluster.heal()
      // A probe finds it within 2N - 1 intervals, each of which local health may have made three times as long.
      await cluster.settle({ withinMs: 33_000 })
      await cluster.run(30_000)
      await cluster.settle({ withinMs: 0 })
    })
    assert.ok(erased > 0, 'it was erased somewhere')
  })
})

describe('SF-14: a storm of intents', () => {
  const test = 'about a member that left dies out, and leaves the cluster as it was'
  it(test, async () => {
    await forEachSeed({ file: import.meta.url, test }, 5, {}, async (cluster) => {
      await cluster.start(6)
      await cluster.settle()
      await cluster.leave('m-6')
      const told = cluster.names.flatMap((name) =>
        Array.from({ length: 5 }, () => cluster.member(name).forceLeave('m-6')),
      )
      await cluster.finish(Promise.all(told))
      await cluster.run(10_000)
      assert.deepEqual(
        cluster.names.map((name) => cluster.member(name).stats().queued),
        cluster.names.map(() => 0),
      )
      assert.equal(everywhere(cluster, 'm-6', 'left'), true)
    })
  })
})

describe('SF-15: a declaration made on one side of a cut, which the other side would not believe by its time', () => {
  const test = 'is known to all soon after the cut, where the member is gone indeed'
  it(test, async () => {
    await forEachSeed({ file: import.meta.url, test }, 10, {}, async (cluster) => {
      await cluster.start(4)
      await cluster.settle()
      cluster.partition([['m-1'], ['m-2', 'm-3', 'm-4']])
      const withinMs = allKnowWithinMs(4)
      const isDead = (): boolean => cluster.member('m-1').member('m-4')?.state === 'dead'
      await cluster.until(isDead, { withinMs: 4 * withinMs, what: 'm-1 holds m-4 for dead' })
      await cluster.finish(cluster.member('m-1').forceLeave('m-4'))
      assert.equal(cluster.member('m-1').member('m-4')?.state, 'left')
      // Each time it denies, at a later time.
      for (let times = 0; times < 3; times++) {
        await cluster.finish(cluster.member('m-2').forceLeave('m-4'))
        const isBack = (): boolean =>
          ['m-2', 'm-3'].every((name) => cluster.member(name).member('m-4')?.state === 'alive')
        await cluster.until(isBack, { withinMs: 5_000, what: 'm-4 is alive again' })
      }
      cluster.crash('m-4')
      await cluster.until(() => cluster.member('m-3').member('m-4')?.state === 'dead', { withinMs: 4 * withinMs })
      cluster.heal()
      await cluster.until(() => everywhere(cluster, 'm-4', 'left'), { withinMs: 300_000, what: 'm-4 has left' })
    })
  })
})
