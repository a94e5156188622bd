// A cluster with `checks` runs as one without, and ends where one of its members, a real one, is made to lie.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Membership } from '../../../src/membership.ts'
import { ClusterChecks } from '../../../src/sim/checks.ts'
import { Cluster } from '../../../src/sim/cluster.ts'
import { InvariantError, type InvariantName, invariantErrorIn } from '../../../src/sim/invariants.ts'
import { Simulation, SimulationError } from '../../../src/sim/simulation.ts'

async function settled(checks: boolean, options = {}): Promise<Cluster> {
  const cluster = new Cluster({ seed: 3, checks, options })
  await cluster.start(3)
  await cluster.settle()
  return cluster
}

/** Makes a member say something else than it holds, from now on. */
function corrupt(
  cluster: Cluster,
  name: string,
  what: 'members' | 'stats' | 'health',
  say: (truth: never) => unknown,
): void {
  const member = cluster.member(name)
  const truth = (): unknown => {
    const own = Reflect.get(Object.getPrototypeOf(member), what, member)
    return typeof own === 'function' ? own.call(member) : own
  }
  const lie = (): unknown => say(truth() as never)
  if (what === 'health') Object.defineProperty(member, what, { get: lie })
  else Object.defineProperty(member, what, { value: lie })
}

async function ends(cluster: Cluster, invariant: InvariantName, observer = 'm-2'): Promise<void> {
  await assert.rejects(cluster.run(5_000), (error) => {
    const found = invariantErrorIn(error)
    return found instanceof InvariantError && found.invariant === invariant && found.observer === observer
  })
}

interface Row {
  readonly name: string
  readonly incarnation: number
  readonly state: string
}

describe('sim/checks.ts', () => {
  it('a run with checks is the run without, line by line, through a crash, a leave and a return', async () => {
    const [one, other] = await Promise.all(
      [true, false].map(async (checks) => {
        const cluster = await settled(checks)
        cluster.crash('m-3')
        await cluster.run(30_000)
        await cluster.restart('m-3')
        await cluster.leave('m-2')
        await cluster.restart('m-2')
        await cluster.settle()
        await cluster.close()
        return cluster.transcript
      }),
    )
    assert.ok(one?.includes('member-dead m-3') && one.includes('member-left m-2'))
    assert.equal(one, other)
  })

  const lies: readonly [string, InvariantName, (rows: readonly Row[]) => readonly Row[]][] = [
    ['an older incarnation', 'incarnation-never-falls', lower],
    [
      'another state than it told',
      'events-match-members',
      (rows) => rows.map((row) => (row.name === 'm-3' ? { ...row, state: 'suspect' } : row)),
    ],
    [
      'its own death',
      'self-is-alive',
      (rows) => rows.map((row) => (row.name === 'm-2' ? { ...row, state: 'dead' } : row)),
    ],
    [
      'a member that never was',
      'members-are-where-they-are',
      (rows) => [...rows, { ...(rows[0] as Row), name: 'm-9' }],
    ],
  ]
  for (const [what, invariant, say] of lies) {
    it(`${invariant}: a real member that shows ${what} ends the run`, async () => {
      const cluster = await settled(true)
      await cluster.finish(cluster.member('m-3').setTags({ role: 'new' }))
      await cluster.run(2_000)
      corrupt(cluster, 'm-2', 'members', (rows) => say(rows))
      await ends(cluster, invariant)
    })
  }

  it('lamport-never-falls: a real member whose clock falls ends the run', async () => {
    const cluster = await settled(true)
    corrupt(cluster, 'm-2', 'stats', (stats: { ltimes: object }) => ({
      ...stats,
      ltimes: { members: 0, events: 0, queries: 0 },
    }))
    await ends(cluster, 'lamport-never-falls')
  })

  it('queues-within-bounds: a real member that holds too much ends the run', async () => {
    const cluster = await settled(true)
    corrupt(cluster, 'm-2', 'stats', (stats: { queues: object }) => ({
      ...stats,
      queues: { ...stats.queues, claims: 4 },
    }))
    await ends(cluster, 'queues-within-bounds')
  })

  it('health-within-bounds: a real member in impossible health ends the run', async () => {
    const cluster = await settled(true)
    corrupt(cluster, 'm-2', 'health', () => 8)
    await ends(cluster, 'health-within-bounds')
  })

  it('told-once: a real member that tells an event again ends the run', async () => {
    const cluster = await settled(true)
    let told: unknown
    cluster.member('m-2').once('user-event', (event) => {
      told = event
    })
    cluster.member('m-1').sendEvent('deploy', 'x')
    await cluster.run(2_000)
    cluster.member('m-2').emit('user-event', told as never)
    await ends(cluster, 'told-once')
  })

  const endings: readonly [string, (cluster: Cluster) => void | Promise<void>][] = [
    ['crash', (cluster) => cluster.crash('m-2')],
    ['leave', (cluster) => cluster.leave('m-2')],
    ['close', (cluster) => cluster.close()],
  ]
  for (const [verb, end] of endings) {
    it(`a lie told outside of a step is not lost where a ${verb} comes first`, async () => {
      const cluster = await settled(true)
      let told: unknown
      cluster.member('m-2').once('user-event', (event) => {
        told = event
      })
      cluster.member('m-1').sendEvent('deploy', 'x')
      await cluster.run(2_000)
      cluster.member('m-2').emit('user-event', told as never)
      await assert.rejects(
        async () => end(cluster),
        (error) => error instanceof SimulationError && invariantErrorIn(error)?.invariant === 'told-once',
      )
      await cluster.close()
    })
  }

  it('packets-within-budget: a real member whose packets are longer than it said ends the run', async () => {
    const simulation = new Simulation({ seed: 3 })
    const checks = new ClusterChecks()
    const members = [800, 1400].map((maxPacketBytes, at) => {
      const [name, bind] = [`m-${at + 1}`, `10.0.0.${at + 1}:7946`]
      const life = checks.life(name, bind, simulation.host(simulation.station(name, `10.0.0.${at + 1}`)), {
        maxPacketBytes,
      })
      const tags = { role: 'x'.repeat(400) }
      const member = new Membership({ name, bind, tags, host: life.host, maxPacketBytes: 1400, compression: false })
      life.watch(member)
      for (const type of ['member-join', 'member-update'] as const) member.on(type, (event) => life.told(event))
      return member
    }) as [Membership, Membership]
    await simulation.finish(members[0].start())
    await simulation.finish(members[1].join(['10.0.0.1:7946']))
    // Each of the two fits, and both together fit what it keeps to.
    void members[0].setTags({ role: 'y'.repeat(400) })
    members[0].sendEvent('deploy', 'z'.repeat(400))
    await assert.rejects(simulation.run(10_000), (error) => {
      const found = invariantErrorIn(error)
      return found?.invariant === 'packets-within-budget' && found.observer === 'm-1'
    })
  })
})

function lower(rows: readonly Row[]): readonly Row[] {
  return rows.map((row) => (row.name === 'm-3' ? { ...row, incarnation: row.incarnation - 1 } : row))
}
