// Going: with a goodbye, without one, and coming back.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Cluster, ClusterEvent } from '../../src/sim/cluster.ts'
import { allKnowWithinMs } from './support/bounds.ts'
import { forEachSeed } from './support/seeds.ts'

const everywhere = (cluster: Cluster, name: string, state: string): boolean =>
  cluster.names.every((observer) => observer === name || cluster.member(observer).member(name)?.state === state)

const about = (cluster: Cluster, name: string, ...types: ClusterEvent['type'][]): ClusterEvent[] =>
  cluster.events.filter((event) => event.about === name && types.includes(event.type))

describe('a graceful leave', () => {
  const test = 'is left everywhere, announced as leaving first, and never suspected or dead'
  it(test, async () => {
    await forEachSeed({ file: import.meta.url, test }, 20, {}, async (cluster) => {
      await cluster.start(12)
      await cluster.settle()
      await cluster.leave('m-5')
      assert.equal(cluster.member('m-5').status, 'closed')
      await cluster.until(() => everywhere(cluster, 'm-5', 'left'), { withinMs: 2_000, what: 'm-5 is left everywhere' })
      // Long enough for a suspicion to have become a verdict.
      await cluster.run(30_000)
      assert.deepEqual(about(cluster, 'm-5', 'member-suspect', 'member-dead'), [])
      const told = about(cluster, 'm-5', 'member-leaving', 'member-left')
      for (const observer of cluster.names) {
        const types = told.filter((event) => event.observer === observer).map(({ type }) => type)
        assert.deepEqual(types, ['member-leaving', 'member-left'], observer)
      }
      assert.equal(everywhere(cluster, 'm-5', 'left'), true)
      await cluster.settle()
    })
  })

  const crossed = 'is announced and then complete also where an exchange falls into it'
  it(crossed, async () => {
    // Of two members with the profile for one machine: in every twentieth seed or so an exchange crosses the leave.
    const options = { options: { profile: 'local' } } as const
    await forEachSeed({ file: import.meta.url, test: crossed }, 300, options, async (cluster) => {
      await cluster.start(2)
      await cluster.settle()
      await cluster.leave('m-2')
      await cluster.until(() => everywhere(cluster, 'm-2', 'left'), { withinMs: 2_000, what: 'm-2 is left' })
      const types = about(cluster, 'm-2', 'member-leaving', 'member-left', 'member-dead').map(({ type }) => type)
      assert.deepEqual(types, ['member-leaving', 'member-left'])
    })
  })

  it('of all at once leaves nobody behind', async () => {
    await forEachSeed({ file: import.meta.url, test: 'of all at once' }, 5, {}, async (cluster) => {
      await cluster.start(6)
      await cluster.settle()
      const { names } = cluster
      await cluster.finish(Promise.all(names.map((name) => cluster.member(name).leave())))
      assert.deepEqual(
        names.map((name) => cluster.member(name).status),
        names.map(() => 'closed'),
      )
      assert.deepEqual(
        cluster.events.filter(({ type }) => type === 'member-dead'),
        [],
      )
    })
  })

  it('of the only member is done at once', async () => {
    await forEachSeed({ file: import.meta.url, test: 'of the only member' }, 1, {}, async (cluster) => {
      await cluster.start(1)
      const before = cluster.now
      await cluster.leave('m-1')
      assert.ok(cluster.now - before < 1_500, `${cluster.now - before} ms`)
    })
  })
})

describe('a crash', () => {
  const test = 'followed by a return under the same name is alive everywhere with a higher incarnation'
  it(test, async () => {
    await forEachSeed({ file: import.meta.url, test }, 10, {}, async (cluster) => {
      await cluster.start(10)
      await cluster.settle()
      cluster.crash('m-4')
      await cluster.until(() => everywhere(cluster, 'm-4', 'dead'), {
        withinMs: allKnowWithinMs(10),
        what: 'm-4 is dead',
      })
      const dead = cluster.member('m-1').member('m-4')
      await cluster.restart('m-4')
      await cluster.settle({ withinMs: 5_000 })
      const back = cluster.member('m-1').member('m-4')
      assert.ok((back?.incarnation ?? 0) > (dead?.incarnation ?? 0))
      assert.ok(about(cluster, 'm-4', 'member-join').length >= 18, 'a return is told as a join')
    })
  })

  it('and a return before anybody noticed ends alive everywhere', async () => {
    await forEachSeed({ file: import.meta.url, test: 'before anybody noticed' }, 10, {}, async (cluster) => {
      await cluster.start(10)
      await cluster.settle()
      cluster.crash('m-4')
      await cluster.run(300)
      await cluster.restart('m-4')
      await cluster.run(30_000)
      await cluster.settle()
      assert.deepEqual(about(cluster, 'm-4', 'member-dead'), [])
    })
  })

  it('of a machine that is unplugged is found out as one of a process is', async () => {
    await forEachSeed({ file: import.meta.url, test: 'of a machine that is unplugged' }, 10, {}, async (cluster) => {
      await cluster.start(10)
      await cluster.settle()
      cluster.crash('m-1', { how: 'unplugged' })
      await cluster.until(() => everywhere(cluster, 'm-1', 'dead'), {
        withinMs: allKnowWithinMs(10),
        what: 'm-1 is dead',
      })
      assert.deepEqual(
        new Set(cluster.events.filter(({ type }) => type === 'member-dead').map((event) => event.about)),
        new Set(['m-1']),
      )
    })
  })
})
