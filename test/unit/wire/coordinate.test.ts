import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DecodeError } from '../../../src/base/errors.ts'
import { decodeCoordinate, encodeCoordinate } from '../../../src/wire/coordinate.ts'
import { NO_ITEMS } from '../../../src/wire/msgpack.ts'
import type { Coordinate } from '../../../src/wire/types.ts'
import type { Fields } from './vectors.ts'
import { fromHex, Tally, toHex, vectorsOf } from './vectors.ts'

describe('golden vectors of ack payloads', () => {
  test('each decodes to the coordinate it states, and the coordinate encodes to its bytes', (t) => {
    const tally = new Tally()
    for (const { name, layer, bytes, hex, decoded } of vectorsOf('serf-coordinates')) {
      if (layer !== 'ack-payload') continue
      const { Vec, Error: error, Adjustment, Height } = (decoded as Fields).coordinate as Fields
      const stated = { vector: Vec ?? NO_ITEMS, error, adjustment: Adjustment, height: Height } as unknown as Coordinate
      assert.deepEqual(decodeCoordinate(bytes), stated, name)
      assert.equal(toHex(encodeCoordinate(stated)), hex, name)
      tally.add(Vec === null ? 'without vector' : 'with vector')
    }
    t.diagnostic(JSON.stringify(tally.counts))
    assert.deepEqual(tally.counts, { 'with vector': 9, 'without vector': 1 })
  })
})

describe('what an ack carries', () => {
  test('of another version, or empty, is refused', () => {
    for (const hex of ['', '00', '02840000', 'ff']) {
      assert.throws(() => decodeCoordinate(fromHex(hex)), DecodeError, hex)
    }
  })

  test('announcing more numbers than it holds is refused before they are made room for', () => {
    // Vec as an array32 of 2^32 - 1.
    assert.throws(() => decodeCoordinate(fromHex('0181a3566563ddffffffff')), DecodeError)
    assert.throws(() => decodeCoordinate(fromHex('0181a3566563dd00000fff')), DecodeError)
  })

  test('whatever it is gives a coordinate of numbers, or `DecodeError`', () => {
    const payload = fc.uint8Array({ maxLength: 60 }).map((rest) => Uint8Array.of(1, ...rest))
    fc.assert(
      fc.property(payload, (bytes) => {
        try {
          const { vector, error, adjustment, height } = decodeCoordinate(bytes)
          for (const part of [...vector, error, adjustment, height]) assert.equal(typeof part, 'number')
        } catch (error) {
          assert.ok(error instanceof DecodeError)
        }
      }),
    )
  })
})
