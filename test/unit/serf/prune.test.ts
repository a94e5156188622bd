// Erasing by an operator's word: serf-behaviour §24.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeTags } from '../../../src/wire/tags.ts'
import { alive, dead, goodbye, joinIntent, leaveIntent, Mesh, type Station, serfStateOf, suspect } from './support.ts'

/** `broadcastTimeoutMs` and `leavePropagateDelayMs` together. */
const TO_DENY_MS = 6000

describe('SF-24: a leave intent with prune', () => {
  it('erases one that is dead at once: it has left, and is reaped', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    us.told()
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    assert.deepEqual(us.toldInShort(), ['member-left ghost-2', 'member-reap ghost-2'])
    assert.equal(us.serf.member('ghost-2'), undefined)
  })

  it('erases one that has left at once, with how it was', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, goodbye(2))
    us.told()
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'member-reap' && more.length === 0)
    assert.deepEqual([notice.member.state, notice.previous?.state], ['left', 'left'])
    assert.equal(us.serf.size, 1)
  })

  it('that is old erases nobody', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, joinIntent('ghost-2', 5))
    mesh.feed(us, goodbye(2))
    us.told()
    mesh.tell(us, leaveIntent('ghost-2', 5, true), leaveIntent('ghost-2', 4, true))
    assert.deepEqual(us.told(), [])
    assert.equal(us.stateOf('ghost-2'), 'left')
  })

  it('gives one that was alive its time to deny, to the millisecond, and then erases it', () => {
    const { mesh, us } = knowing({ probeIntervalMs: 3_600_000 })
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    assert.deepEqual(us.toldInShort(), ['member-leaving ghost-2'])
    mesh.run(TO_DENY_MS - 1)
    assert.deepEqual(us.told(), [])
    mesh.run(1)
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'member-reap' && more.length === 0)
    assert.equal(notice.member.state, 'leaving')
  })

  it('spares one that denied, also if it is declared to have left once more', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.run(1000)
    mesh.tell(us, joinIntent('ghost-2', 6), leaveIntent('ghost-2', 7))
    mesh.run(TO_DENY_MS)
    assert.deepEqual(us.toldInShort(), ['member-leaving ghost-2', 'member-recover ghost-2', 'member-leaving ghost-2'])
    assert.equal(us.stateOf('ghost-2'), 'leaving')
  })

  it('spares one that went and came back within its time', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.feed(us, goodbye(2), alive(2, 2))
    mesh.tell(us, leaveIntent('ghost-2', 6)) // without prune
    us.told()
    mesh.run(TO_DENY_MS)
    assert.deepEqual(us.told(), [])
    assert.equal(us.stateOf('ghost-2'), 'leaving')
  })

  it('erases one that goes within its time when that is over', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.feed(us, goodbye(2))
    mesh.run(TO_DENY_MS)
    assert.deepEqual(us.toldInShort(), ['member-leaving ghost-2', 'member-left ghost-2', 'member-reap ghost-2'])
  })

  it('about ourselves is denied', () => {
    const { mesh, us } = knowing()
    mesh.run(3000)
    mesh.forgetSent()
    mesh.tell(us, leaveIntent('us', 40, true))
    mesh.run(2 * TO_DENY_MS)
    assert.equal(us.serf.local.state, 'alive')
    const said = mesh.gossiped('us')
    assert.ok(said.length > 0 && said.every((message) => message.type === 'join' && message.ltime === 41))
  })

  it('about ourselves while we leave does not erase us', () => {
    const { mesh, us } = knowing()
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.tell(us, leaveIntent('us', 40, true))
    mesh.run(60_000)
    assert.equal(us.serf.local.state, 'left')
  })
})

