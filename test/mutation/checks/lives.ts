// Lives that end and begin: goodbyes, restarts with and without what was written down, names that move; and what is told once (Serf).
import assert from 'node:assert/strict'
import { Membership } from '../../../src/membership.ts'
import { Cluster } from '../../../src/sim/cluster.ts'
import {
  assertNone,
  assertNoneTold,
  beside,
  type Check,
  exceptOf,
  hold,
  onCluster,
  othersThan,
  THREE,
  told,
} from '../check.ts'

const LEAVER = 'm-3'

const goodbye: Check = {
  name: 'ML-61: who leaves has left, at once and for everybody, and is accused by nobody',
  seeds: THREE,
  play: (seed) =>
    onCluster(12, { seed, options: { pushPullIntervalMs: 0 } }, async (cluster) => {
      const { now } = cluster
      const others = othersThan(cluster, LEAVER)
      await cluster.leave(LEAVER)
      await cluster.until(() => hold(cluster, others, LEAVER, ({ state }) => state === 'left'), {
        withinMs: 1_000,
        what: `all know that ${LEAVER} has left`,
      })
      await cluster.run(30_000)
      assertNoneTold(cluster, ['member-suspect', 'member-dead', 'member-recover', 'member-join'], 'no more', now)
      assert.equal(told(cluster, ['member-left'], now).length, 11, 'each is told it once')
    }),
}

const listedGoodbye: Check = {
  name: 'who hears of a goodbye in an exchange alone takes it for one',
  seeds: THREE,
  play: (seed) => {
    const options = exceptOf('m-5', { probeIntervalMs: 600_000, pushPullIntervalMs: 2_000 })
    return onCluster(5, { seed, options }, async (cluster) => {
      const { now } = cluster
      for (const name of othersThan(cluster, 'm-5')) cluster.cut('m-5', name, { kind: 'packets' })
      await cluster.leave(LEAVER)
      await cluster.until(() => hold(cluster, ['m-5'], LEAVER, ({ state }) => state === 'left'), {
        withinMs: 6_000,
        what: 'm-5 has heard of it',
      })
      assertNoneTold(cluster, ['member-suspect', 'member-dead'], 'nobody is accused', now)
    })
  },
}

const moved: Check = {
  name: 'who has left may come back elsewhere at once, under its name',
  seeds: THREE,
  play: (seed) =>
    onCluster(5, { seed }, async (cluster) => {
      const others = othersThan(cluster, LEAVER)
      await cluster.leave(LEAVER)
      const host = cluster.simulation.host(cluster.simulation.station('elsewhere', '10.0.9.9'))
      const newcomer = new Membership({ name: LEAVER, bind: '10.0.9.9:7946', host })
      await cluster.finish(newcomer.join(['10.0.0.1:7946']))
      const isThere = (): boolean =>
        hold(cluster, others, LEAVER, ({ state, host: at }) => state === 'alive' && at === '10.0.9.9')
      await cluster.until(isThere, { withinMs: 5_000, what: 'all know it at its new address' })
      await newcomer.close()
    }),
}

const namesake: Check = {
  name: 'ML-25: whoever answers at the address of a dead member does not keep it alive',
  seeds: THREE,
  play: (seed) =>
    onCluster(5, { seed }, async (cluster) => {
      const others = othersThan(cluster, LEAVER)
      cluster.crash(LEAVER)
      const { station } = cluster.host(LEAVER)
      const stranger = new Membership({
        name: 'stranger',
        bind: '10.0.0.3:7946',
        host: cluster.simulation.host(station),
      })
      await cluster.finish(stranger.start())
      await cluster.until(() => hold(cluster, others, LEAVER, ({ state }) => state === 'dead'), {
        withinMs: 40_000,
        what: `all know that ${LEAVER} is dead`,
      })
      await stranger.close()
    }),
}

