// One name, two addresses: a member that comes back elsewhere while the others still hold its old address, and an impostor. Who is
// refused hears of it, by whom; a rescheduled one gets in by itself once the name is free (docs/decisions/0002-reclaiming-a-dead-name.md).
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Membership } from '../../src/membership.ts'
import type { Cluster } from '../../src/sim/cluster.ts'
import { PROFILES } from '../../src/swim/options.ts'
import { allKnowWithinMs } from './support/bounds.ts'
import { forEachSeed } from './support/seeds.ts'
import { inSeconds, spreadOf } from './support/timing.ts'

const SIZE = 5
const NAME = 'm-3'
const OLD = '10.0.0.3:7946'
const NEW = '10.0.9.9:7946'
/** An invariant is that everybody is where its name is: here one name has two addresses, and that is what is played. */
const UNCHECKED = { checks: false } as const
const FIRST = '10.0.0.1:7946'

interface Told {
  readonly type: string
  readonly code?: string
  readonly message?: string
  readonly address?: string
  readonly claimedBy?: string
}

/** A second member of that name on a machine of its own, and what it is told. */
async function enter(
  cluster: Cluster,
  seed = FIRST,
): Promise<{ readonly newcomer: Membership; readonly told: Told[] }> {
  const host = cluster.simulation.host(cluster.simulation.station('elsewhere', '10.0.9.9'))
  const newcomer = new Membership({ name: NAME, bind: NEW, host, tags: { home: 'new' } })
  const told: Told[] = []
  newcomer.on('warning', (event) => told.push(event))
  newcomer.on('conflict', (event) => told.push(event))
  const { joined } = await cluster.finish(newcomer.join([seed]))
  assert.deepEqual(joined, [seed])
  return { newcomer, told }
}

const others = (cluster: Cluster): readonly string[] => cluster.names.filter((name) => name !== NAME)

const isIn = (cluster: Cluster): boolean =>
  others(cluster).every((observer) => {
    const member = cluster.member(observer).member(NAME)
    return member?.state === 'alive' && member.address === NEW && member.tags.home === 'new'
  })

/** A name is free everywhere once everyone has known of the death for `reclaimAfterMs`. Then an exchange of the newcomer brings it
 *  to one member, and gossip to all; where it was in with a few before that, theirs or its next one does. */
function inWithinMs(detectionMs: number): number {
  const { reclaimAfterMs, pushPullIntervalMs, gossipIntervalMs } = PROFILES.lan
  return detectionMs + reclaimAfterMs + 2 * pushPullIntervalMs + 10 * gossipIntervalMs
}

function assertRefused(told: readonly Told[], state: string, by: string): void {
  const refused = told.find(({ code }) => code === 'name-refused')
  assert.match(
    refused?.message ?? '',
    new RegExp(`^${NAME}, our name, is held for ${OLD}, which is ${state}, by ${by}`),
  )
  const conflict = told.find(({ type }) => type === 'conflict')
  assert.deepEqual([conflict?.address, conflict?.claimedBy], [NEW, OLD])
}

describe('a member that was killed and comes back at another address', () => {
  const atOnce = 'while the others hold it alive is told who refuses it, and is in by itself once the name is free'
  it(atOnce, async () => {
    const waits: number[] = []
    await forEachSeed({ file: import.meta.url, test: atOnce }, 20, UNCHECKED, async (cluster) => {
      await cluster.start(SIZE)
      await cluster.settle()
      cluster.crash(NAME)
      const killedAt = cluster.now
      const { newcomer, told } = await enter(cluster)
      assertRefused(told, 'alive', FIRST)
      assert.equal(isIn(cluster), false)
      await cluster.run(5_000)
      assert.equal(isIn(cluster), false, 'the old one is not even judged')
      const withinMs = inWithinMs(allKnowWithinMs(SIZE))
      await cluster.until(() => isIn(cluster), { withinMs, everyMs: 50, what: `${NAME} is in from ${NEW}` })
      waits.push(cluster.now - killedAt)
      await cluster.run(2 * PROFILES.lan.pushPullIntervalMs)
      assert.equal(isIn(cluster), true, 'and stays in')
      await cluster.finish(newcomer.close())
    })
    console.log(`killed to in everywhere, p50 / p99 / max: ${inSeconds(spreadOf(waits))} s`)
  })

  const dead = 'while the others hold it dead is refused as well, and is in once they have for reclaimAfterMs'
  it(dead, async () => {
    await forEachSeed({ file: import.meta.url, test: dead }, 10, UNCHECKED, async (cluster) => {
      await cluster.start(SIZE)
      await cluster.settle()
      cluster.crash(NAME)
      await cluster.until(
        () => others(cluster).every((observer) => cluster.member(observer).member(NAME)?.state === 'dead'),
        { withinMs: allKnowWithinMs(SIZE), what: `${NAME} is dead` },
      )
      const deadAt = cluster.now
      const { newcomer, told } = await enter(cluster)
      assertRefused(told, 'dead', FIRST)
      await cluster.until(() => isIn(cluster), { withinMs: inWithinMs(0), everyMs: 50, what: `${NAME} is in` })
      // The first to know may be a few seconds ahead of the last.
      assert.ok(cluster.now - deadAt > PROFILES.lan.reclaimAfterMs - 5_000, `${cluster.now - deadAt} ms`)
      await cluster.finish(newcomer.close())
    })
  })

  const left = 'after a goodbye is in at once'
  it(left, async () => {
    await forEachSeed({ file: import.meta.url, test: left }, 10, UNCHECKED, async (cluster) => {
      await cluster.start(SIZE)
      await cluster.settle()
      await cluster.leave(NAME)
      const { newcomer, told } = await enter(cluster)
      await cluster.until(() => isIn(cluster), { withinMs: 5_000, what: `${NAME} is in` })
      assert.deepEqual(told, [])
      await cluster.finish(newcomer.close())
    })
  })
})

describe('an impostor', () => {
  for (const [through, seed, word] of [
    ['a third member', FIRST, 'the others'],
    ['the holder itself', OLD, 'the holder'],
  ] as const) {
    const test = `that joins through ${through} changes nothing, hears that it is refused, and ${word} hear${seed === OLD ? 's' : ''} of the conflict`
    it(test, async () => {
      await forEachSeed({ file: import.meta.url, test }, 10, UNCHECKED, async (cluster) => {
        await cluster.start(SIZE)
        await cluster.settle()
        const conflicts: Told[] = []
        const warnings: string[] = []
        cluster.member(NAME).on('conflict', (event) => conflicts.push(event))
        cluster.member(NAME).on('warning', ({ code }) => warnings.push(code))
        const { newcomer, told } = await enter(cluster, seed)
        assertRefused(told, 'alive', seed)
        await cluster.run(3 * PROFILES.lan.pushPullIntervalMs)
        for (const observer of cluster.names) {
          const member = cluster.member(observer).member(NAME)
          assert.deepEqual([member?.state, member?.address], ['alive', OLD], observer)
        }
        const accused = cluster.events.filter(({ type }) => type === 'member-suspect' || type === 'member-dead')
        assert.deepEqual(accused, [])
        const heard = cluster.events.filter(({ type, about }) => type === 'conflict' && about === NAME)
        assert.ok(heard.some(({ observer }) => (observer === NAME) === (seed === OLD)))
        assert.ok(!warnings.includes('name-refused'), 'nobody refuses the holder')
        for (const { address, claimedBy } of conflicts) assert.deepEqual([address, claimedBy], [OLD, NEW])
        await cluster.finish(newcomer.close())
      })
    })
  }
})
