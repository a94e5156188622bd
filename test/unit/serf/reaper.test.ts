import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AnyMember } from '../../../src/serf/members.ts'
import { alive, dead, goodbye, leaveIntent, Mesh, type StationOptions } from './support.ts'

const HOUR_MS = 3_600_000
const KNOBS: StationOptions = { reapIntervalMs: 1000, reconnectTimeoutMs: HOUR_MS, tombstoneTimeoutMs: 2 * HOUR_MS }

describe('reaping', () => {
  it('SF-70: a dead member is erased after the reconnect timeout, with exactly one notice', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    us.told()
    mesh.run(HOUR_MS)
    assert.equal(us.stateOf('ghost-2'), 'dead')
    assert.deepEqual(us.told(), [])
    mesh.run(1000)
    assert.equal(us.serf.member('ghost-2'), undefined)
    assert.equal(us.serf.size, 1)
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'member-reap' && more.length === 0)
    assert.deepEqual([notice.member.name, notice.member.state], ['ghost-2', 'dead'])
    mesh.run(3 * HOUR_MS)
    assert.deepEqual(us.told(), [])
  })

  it('SF-70: one that comes back later is a fresh join', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5))
    mesh.feed(us, goodbye(2))
    mesh.run(2 * HOUR_MS + 1000)
    us.told()
    mesh.feed(us, alive(2, 1))
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'member-join' && more.length === 0)
    assert.deepEqual([notice.previous, notice.member.state], [undefined, 'alive'])
  })

  it('a member that left is erased after the tombstone timeout', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, goodbye(2))
    mesh.run(2 * HOUR_MS)
    assert.equal(us.stateOf('ghost-2'), 'left')
    mesh.run(1000)
    assert.equal(us.serf.member('ghost-2'), undefined)
  })

  it('one that turns out to have left keeps the time of its death', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    mesh.run(HOUR_MS - 5000)
    mesh.tell(us, leaveIntent('ghost-2', 5))
    assert.equal(us.stateOf('ghost-2'), 'left')
    mesh.run(HOUR_MS + 5000)
    assert.equal(us.stateOf('ghost-2'), 'left')
    mesh.run(1000)
    assert.equal(us.serf.member('ghost-2'), undefined)
  })

  it('one that came back in time starts anew when it dies again', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    mesh.run(HOUR_MS - 5000)
    mesh.feed(us, alive(2, 2))
    mesh.feed(us, dead(2, 2))
    mesh.run(HOUR_MS - 5000)
    assert.equal(us.stateOf('ghost-2'), 'dead')
    mesh.run(6000)
    assert.equal(us.serf.member('ghost-2'), undefined)
  })

  it('SF-70: by the word of the user about one member, dead or left, whatever holds for the others', () => {
    const asked: string[] = []
    const reconnectTimeoutFor = ({ name, state }: AnyMember, defaultMs: number): number => {
      asked.push(`${name} ${state} ${defaultMs / HOUR_MS}`)
      if (name === 'ghost-2') return 5000
      return name === 'ghost-3' ? Number.POSITIVE_INFINITY : defaultMs
    }
    const mesh = new Mesh()
    const us = mesh.add('us', 1, { ...KNOBS, setup: { reconnectTimeoutFor } })
    mesh.feed(us, alive(2), alive(3), alive(4), alive(5), dead(2), dead(3), goodbye(4))
    mesh.run(5000)
    assert.deepEqual([us.stateOf('ghost-2'), us.stateOf('ghost-4')], ['dead', 'left'])
    mesh.run(1000)
    assert.equal(us.stateOf('ghost-2'), undefined)
    mesh.run(4 * HOUR_MS)
    assert.deepEqual(
      [us.stateOf('ghost-3'), us.stateOf('ghost-4'), us.stateOf('ghost-5')],
      ['dead', undefined, 'alive'],
    )
    assert.deepEqual([...new Set(asked)].sort(), ['ghost-2 dead 1', 'ghost-3 dead 1', 'ghost-4 left 2'])
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.run(4 * HOUR_MS)
    assert.equal(us.stateOf('us'), 'left')
    assert.ok(!asked.some((question) => question.startsWith('us')))
  })

  it('never erases those that are here, nor ourselves', () => {
    const { mesh, us } = knowing()
    mesh.run(5 * HOUR_MS)
    assert.deepEqual([us.stateOf('us'), us.stateOf('ghost-2')], ['alive', 'alive'])
    mesh.feed(us, goodbye(2))
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.run(5 * HOUR_MS)
    assert.deepEqual([us.stateOf('us'), us.stateOf('ghost-2')], ['left', undefined])
  })

  it('with a tombstone shorter than the memory of SWIM: a goodbye repeated after that is no news', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, { reapIntervalMs: 1000, tombstoneTimeoutMs: 1000, gossipToTheDeadMs: HOUR_MS })
    mesh.feed(us, alive(2), goodbye(2))
    mesh.run(3000)
    us.told()
    mesh.feed(us, goodbye(2), dead(2))
    assert.deepEqual(us.told(), [])
    mesh.feed(us, alive(2, 2))
    assert.deepEqual(us.toldInShort(), ['member-join ghost-2'])
  })
})

function knowing() {
  const mesh = new Mesh()
  const us = mesh.add('us', 1, KNOBS)
  mesh.feed(us, alive(2))
  us.told()
  return { mesh, us }
}
