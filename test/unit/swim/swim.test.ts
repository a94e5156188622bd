// The switchboard: what comes in goes where it belongs; start, leave, updates and time. serf-behaviour §3 and §10.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { Random } from '../../../src/base/random.ts'
import { resolveSwimOptions } from '../../../src/swim/options.ts'
import { Outbox } from '../../../src/swim/outbox.ts'
import { Swim } from '../../../src/swim/swim.ts'
import {
  alive,
  at,
  Bench,
  dead,
  decodeStream,
  indirectPing,
  left,
  Mesh,
  metaOf,
  ping,
  Recorder,
  source,
  suspect,
  VERSIONS,
} from './support.ts'

function cluster(size: number): Mesh {
  const mesh = new Mesh()
  for (let number = 1; number <= size; number++) mesh.add(`m${number}`)
  for (let number = 2; number <= size; number++) mesh.join(`m${number}`, 'm1')
  mesh.run(3000)
  for (const bench of mesh.benches.values()) {
    assert.equal(bench.swim.size, size)
    bench.delegate.take()
  }
  return mesh
}

describe('serf-behaviour §3: start', () => {
  it('we announce ourselves at incarnation 1 and are told of ourselves', () => {
    const delegate = new Recorder()
    const swim = new Swim({
      options: resolveSwimOptions('lan', {}),
      name: 'm1',
      address: at(1),
      vsn: VERSIONS,
      packetOverheadBytes: 0,
      random: new Random(1),
      delegate,
      outbox: new Outbox<never>(),
    })
    assert.equal(swim.nextDeadline(), undefined)
    swim.start(metaOf('x'), 10)
    assert.deepEqual(delegate.told, ['joined m1'])
    const { status, incarnation, meta, changedAt } = swim.self
    assert.deepEqual([status, incarnation, meta, changedAt, swim.size], ['alive', 1, metaOf('x'), 10, 1])
    assert.equal(swim.member('m1'), swim.self)
    assert.equal(swim.queued, 1)
  })

  it('the same calls give the same effects, another seed gives others', () => {
    const transcript = (seed: number): unknown[] => {
      const made = new Bench({ seed, gossipIntervalMs: 200, pushPullIntervalMs: 30_000 })
      made.know(9)
      made.receive(suspect('m3', 1), dead('m4', 1))
      made.advanceTo(40_000)
      return [...made.effects(), ...made.delegate.told]
    }
    assert.deepEqual(transcript(5), transcript(5))
    assert.notDeepEqual(transcript(5), transcript(6))
  })
})

describe('swim/swim.ts: packets and streams', () => {
  it('the pings of a packet are answered after its claims are taken', () => {
    const made = new Bench()
    made.know(2)
    made.receive(ping('m1', 1, source('m2')), dead('m1', 1))
    assert.deepEqual(made.packets()[0]?.messages, [{ type: 'ack', seqNo: 1, payload: null }, alive('m1', 2)])
  })

  it('of the pings of a packet the first is answered, of the indirect ones the first too; the others are told', () => {
    const made = new Bench()
    made.receiveFrom(
      at(50),
      ping('m1', 1),
      indirectPing('m3', 700),
      ping('m1', 2),
      indirectPing('m4', 701),
      ping('m1', 3, source('m2')),
    )
    const sent = made.packets().map(({ to, messages: [first] }) => {
      assert.ok(first?.type === 'ack' || first?.type === 'ping')
      return [to.key, first.type, first.type === 'ack' ? first.seqNo : first.node]
    })
    assert.deepEqual(sent, [
      ['10.0.0.50:7946', 'ack', 1],
      ['10.0.0.3:7946', 'ping', 'm3'],
    ])
    assert.deepEqual(made.delegate.warnings, [
      { code: 'ping-limit', message: 'more than one ping in a packet of 10.0.0.50:7946' },
      { code: 'ping-limit', message: 'more than one indirect-ping in a packet of 10.0.0.50:7946' },
      { code: 'ping-limit', message: 'more than one ping in a packet of 10.0.0.50:7946' },
    ])
  })

  it('a ping for another takes the turn of those behind it in the packet, not of those in the next one', () => {
    const made = new Bench()
    made.receive(ping('m2', 1), ping('m1', 2))
    assert.deepEqual(made.effects(), [])
    assert.deepEqual(made.delegate.codes(), ['ping-misdirected', 'ping-limit'])
    made.receive(ping('m1', 3))
    assert.deepEqual(made.packets()[0]?.messages, [{ type: 'ack', seqNo: 3, payload: null }])
  })

  it('bytes for the layer above are handed on, by packet and by stream', () => {
    const made = new Bench()
    made.receive({ type: 'user', payload: Uint8Array.of(1) })
    made.swim.receiveRequest(5, { type: 'user', payload: Uint8Array.of(2) }, at(9), 0)
    assert.deepEqual(made.delegate.userMessages, [Uint8Array.of(1), Uint8Array.of(2)])
    assert.deepEqual(made.effects(), [])
  })

  it('a ping over a stream is answered on it, without payload', () => {
    const made = new Bench()
    made.delegate.payload = Uint8Array.of(1)
    made.swim.receiveRequest(5, ping('m1', 77), at(9), 0)
    const [reply, ...others] = made.effects()
    assert.deepEqual(others, [])
    assert.ok(reply?.kind === 'reply' && reply.id === 5)
    assert.deepEqual(decodeStream(reply.body), { type: 'ack', seqNo: 77, payload: null })
  })

  it('answers where a request belongs, and replies to no request of ours, do nothing', () => {
    const made = new Bench()
    made.swim.receiveRequest(5, { type: 'ack', seqNo: 1, payload: null }, at(9), 0)
    made.swim.receiveRequest(6, { type: 'error', error: 'x' }, at(9), 0)
    made.swim.receiveReply(7, { type: 'error', error: 'x' }, 0)
    made.swim.requestFailed(8, 'x', 0)
    made.receive({ type: 'nack', seqNo: 1 }, { type: 'ack', seqNo: 1, payload: null })
    assert.deepEqual([made.effects(), made.delegate.told, made.delegate.exchanges], [[], [], []])
  })

  it('a stall longer than the probe timeout costs a point of health, and is told; a shorter one is not', () => {
    for (const [lengthMs, health] of [
      [500, 0],
      [500.5, 1],
      [30_000, 1],
    ] as const) {
      const made = new Bench()
      made.swim.stalled(lengthMs, made.now)
      assert.equal(made.swim.health, health)
      assert.equal(made.delegate.warnings.length, health)
    }
    const made = new Bench()
    made.swim.stalled(1234.56, made.now)
    assert.deepEqual(made.delegate.warnings, [{ code: 'stall', message: 'the event loop stood still for 1235 ms' }])
  })

  it('after a stall every schedule runs once, not once for each tick missed', () => {
    const made = new Bench({ gossipIntervalMs: 200, pushPullIntervalMs: 1000 })
    made.know(9)
    made.receive(suspect('m2', 1))
    made.now = 20_000
    made.swim.advance(made.now)
    const effects = made.effects()
    assert.equal(effects.filter(({ kind }) => kind === 'request').length, 1)
    assert.equal(effects.filter(({ kind }) => kind === 'packet').length, 4)
    assert.ok((made.swim.nextDeadline() as number) > 20_000)
  })
})