const fromDisk: Check = {
  name: 'who comes back with its snapshot begins above all that its old life said, and nobody has to tell it',
  seeds: THREE,
  play: (seed) =>
    onCluster(5, { seed, options: { snapshotPath: '/var/lib/snapshot' } }, async (cluster) => {
      for (let change = 0; change < 5; change++) {
        await cluster.finish(cluster.member(LEAVER).setTags({ change: String(change) }))
      }
      await cluster.run(2_000)
      const before = cluster.member(LEAVER).local.incarnation
      cluster.crash(LEAVER)
      // Nobody has told it anything yet: with a join it would have denied what it heard.
      await cluster.restart(LEAVER, { joins: false })
      const after = cluster.member(LEAVER).local.incarnation
      assert.ok(after > before, `${before} before, ${after} after`)
      const joined = cluster.finish(
        cluster
          .member(LEAVER)
          .join(['10.0.0.1:7946'])
          .then(() => {}),
      )
      await beside('it cannot join', joined)
      await cluster.settle({ withinMs: 5_000 })
      assert.equal(cluster.member(LEAVER).local.incarnation, after, 'it had to deny nothing')
      assert.equal(cluster.member(LEAVER).health, 0, 'and so it counts nothing against itself')
    }),
}

const withoutDisk: Check = {
  name: 'who comes back without anything is heard with its new tags, though its old life had a higher number',
  seeds: THREE,
  play: async (seed) => {
    let role = 'old'
    await onCluster(5, { seed, options: () => ({ tags: { role } }) }, async (cluster) => {
      for (let change = 0; change < 5; change++) {
        await cluster.finish(cluster.member(LEAVER).setTags({ role, change: String(change) }))
      }
      await cluster.run(2_000)
      cluster.crash(LEAVER)
      role = 'new'
      await cluster.restart(LEAVER)
      assert.equal(cluster.member(LEAVER).local.rawTags.role, 'new', 'it knows best what it is')
      await cluster.until(() => hold(cluster, cluster.names, LEAVER, ({ rawTags }) => rawTags.role === 'new'), {
        withinMs: 5_000,
        what: 'all know its new tags',
      })
      await cluster.run(30_000)
      assertNoneTold(cluster, ['member-dead'], 'nobody is declared dead')
    })
  },
}

const once: Check = {
  name: 'an event is delivered once to each, also to who comes back with its snapshot',
  seeds: THREE,
  play: (seed) =>
    onCluster(
      6,
      { seed, options: { snapshotPath: '/var/lib/snapshot', pushPullIntervalMs: 2_000 } },
      async (cluster) => {
        for (const name of ['one', 'two', 'three']) {
          cluster.member('m-2').sendEvent(name, 'x')
          await cluster.run(300)
        }
        await cluster.run(10_000)
        cluster.crash(LEAVER)
        await cluster.restart(LEAVER)
        await cluster.run(10_000)
        const counts = new Map<string, number>()
        for (const { observer, about } of told(cluster, ['user-event'])) {
          counts.set(`${observer} ${about}`, (counts.get(`${observer} ${about}`) ?? 0) + 1)
        }
        assert.equal(counts.size, 18, 'all three reach all six')
        assertNone(
          [...counts].filter(([, count]) => count !== 1).map(([what]) => what),
          'told more than once',
        )
      },
    ),
}

const causal: Check = {
  name: 'what is sent after another was heard has a later Lamport time',
  seeds: THREE,
  play: (seed) =>
    onCluster(4, { seed }, async (cluster) => {
      const times = new Map<string, number>()
      for (const name of cluster.names)
        cluster.member(name).on('user-event', (event) => times.set(event.name, event.ltime))
      const told: string[] = []
      for (const [round, name] of ['m-1', 'm-1', 'm-1', 'm-2', 'm-3', 'm-2', 'm-4'].entries()) {
        cluster.member(name).sendEvent(`round-${round}`)
        told.push(`round-${round}`)
        await cluster.run(3_000)
      }
      const inOrder = told.map((name) => times.get(name) ?? 0)
      assert.deepEqual(
        inOrder,
        inOrder.toSorted((one, other) => one - other),
        'in the order of sending',
      )
      assert.equal(new Set(inOrder).size, inOrder.length, 'each at a time of its own')
    }),
}

