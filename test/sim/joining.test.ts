// Seeds that are asked again: what brings the halves of a cluster together without Serf's reconnector, which is off here.
// And members that come back at once under their name and address: nobody says that they left.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Cluster } from '../../src/sim/cluster.ts'
import { forEachSeed } from './support/seeds.ts'

const ALONE = { reconnectIntervalMs: 0 } as const
/** Every stream that is dialled is a join. News is told twice as often, since no exchange makes up for what gossip misses: else one in
 *  four of these clusters is left with a member that has not heard of all when it becomes one again. */
const QUIET = { ...ALONE, pushPullIntervalMs: 0, retransmitMult: 8 } as const
const LEFT = ['m-1', 'm-2', 'm-3']
const RIGHT = ['m-4', 'm-5', 'm-6']

/** Longer than the dead are told of the living (30 s), after the longest suspicion of six (24 s). */
const CUT_MS = 120_000

/** The longest pause with no seed in view, 60 s and a half, then one attempt: an exchange that began while the halves were still cut
 *  may hold it up for its 10 s; and the news travels. */
const HEALED_WITHIN_MS = 90_000 + 10_000 + 10_000

const states = (cluster: Cluster, observer: string, names: readonly string[]): string =>
  [...new Set(names.map((name) => cluster.member(observer).member(name)?.state))].join()

const dials = (cluster: Cluster): number =>
  cluster.names.reduce((sum, name) => sum + cluster.host(name).station.traffic.streams.dialled, 0)

async function split(cluster: Cluster, cutMs: number): Promise<void> {
  await cluster.start(6)
  await cluster.settle()
  cluster.partition([LEFT, RIGHT])
  await cluster.run(cutMs)
  for (const name of LEFT) assert.equal(states(cluster, name, RIGHT), 'dead')
  for (const name of RIGHT) assert.equal(states(cluster, name, LEFT), 'dead')
}

describe('a cluster that was cut in half', () => {
  const healed = 'becomes one again by its seeds alone within 110 s, though both halves are never empty'
  it(healed, async () => {
    await forEachSeed({ file: import.meta.url, test: healed }, 20, { options: ALONE }, async (cluster) => {
      await split(cluster, CUT_MS)
      const warnings = cluster.events.filter(({ type, atMs }) => type === 'warning' && atMs > CUT_MS / 2)
      assert.deepEqual(warnings, [], 'among others it is no trouble that seeds do not answer')
      cluster.heal()
      await cluster.settle({ withinMs: HEALED_WITHIN_MS })
    })
  })

  const cheap = 'asks the seeds it has lost about once a minute each, and nobody once it is whole'
  it(cheap, async () => {
    await forEachSeed({ file: import.meta.url, test: cheap }, 3, { options: QUIET }, async (cluster) => {
      await split(cluster, CUT_MS)
      const before = dials(cluster)
      await cluster.run(1_800_000)
      const perMinute = (dials(cluster) - before) / 30 / RIGHT.length
      assert.ok(perMinute > 0.6 && perMinute < 1.5, `${perMinute} a minute a member`)
      cluster.heal()
      await cluster.settle({ withinMs: HEALED_WITHIN_MS })
      await cluster.run(60_000)
      const whole = dials(cluster)
      await cluster.run(1_800_000)
      assert.equal(dials(cluster), whole)
    })
  })
})

describe('a member that is killed and starts again at once, under one name and address', () => {
  const silent = 'is neither left nor joined for the others; changed tags are one update'
  it(silent, async () => {
    const options = (name: string): object => (name === 'm-3' ? { tags: { life: String(lives) } } : {})
    let lives = 1
    await forEachSeed({ file: import.meta.url, test: silent }, 10, { options }, async (cluster) => {
      lives = 1
      await cluster.start(5)
      await cluster.settle()
      const from = cluster.now
      cluster.crash('m-3')
      lives = 2
      await cluster.restart('m-3')
      await cluster.settle()
      await cluster.run(30_000)
      for (const name of cluster.names.filter((other) => other !== 'm-3')) {
        assert.deepEqual(cluster.member(name).member('m-3')?.tags, { life: '2' })
      }
      const told = cluster.events.filter(({ about, atMs }) => about === 'm-3' && atMs >= from)
      for (const name of cluster.names.filter((other) => other !== 'm-3')) {
        const types = told.filter(({ observer }) => observer === name).map(({ type }) => type)
        assert.deepEqual(types, ['member-update'], name)
      }
    })
  })
})