describe('serf-behaviour §10: leave and update', () => {
  it('ML-61: who leaves is left everywhere, never suspect and never dead', () => {
    const mesh = cluster(5)
    const leaver = mesh.bench('m3')
    leaver.swim.leave(mesh.now, 9)
    assert.deepEqual(leaver.delegate.take(), ['gone m3 left'])
    mesh.run(mesh.now + 60_000)
    for (const [name, bench] of mesh.benches) {
      if (name !== 'm3') assert.deepEqual(bench.delegate.take(), ['gone m3 left'])
    }
  })

  it('ML-61: the goodbye is told when it was sent as often as the limit says, and not before', () => {
    const made = new Bench()
    made.know(3)
    made.swim.leave(0, 9)
    for (let transmits = 1; transmits <= 4; transmits++) {
      assert.deepEqual(made.swim.takeTold(), [])
      assert.deepEqual(made.spread(), [left('m1', 1)])
    }
    assert.deepEqual(made.swim.takeTold(), [9])
    assert.deepEqual(made.swim.takeTold(), [])
  })

  it('who has left still answers pings and gossips', () => {
    const made = new Bench({ gossipIntervalMs: 200 })
    made.know(3)
    made.swim.leave(0, 9)
    made.receive(ping('m1', 4))
    assert.equal(made.packets()[0]?.messages[0]?.type, 'ack')
    made.receive(suspect('m2', 1))
    made.advanceTo(1000)
    assert.ok(made.packets().length > 0)
  })

  it('leaving twice says goodbye once', () => {
    const made = new Bench()
    made.know(3)
    made.swim.leave(0, 9)
    made.hush()
    made.swim.leave(0, 10)
    assert.equal(made.swim.queued, 0)
    assert.deepEqual(made.delegate.take(), [])
  })

  it('ML-62: alone there is nobody to tell; the dead and those that left are nobody', () => {
    const made = new Bench()
    assert.equal(made.swim.hasPeers(), false)
    made.know(3)
    assert.equal(made.swim.hasPeers(), true)
    made.receive(left('m2', 1), suspect('m3', 1))
    assert.equal(made.swim.hasPeers(), true)
    made.receive(dead('m3', 1))
    assert.equal(made.swim.hasPeers(), false)
  })

  it('ML-63: new metadata reaches every member, and is one update at each', () => {
    const mesh = cluster(5)
    mesh.bench('m2').swim.setMeta(metaOf('new'), mesh.now, 5)
    assert.deepEqual(mesh.bench('m2').delegate.take(), ['updated m2'])
    mesh.run(mesh.now + 60_000)
    for (const [name, bench] of mesh.benches) {
      if (name !== 'm2') assert.deepEqual(bench.delegate.take(), ['updated m2'])
      assert.deepEqual(bench.swim.member('m2')?.meta, metaOf('new'))
    }
    assert.deepEqual(mesh.bench('m2').swim.takeTold(), [5])
  })

  it('an update raises the incarnation, and its ticket is reported when a newer one takes its place', () => {
    const made = new Bench()
    made.know(2)
    made.swim.setMeta(metaOf('a'), 0, 1)
    made.swim.setMeta(metaOf('b'), 0, 2)
    assert.deepEqual(made.swim.takeTold(), [1])
    assert.deepEqual(made.spread(), [alive('m1', 3, { meta: metaOf('b') })])
  })

  it('the denial of an accusation carries the metadata of the latest update', () => {
    const made = new Bench({ meta: NO_BYTES })
    made.know(2)
    made.swim.setMeta(metaOf('a'), 0, 1)
    made.receive(suspect('m1', 2))
    assert.deepEqual(made.spread(), [alive('m1', 3, { meta: metaOf('a') })])
  })

  it('the longest broadcast that is taken is the longest that is drawn', () => {
    const made = new Bench({ maxPacketBytes: 1000, packetOverheadBytes: 50 })
    assert.equal(made.swim.largestBroadcastBytes, 1000 - 50 - 2 - 2)
  })
})
