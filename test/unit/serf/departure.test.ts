import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { alive, Mesh, type Station } from './support.ts'

describe('leaving', () => {
  it('SF-20: every peer sees leaving, then left, never a suspicion and never dead', () => {
    const mesh = new Mesh()
    const stations = [1, 2, 3, 4, 5].map((number) => mesh.add(`m-${number}`, number))
    const [first, ...others] = stations as [Station, ...Station[]]
    for (const station of others) mesh.join(station, first)
    mesh.run(10_000)
    for (const station of stations) station.told()
    const leaver = others[1] as Station
    mesh.call(leaver, (serf, now) => serf.leave(now))
    const leftAt = runUntilDeparted(mesh, leaver, 11_000)
    assert.ok(leftAt < 5000, `${leftAt} ms`)
    mesh.silent.add('m-3')
    mesh.run(60_000)
    for (const station of stations) {
      if (station === leaver) continue
      assert.deepEqual(station.toldInShort(), ['member-leaving m-3', 'member-left m-3'])
      assert.equal(station.stateOf('m-3'), 'left')
    }
  })

  it('alone it is over in the very call', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    mesh.call(us, (serf, now) => serf.leave(now))
    assert.deepEqual(us.toldInShort(), ['departed'])
    assert.equal(us.serf.local.state, 'left')
  })

  it('it is over in the very call where all others are gone', () => {
    const mesh = new Mesh()
    const us = mesh.add('us', 1)
    mesh.feed(us, alive(2), { type: 'dead', node: 'ghost-2', incarnation: 1, from: 'ghost-2' })
    us.told()
    mesh.call(us, (serf, now) => serf.leave(now))
    assert.deepEqual(us.toldInShort(), ['departed'])
  })

  it('the intent is told before the goodbye, and both before the end', () => {
    const { mesh, us } = knowing()
    mesh.call(us, (serf, now) => serf.leave(now))
    assert.equal(us.serf.local.state, 'leaving')
    runUntilDeparted(mesh, us, 11_000)
    const told = mesh.sent.flatMap(({ message }) =>
      message.type === 'user' || message.type === 'dead' ? [message] : [],
    )
    const firstGoodbye = told.findIndex(({ type }) => type === 'dead')
    assert.ok(firstGoodbye > 0)
    assert.ok(told.slice(0, firstGoodbye).every(({ type }) => type === 'user'))
    const goodbye = told[firstGoodbye]
    assert.ok(goodbye?.type === 'dead' && goodbye.node === 'us' && goodbye.from === 'us')
    assert.ok(mesh.gossiped('us').every((message) => message.type === 'leave' && message.node === 'us'))
  })

  it('after the goodbye was told we stay for the propagation delay, and answer', () => {
    const { mesh, us } = knowing({ leavePropagateDelayMs: 3000 })
    mesh.call(us, (serf, now) => serf.leave(now))
    const took = runUntilDeparted(mesh, us, 20_000)
    assert.ok(took >= 3000, `${took} ms`)
    mesh.forgetSent()
    mesh.feed(us, { type: 'ping', seqNo: 7, node: 'us', sourceAddr: null, sourcePort: 0, sourceNode: '' })
    assert.deepEqual(mesh.sent[0]?.message.type, 'ack')
  })

  it('SF-22: where nothing can be told it ends after twice the broadcast limit and the delay', () => {
    // Gossip is off and nothing is probed, so no broadcast is ever sent.
    const { mesh, us } = knowing({ gossipIntervalMs: 0, probeIntervalMs: 3_600_000 })
    mesh.call(us, (serf, now) => serf.leave(now))
    assert.equal(runUntilDeparted(mesh, us, 60_000), 5000 + 5000 + 1000)
  })

  it('SF-22: the stages take the limits they are given', () => {
    const { mesh, us } = knowing({
      gossipIntervalMs: 0,
      probeIntervalMs: 3_600_000,
      broadcastTimeoutMs: 70,
      leavePropagateDelayMs: 0,
    })
    mesh.call(us, (serf, now) => serf.leave(now))
    assert.equal(runUntilDeparted(mesh, us, 60_000), 140)
  })

  it('SF-22: peers that do not answer do not hold it up', () => {
    const { mesh, us } = knowing()
    mesh.silent.add('ghost-2')
    mesh.call(us, (serf, now) => serf.leave(now))
    assert.ok(runUntilDeparted(mesh, us, 60_000) <= 11_000)
  })

  it('a second leave changes nothing, and the end is told once', () => {
    const { mesh, us } = knowing()
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.run(300)
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.run(60_000)
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.run(60_000)
    assert.deepEqual(us.toldInShort(), ['departed'])
  })

  it('the intent carries our time, and our clock goes on', () => {
    const { mesh, us } = knowing()
    mesh.tell(us, { type: 'join', ltime: 41, node: 'ghost-2' })
    mesh.call(us, (serf, now) => serf.leave(now))
    mesh.run(1000)
    const leaves = mesh.gossiped('us').filter(({ type }) => type === 'leave')
    assert.ok(leaves.length > 0)
    assert.ok(leaves.every((message) => message.type === 'leave' && message.ltime === 42 && !message.prune))
  })
})

/** Milliseconds until the end was told. */
function runUntilDeparted(mesh: Mesh, station: Station, withinMs: number): number {
  const start = mesh.now
  while (!station.notices.some(({ type }) => type === 'departed')) {
    assert.ok(mesh.now - start <= withinMs, `not departed within ${withinMs} ms`)
    mesh.run(1)
  }
  return mesh.now - start
}

function knowing(options: Parameters<Mesh['add']>[2] = {}) {
  const mesh = new Mesh()
  const us = mesh.add('us', 1, options)
  mesh.feed(us, alive(2))
  mesh.run(3000)
  mesh.forgetSent()
  us.told()
  return { mesh, us }
}