const forced: Check = {
  name: 'who is said to leave and does not says so once, and all agree',
  seeds: THREE,
  play: (seed) =>
    onCluster(6, { seed, options: { pushPullIntervalMs: 2_000 } }, async (cluster) => {
      const { now } = cluster
      await cluster.finish(cluster.member('m-1').forceLeave(LEAVER))
      await cluster.run(20_000)
      await cluster.settle({ withinMs: 0 })
      const flaps = othersThan(cluster, LEAVER).filter(
        (name) => told(cluster, ['member-leaving'], now).filter(({ observer }) => observer === name).length > 1,
      )
      assertNone(flaps, 'heard of it more than once')
    }),
}

const lateGoodbye: Check = {
  name: 'a leave that is older than the return of its member undoes nothing',
  seeds: THREE,
  play: async (seed) => {
    const cluster = new Cluster({
      seed,
      transcript: 'off',
      options: { pushPullIntervalMs: 4_000, leavePropagateDelayMs: 0 },
    })
    await beside('the cluster does not start', cluster.start(6))
    await beside('the cluster does not come to agree', cluster.settle())
    await cluster.run(5_000)
    // What goes to m-6 by packet takes so long that the goodbye comes after the return.
    const links = cluster.simulation.network.links
    const slow = links.addRule(({ from, to, carries }) =>
      to === 'm-6' && from === LEAVER && carries === 'packet' ? { delayMs: 2_500 } : 'pass',
    )
    await cluster.leave(LEAVER)
    await cluster.restart(LEAVER)
    await cluster.run(2_000)
    slow()
    await cluster.run(20_000)
    await cluster.settle({ withinMs: 0 })
    await beside('the cluster does not close', cluster.close())
  },
}

const halves: Check = {
  name: 'two halves that held each other for dead for ten minutes are one cluster within a minute of healing, by themselves',
  seeds: THREE,
  play: (seed) =>
    onCluster(7, { seed }, async (cluster) => {
      await cluster.leave('m-1') // the seed of all of them: it helps nobody to find the others
      const { names } = cluster
      cluster.partition([names.slice(0, 3), names.slice(3)])
      await cluster.run(600_000)
      assert.ok(
        hold(cluster, names.slice(0, 3), 'm-6', ({ state }) => state === 'dead'),
        'the others are dead',
      )
      cluster.heal()
      await cluster.settle({ withinMs: 60_000 })
    }),
}

const asked: Check = {
  name: 'a query is delivered once to each, and answered by whoever hears it',
  seeds: THREE,
  play: (seed) =>
    onCluster(6, { seed }, async (cluster) => {
      const { now } = cluster
      for (const name of cluster.names) cluster.member(name).on('query', (query) => query.respond(name))
      const asking = cluster.member('m-2').query('who', 'x', { ack: true, timeoutMs: 5_000 })
      const answers = await cluster.finish(asking.collect())
      const deliveries = told(cluster, ['query'], now)
      assert.equal(new Set(deliveries.map(({ observer }) => observer)).size, deliveries.length, 'each is asked once')
      // Gossip may pass one by, and nothing else tells of queries.
      assert.ok(deliveries.length >= 5, `${deliveries.length} of 6 are asked`)
      assert.equal(answers.length, deliveries.length, 'all of them answer')
    }),
}

export const LIVES = {
  goodbye,
  listedGoodbye,
  moved,
  namesake,
  fromDisk,
  withoutDisk,
  once,
  causal,
  forced,
  lateGoodbye,
  halves,
  asked,
} as const satisfies Record<string, Check>
