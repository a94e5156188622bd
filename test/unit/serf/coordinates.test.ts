import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Random } from '../../../src/base/random.ts'
import { Coordinates } from '../../../src/serf/coordinates.ts'
import { freshCoordinate } from '../../../src/serf/vivaldi.ts'
import { decodeCoordinate, encodeCoordinate } from '../../../src/wire/coordinate.ts'
import type { Coordinate } from '../../../src/wire/types.ts'

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
