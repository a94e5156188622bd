import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random } from '../../../src/base/random.ts'
import { Coordinates } from '../../../src/serf/coordinates.ts'
import { freshCoordinate } from '../../../src/serf/vivaldi.ts'
import { decodeCoordinate, encodeCoordinate } from '../../../src/wire/coordinate.ts'
import type { Coordinate } from '../../../src/wire/types.ts'
import { alive, Mesh } from './support.ts'

const NEAR: Coordinate = { vector: [0.01, 0, 0, 0, 0, 0, 0, 0], error: 0.5, adjustment: 0, height: 10e-6 }

function ours(): Coordinates {
  return new Coordinates('m1', new Random(1))
}

describe('coordinates', () => {
  test('what an ack carries is our own, encoded once until it changes', () => {
    const coordinates = ours()
    const first = coordinates.ackPayload()
    assert.deepEqual(decodeCoordinate(first), freshCoordinate())
    assert.equal(coordinates.ackPayload(), first)
    assert.equal(coordinates.measured('m2', 20, encodeCoordinate(NEAR)), undefined)
    assert.notEqual(coordinates.ackPayload(), first)
    assert.deepEqual(decodeCoordinate(coordinates.ackPayload()), coordinates.of('m1'))
  })

  test('a round trip moves ours, and keeps theirs as told', () => {
    const coordinates = ours()
    assert.equal(coordinates.of('m2'), undefined)
    assert.equal(coordinates.rttMs('m1', 'm2'), undefined)
    coordinates.measured('m2', 20, encodeCoordinate(NEAR))
    assert.deepEqual(coordinates.of('m2'), NEAR)
    assert.ok(Object.isFrozen(coordinates.of('m2')?.vector))
    assert.notDeepEqual(coordinates.of('m1'), freshCoordinate())
    assert.equal(coordinates.rttMs('m2', 'm1'), coordinates.rttMs('m1', 'm2'))
  })

  test('many round trips of 20 ms make the distance 20 ms', () => {
    const coordinates = ours()
    for (let round = 0; round < 200; round++) coordinates.measured('m2', 20, encodeCoordinate({ ...NEAR, error: 0.1 }))
    assert.ok(Math.abs((coordinates.rttMs('m1', 'm2') as number) - 20) < 0.5)
  })

  test('an ack without payload, as of a member that has them off, tells nothing and is no offence', () => {
    const coordinates = ours()
    assert.equal(coordinates.measured('m2', 20, null), undefined)
    assert.equal(coordinates.measured('m2', 20, new Uint8Array(0)), undefined)
    assert.deepEqual(coordinates.of('m1'), freshCoordinate())
    assert.equal(coordinates.stats.rejected, 0)
  })

  test('SF-97: a coordinate that is no number, or a round trip of 11 s, is rejected and counted', () => {
    const coordinates = ours()
    const before = coordinates.of('m1')
    const notANumber = { ...NEAR, vector: [Number.NaN, 0, 0, 0, 0, 0, 0, 0] }
    assert.match(coordinates.measured('m2', 20, encodeCoordinate(notANumber)) ?? '', /no number/)
    assert.match(coordinates.measured('m2', 11_000, encodeCoordinate(NEAR)) ?? '', /11 s/)
    assert.match(coordinates.measured('m2', 20, Uint8Array.of(2, 0x80)) ?? '', /version 2/)
    assert.match(coordinates.measured('m2', 20, Uint8Array.of(1, 0xc1)) ?? '', /./)
    assert.equal(coordinates.stats.rejected, 4)
    assert.equal(coordinates.of('m1'), before)
    assert.equal(coordinates.size, 0)
  })

  test('what would move us out of the system is rejected and counted, and its coordinate is not kept', () => {
    const coordinates = ours()
    const before = coordinates.of('m1')
    const liar = { vector: [1.2e-6, 0, 0, 0, 0, 0, 0, 0], error: 0, adjustment: -19, height: 19 }
    assert.match(coordinates.measured('m2', 400, encodeCoordinate(liar)) ?? '', /move ours/)
    assert.deepEqual([coordinates.stats.rejected, coordinates.size, coordinates.of('m1')], [1, 0, before])
  })

  test('a round trip of no time is taken and counted', () => {
    const coordinates = ours()
    assert.equal(coordinates.measured('m2', 0, encodeCoordinate(NEAR)), undefined)
    assert.deepEqual(coordinates.stats, { resets: 0, rejected: 0, zeroRtts: 1 })
  })

  test('who is forgotten leaves nothing behind', () => {
    const coordinates = ours()
    coordinates.measured('m2', 20, encodeCoordinate(NEAR))
    coordinates.forget('m2')
    assert.equal(coordinates.size, 0)
    assert.equal(coordinates.of('m2'), undefined)
  })
})

describe('coordinates in Serf', () => {
  test('two members learn of each other by their probes, and forget whoever is erased', () => {
    const mesh = new Mesh()
    const [one, two] = [mesh.add('one', 1), mesh.add('two', 2)]
    mesh.join(one, two)
    mesh.run(10_000)
    assert.ok(one.serf.coordinates?.of('two') !== undefined)
    assert.ok(two.serf.coordinates?.of('one') !== undefined)
    assert.notEqual(one.serf.coordinates?.rttMs('one', 'two'), undefined)
    mesh.silent.add('two')
    mesh.run(120_000)
    assert.ok(one.serf.coordinates?.of('two') !== undefined, 'of the dead it is kept')
    mesh.call(one, (serf, now) => serf.forceLeave('two', true, now))
    assert.equal(one.serf.member('two'), undefined)
    assert.equal(one.serf.coordinates?.size, 0)
  })

  test('off, none is told, and none is taken', () => {
    const mesh = new Mesh()
    const [one, two] = [mesh.add('one', 1, { coordinates: false }), mesh.add('two', 2)]
    mesh.join(one, two)
    mesh.run(10_000)
    const acks = mesh.sent.flatMap(({ from, message }) => (message.type === 'ack' ? [{ from, ...message }] : []))
    assert.ok(acks.some(({ from }) => from === 'one') && acks.some(({ from }) => from === 'two'))
    for (const { from, payload } of acks) assert.equal(payload === null, from === 'one')
    assert.equal(one.serf.coordinates, undefined)
    assert.equal(two.serf.coordinates?.of('one'), undefined)
    assert.ok(!one.told().some((notice) => notice.type === 'warning'))
  })

  test('nonsense in an ack is a warning, and the member is no worse for it', () => {
    const mesh = new Mesh()
    const one = mesh.add('one', 1)
    mesh.feed(one, alive(2))
    mesh.silent.add('ghost-2')
    const payload = encodeCoordinate({ ...NEAR, error: Number.NaN })
    for (let at = 0; at < 20 && one.serf.coordinates?.stats.rejected === 0; at++) {
      mesh.forgetSent()
      mesh.run(500)
      const ping = mesh.sent.find(({ to, message }) => to === 'ghost-2' && message.type === 'ping')?.message
      if (ping?.type === 'ping') mesh.feed(one, { type: 'ack', seqNo: ping.seqNo, payload })
    }
    assert.equal(one.serf.coordinates?.stats.rejected, 1)
    const warnings = one.told().flatMap((notice) => (notice.type === 'warning' ? [notice.code] : []))
    assert.deepEqual(warnings, ['coordinate-refused'])
    assert.equal(one.stateOf('ghost-2'), 'alive')
    assert.equal(one.serf.coordinates?.of('ghost-2'), undefined)
  })
})
