// A process that stands still for a while: its event loop is blocked, or it is stopped. When it goes on, its timers are late and its
// socket is full of what it has not read. It must accuse nobody of its own absence, and nobody may believe that it did.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Cluster } from '../../src/sim/cluster.ts'
import { forEachSeed } from './support/seeds.ts'

const STALLED = 'm-3'
const PAUSES_MS = [2_000, 5_000, 20_000, 30_000]

/** Who accused whom of the others since `fromMs`, in words. What is said of the one that stood still is true. */
function accusations(cluster: Cluster, fromMs: number): string[] {
  return cluster.events
    .filter(({ atMs, type, about, observer }) => {
      const isAccusation = type === 'member-suspect' || type === 'member-dead'
      return atMs >= fromMs && isAccusation && (about !== STALLED || observer === STALLED)
    })
    .map(({ observer, type, about }) => `${observer}: ${type} ${about}`)
}

/** Lets time pass until the member has just sent a ping: a packet that answers none. So a probe is under way, and its ack will
 *  come while the member stands still. */
async function untilItProbes(cluster: Cluster): Promise<void> {
  const { traffic } = cluster.host(STALLED).station
  let sent = traffic.sent.packets
  let heard = traffic.delivered.packets
  let hasPinged = false
  const isPing = (): boolean => {
    hasPinged ||= traffic.sent.packets - sent > traffic.delivered.packets - heard
    sent = traffic.sent.packets
    heard = traffic.delivered.packets
    return hasPinged
  }
  await cluster.until(isPing, { everyMs: 0, what: `${STALLED} probes` })
}

async function quiet(cluster: Cluster, members: number): Promise<void> {
  await cluster.start(members)
  await cluster.settle({ withinMs: 180_000 })
  await cluster.run(15_000) // what was still gossiped has been told
  assert.deepEqual(accusations(cluster, 0), [])
}

describe('a member that stands still in the middle of a probe', () => {
  for (const [members, seeds] of [
    [5, 60],
    [50, 5],
  ] as const) {
    for (const pauseMs of PAUSES_MS) {
      const name = `ML-37: of ${members}, for ${pauseMs / 1_000} s, accuses nobody when it goes on, and all agree again`
      it(name, async () => {
        await forEachSeed({ file: import.meta.url, test: name }, seeds, {}, async (cluster) => {
          await quiet(cluster, members)
          await untilItProbes(cluster)
          const { now } = cluster
          cluster.pause(STALLED)
          await cluster.run(pauseMs)
          cluster.resume(STALLED)
          await cluster.run(20_000)
          assert.deepEqual(accusations(cluster, now), [])
          await cluster.settle({ withinMs: 60_000 })
          await cluster.run(10_000)
          assert.deepEqual(accusations(cluster, now), [])
          assert.equal(cluster.member(STALLED).stats().warnings.stall, 1)
          assert.equal(cluster.member(STALLED).health, 0, 'what it counted against itself is worked off')
        })
      })
    }
  }
})

describe('a member that stands still while others are accused', () => {
  const name = 'ML-37: does not conclude a suspicion that was denied while it could not hear it'
  it(name, async () => {
    await forEachSeed({ file: import.meta.url, test: name }, 40, {}, async (cluster) => {
      await quiet(cluster, 5)
      cluster.pause('m-5')
      const isSuspect = (): boolean => cluster.member(STALLED).member('m-5')?.state === 'suspect'
      await cluster.until(isSuspect, { what: `${STALLED} suspects m-5` })
      cluster.resume('m-5')
      cluster.pause(STALLED)
      await cluster.run(30_000)
      const { now } = cluster
      cluster.resume(STALLED)
      await cluster.run(20_000)
      await cluster.settle({ withinMs: 60_000 })
      assert.deepEqual(accusations(cluster, now), [])
    })
  })

  const dead = 'finds those that died meanwhile, and nobody else'
  it(dead, async () => {
    await forEachSeed({ file: import.meta.url, test: dead }, 20, {}, async (cluster) => {
      await quiet(cluster, 5)
      await untilItProbes(cluster)
      cluster.pause(STALLED)
      cluster.crash('m-5')
      await cluster.run(5_000)
      cluster.resume(STALLED)
      const isDead = (): boolean => cluster.member(STALLED).member('m-5')?.state === 'dead'
      await cluster.until(isDead, { what: `${STALLED} holds m-5 for dead` })
      await cluster.settle({ withinMs: 60_000 })
      const wrong = accusations(cluster, 0).filter((accusation) => !accusation.endsWith(' m-5'))
      assert.deepEqual(wrong, [])
    })
  })
})

describe('a change of tags while everybody stands still, as on a machine that sleeps', () => {
  const name = 'is told when they go on: its limit has not passed meanwhile'
  it(name, async () => {
    await forEachSeed({ file: import.meta.url, test: name }, 10, {}, async (cluster) => {
      await quiet(cluster, 5)
      const names = Array.from({ length: 5 }, (_, at) => `m-${at + 1}`)
      const told = cluster.member(STALLED).setTags({ role: 'log' })
      for (const member of names) cluster.pause(member)
      await cluster.run(5_500) // the limit is 5 s
      for (const member of names) cluster.resume(member)
      await cluster.simulation.finish(told)
    })
  })
})

describe('members that stand still again and again', () => {
  const name = 'ML-37: stalls that follow each other at once, of one member and then of another, accuse nobody'
  it(name, async () => {
    await forEachSeed({ file: import.meta.url, test: name }, 20, {}, async (cluster) => {
      await quiet(cluster, 5)
      const { now } = cluster
      const random = cluster.simulation.random('stalls')
      for (let stall = 0; stall < 30; stall++) {
        await untilItProbes(cluster)
        cluster.pause(STALLED)
        await cluster.run(random.below(3_000))
        cluster.resume(STALLED)
        await cluster.run(random.below(3)) // no time at all, or a moment
      }
      await cluster.run(20_000)
      await cluster.settle({ withinMs: 60_000 })
      assert.deepEqual(accusations(cluster, now), [])
    })
  })
})
