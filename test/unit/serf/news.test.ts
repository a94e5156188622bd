// When news that is held back is told (serf-behaviour §29).
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MAX_HELD_EVENTS, MAX_HELD_MEMBERS } from '../../../src/serf/coalesce.ts'
import { event, HELD, knowing, log, told } from './held-support.ts'
import { alive, dead, Mesh } from './support.ts'

describe('what waits', () => {
  it('SF-64: a lone event is told after the quiescent period, a steady stream after the coalesce period', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, alive(2, 2, log({ v: 'lone' })))
    mesh.run(999)
    assert.deepEqual(told(us), [])
    mesh.run(1)
    assert.deepEqual(told(us), ['ghost-2 update alive lone'])
    let version = 3
    for (let at = 0; at < 2900; at += 100) {
      mesh.feed(us, alive(2, version, log({ v: String(version) })))
      version++
      mesh.run(100)
      assert.deepEqual(told(us), [], `at ${at}`)
    }
    mesh.run(100)
    assert.deepEqual(told(us), [`ghost-2 update alive ${version - 1}`])
  })

  it('a period begins anew with what comes after', () => {
    const { mesh, us } = knowing()
    for (const version of [2, 3]) {
      mesh.feed(us, alive(2, version, log({ v: String(version) })))
      mesh.run(999)
      assert.deepEqual(told(us), [])
      mesh.run(1)
      assert.deepEqual(told(us), [`ghost-2 update alive ${version}`])
    }
  })

  it('a leave of ours tells what waits before it ends', () => {
    const { mesh, us } = knowing()
    // Both gone, there is nobody to say goodbye to.
    mesh.feed(us, dead(2), dead(3))
    mesh.call(us, (serf, now) => serf.leave(now))
    assert.deepEqual(told(us), ['ghost-2 dead dead', 'ghost-3 dead dead', 'departed'])
    assert.equal(us.serf.isHoldingNews, false)
  })

  it('what waits is told when it is asked for', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    assert.equal(us.serf.isHoldingNews, true)
    mesh.call(us, (serf) => serf.tellNews())
    assert.deepEqual(told(us), ['ghost-2 dead dead'])
    assert.equal(us.serf.isHoldingNews, false)
    mesh.run(5000)
    assert.deepEqual(told(us), [])
  })

  it('is told by the periods of its kind, members or user events', () => {
    const { mesh, us } = knowing({ userQuiescentPeriodMs: 200 })
    mesh.feed(us, dead(2))
    mesh.tell(us, event(5, 'deploy'))
    mesh.run(200)
    assert.deepEqual(told(us), ['user-event'])
    mesh.run(800)
    assert.deepEqual(told(us), ['ghost-2 dead dead'])
    const alone = knowing({ userCoalescePeriodMs: 0, userQuiescentPeriodMs: 0 })
    alone.mesh.tell(alone.us, event(5, 'deploy'))
    assert.deepEqual(told(alone.us), ['user-event'])
  })
})

describe('too much', () => {
  it('of user events is told at once', () => {
    const { mesh, us } = knowing()
    for (let ltime = 1; ltime < MAX_HELD_EVENTS; ltime++) {
      mesh.tell(us, event(ltime, `e-${ltime}`))
    }
    assert.equal(told(us).length, 0)
    mesh.tell(us, event(MAX_HELD_EVENTS, 'last'))
    assert.equal(told(us).length, MAX_HELD_EVENTS)
    assert.equal(us.serf.isHoldingNews, false)
  })

  it('of members as well', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1, HELD)
    const members = Array.from({ length: MAX_HELD_MEMBERS }, (_, at) => {
      return alive(2, 1, { node: `m-${at}`, addr: Uint8Array.of(10, 1, at >> 8, at & 0xff) })
    })
    mesh.feed(us, ...members.slice(1))
    assert.deepEqual([told(us).length, us.serf.size], [0, MAX_HELD_MEMBERS])
    mesh.feed(us, members[0]!)
    assert.equal(told(us).length, MAX_HELD_MEMBERS)
  })
})
