import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OVERDUE_MS } from '../../../src/serf/overdue.ts'
import { alive, goodbye, joinIntent, leaveIntent, Mesh, suspect } from './support.ts'

describe('a member that announced a leave', () => {
  it('and is there still when it is overdue, alive, counts as alive: told once, at that time', () => {
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

  it('and is suspected when it is overdue is given as long again', () => {
    const { mesh, us } = knowing({ suspicionMult: 100 })
    mesh.tell(us, leaveIntent('ghost-2', 5))
    mesh.run(OVERDUE_MS - 1000)
    mesh.feed(us, suspect(2))
    mesh.run(1000)
    assert.equal(us.stateOf('ghost-2'), 'leaving')
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
