import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ASK_MS, OVERDUE_MS } from '../../../src/serf/overdue.ts'
import { alive, goodbye, joinIntent, leaveIntent, Mesh, type Station, serfStateOf, suspect } from './support.ts'

describe('a member that left and announced that it joins', () => {
  const told = (mesh: Mesh, us: Station): readonly [readonly string[], number] => {
    const { leftMembers, statusLtimes } = serfStateOf(mesh.exchange(us, {}))
    return [leftMembers, Number(statusLtimes.get('ghost-2'))]
  }

  it('and does not come has left at the time of that join, a minute later: who holds it for dead since can believe it', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 7))
    mesh.feed(us, goodbye(2))
    mesh.tell(us, joinIntent('ghost-2', 9))
    mesh.run(OVERDUE_MS - 1)
    assert.deepEqual(told(mesh, us), [['ghost-2'], 7])
    // Each further one gives it as long again.
    mesh.tell(us, joinIntent('ghost-2', 11))
    mesh.run(OVERDUE_MS - 1)
    assert.deepEqual(told(mesh, us), [['ghost-2'], 7])
    mesh.run(1)
    assert.deepEqual(told(mesh, us), [['ghost-2'], 11])
    assert.equal(us.stateOf('ghost-2'), 'left')
  })

  it('and comes is alive, whatever else was announced', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 7))
    mesh.feed(us, goodbye(2))
    mesh.tell(us, joinIntent('ghost-2', 9))
    mesh.feed(us, alive(2, 3))
    mesh.run(OVERDUE_MS)
    assert.deepEqual(told(mesh, us), [[], 9])
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })

  it('has left at the time at which others in an exchange say that it joined, if they alone do', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 7))
    mesh.feed(us, goodbye(2))
    mesh.exchange(us, { ltime: 10, statusLtimes: { 'ghost-2': 9 } })
    assert.deepEqual(told(mesh, us), [['ghost-2'], 9])
  })
})

describe('a member that announced a leave', () => {
  it('and does not go is asked, it alone; what it denies it has denied for all', () => {
    const mesh = new Mesh()
    const stations = [1, 2, 3, 4].map((number) => mesh.add(`m-${number}`, number))
    for (const station of stations.slice(1)) mesh.join(station, stations[0] as Station)
    mesh.run(10_000)
    const [first, , , accused] = stations as [Station, Station, Station, Station]
    // The gossip of it passes the accused by.
    mesh.silent.add('m-4')
    const others = stations.slice(0, 3)
    for (const station of others) mesh.tell(station, leaveIntent('m-4', 100))
    mesh.run(400)
    mesh.silent.delete('m-4')
    assert.equal(first.stateOf('m-4'), 'leaving')
    mesh.run(ASK_MS + 2000)
    for (const station of stations) assert.equal(station.stateOf('m-4'), 'alive', station.serf.local.name)
    assert.equal(accused.serf.local.state, 'alive')
  })

  it('and does not answer is alive again a minute later: told once, at that time', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    mesh.run(OVERDUE_MS - 1)
    assert.deepEqual(us.toldInShort(), ['member-leaving ghost-2'])
    mesh.run(1)
    assert.deepEqual(us.toldInShort(), ['member-recover ghost-2'])
    assert.equal(us.stateOf('ghost-2'), 'alive')
    mesh.run(OVERDUE_MS)
    assert.deepEqual(us.told(), [])
  })

  it('counts as leaving again where it is announced again, for as long', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    mesh.run(OVERDUE_MS / 2)
    mesh.tell(us, joinIntent('ghost-2', 6), leaveIntent('ghost-2', 7))
    mesh.run(OVERDUE_MS - 1)
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    mesh.run(1)
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })

  it('has left when its goodbye comes, before or after that', () => {
    for (const ms of [1000, OVERDUE_MS + 1000]) {
      const { mesh, us } = knowing()
      mesh.tell(us, leaveIntent('ghost-2', 5))
      mesh.run(ms)
      mesh.feed(us, goodbye(2))
      mesh.run(OVERDUE_MS)
      assert.equal(us.stateOf('ghost-2'), 'left')
    }
  })

  it('and is suspected when it is to be asked is given as long again', () => {
    const { mesh, us } = knowing({ suspicionMult: 100 })
    mesh.tell(us, leaveIntent('ghost-2', 5))
    mesh.run(ASK_MS - 1000)
    mesh.feed(us, suspect(2))
    mesh.run(1000)
    mesh.feed(us, alive(2, 2))
    mesh.run(OVERDUE_MS - 1)
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    mesh.run(1)
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })

  it('before it was known is awaited from when it is known', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, QUIET)
    mesh.tell(us, leaveIntent('ghost-2', 5))
    mesh.run(10_000)
    mesh.feed(us, alive(2))
    assert.equal(us.stateOf('ghost-2'), 'leaving')
    mesh.run(OVERDUE_MS)
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })
})

/** A ghost answers no probe: there are none. */
const QUIET = { probeIntervalMs: 3_600_000 }

function knowing(options: Parameters<Mesh['add']>[2] = {}) {
  const mesh = new Mesh()
  const us = mesh.add('us', 1, { ...QUIET, ...options })
  mesh.feed(us, alive(2))
  us.told()
  return { mesh, us }
}