describe('SF-24: who was erased and lives', () => {
  it('is back with its next answer to a ping, alive, as a stranger that joins', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.run(TO_DENY_MS)
    us.told()
    mesh.run(3000)
    const [notice, ...more] = us.told()
    assert.ok(notice?.type === 'member-join' && more.length === 0)
    assert.deepEqual([notice.member.state, notice.previous], ['alive', undefined])
  })

  it('is back also where no direct answer comes, but one through others or late', () => {
    const { mesh, us } = knowing({ gossipIntervalMs: 0 })
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.run(TO_DENY_MS)
    us.told()
    mesh.silent.add('ghost-2')
    mesh.forgetSent()
    let seqNo: number | undefined
    for (let steps = 0; steps < 50 && seqNo === undefined; steps++) {
      mesh.run(100)
      for (const { message } of mesh.sent) if (message.type === 'ping') ({ seqNo } = message)
    }
    assert.ok(seqNo !== undefined)
    mesh.run(700) // the probe timeout is over, the probe is not
    mesh.feed(us, { type: 'ack', seqNo, payload: null })
    assert.deepEqual(us.toldInShort(), ['member-join ghost-2'])
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })

  it('is back with a claim to be alive that brings something new', () => {
    const withTags = alive(2, 2, { meta: encodeTags({ role: 'log' }) })
    const denial = alive(2, 2)
    for (const messages of [[withTags], [suspect(2), denial]]) {
      const { mesh, us } = knowing({ probeIntervalMs: 3_600_000 })
      mesh.tell(us, leaveIntent('ghost-2', 5, true))
      mesh.run(TO_DENY_MS)
      us.told()
      mesh.feed(us, ...messages)
      assert.deepEqual(us.toldInShort(), ['member-join ghost-2'])
      assert.equal(us.stateOf('ghost-2'), 'alive')
    }
  })

  it('and stands accused does not join as a suspect: it is back when it denies, not when it answers', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.run(TO_DENY_MS - 500)
    mesh.feed(us, suspect(2))
    mesh.run(500)
    us.told()
    mesh.run(3000) // it answers pings
    assert.deepEqual(us.toldInShort(), [])
    mesh.feed(us, alive(2, 2))
    assert.deepEqual(us.toldInShort(), ['member-join ghost-2'])
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })

  it('is not erased again by the intent that erased it, and that is not told on again', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.run(TO_DENY_MS)
    mesh.forgetSent()
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.run(3000)
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.run(3000)
    assert.equal(us.stateOf('ghost-2'), 'alive')
    assert.deepEqual(mesh.gossiped('us'), [])
    assert.equal(serfStateOf(mesh.exchange(us, {})).statusLtimes.get('ghost-2'), 5)
  })

  it('and was dead comes back alive, not leaving, while the intent still travels', () => {
    const { mesh, us } = knowing()
    mesh.feed(us, dead(2))
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.tell(us, leaveIntent('ghost-2', 5, true))
    mesh.feed(us, alive(2, 2))
    assert.equal(us.stateOf('ghost-2'), 'alive')
  })
})

describe('SF-25: while a prune is pending', () => {
  it('we answer pings, and everything else goes on', () => {
    const { mesh, us } = knowing()
    mesh.call(us, (serf, now) => serf.forceLeave('ghost-2', true, now))
    for (let passed = 0; passed < TO_DENY_MS; passed += 500) {
      mesh.forgetSent()
      mesh.feed(us, { type: 'ping', seqNo: 7, node: 'us', sourceAddr: null, sourcePort: 0, sourceNode: '' })
      assert.equal(mesh.sent[0]?.message.type, 'ack')
      mesh.feed(us, alive(3, passed + 1))
      assert.equal(us.stateOf('ghost-3'), 'alive')
      mesh.run(500)
    }
  })
})

describe('a cluster in which a prune crosses its denial', () => {
  it('SF-24: ends with one view, in which all that live are alive', () => {
    const mesh = new Mesh()
    const stations = Array.from({ length: 5 }, (_, at) => mesh.add(`m-${at + 1}`, at + 1))
    for (const station of stations.slice(1)) mesh.join(station, stations[0] as Station)
    mesh.run(10_000)
    // Nobody is told: each prunes by itself, and none of them hears a denial in time.
    mesh.silent.add('m-5')
    for (const station of stations.slice(0, 3)) mesh.tell(station, leaveIntent('m-5', 100, true))
    mesh.run(500)
    mesh.silent.delete('m-5')
    mesh.run(30_000)
    for (const station of stations) {
      assert.deepEqual(
        stations.map(({ serf }) => station.stateOf(serf.local.name)),
        new Array(5).fill('alive'),
        station.serf.local.name,
      )
    }
  })
})

function knowing(options: Parameters<Mesh['add']>[2] = {}) {
  const mesh = new Mesh()
  const us = mesh.add('us', 1, options)
  mesh.feed(us, alive(2))
  us.told()
  return { mesh, us }
}
