import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DecodeError } from '../../../src/base/errors.ts'
import { lzwCompress } from '../../../src/wire/compress.ts'
import { lzwDecompress, Unfolding } from '../../../src/wire/unfold.ts'
import { toHex, vectorsOf } from './vectors.ts'

const MOST = 41_943_040
/** What a call may do beyond its limit: 192 bytes of codes, each for 3,839 bytes, and the reading of them. */
const BEYOND = 500_000

/** All of it, in calls of so much work; or the error. */
function inSlices(folded: Uint8Array, maxBytes: number, maxWork: () => number): Uint8Array | string {
  const unfolding = new Unfolding(folded, maxBytes)
  try {
    while (unfolding.bytes === undefined) unfolding.advance(maxWork())
    return unfolding.bytes
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error))
    return error.message
  }
}

function atOnce(folded: Uint8Array, maxBytes: number): Uint8Array | string {
  try {
    return lzwDecompress(folded, maxBytes)
  } catch (error) {
    return (error as Error).message
  }
}

describe('unfolding in slices', () => {
  test('gives the bytes of every golden vector, or refuses it in the same words', () => {
    let count = 0
    for (const { name, bytes, decoded, expect } of vectorsOf('lzw')) {
      const found = inSlices(bytes, 1 << 20, () => 1)
      const error = (expect.go as { error?: string } | undefined)?.error
      if (error !== undefined) assert.equal(found, error, name)
      else assert.equal(toHex(found as Uint8Array), toHex(decoded as Uint8Array), name)
      count++
    }
    assert.equal(count, 38)
  })

  test('gives the same in slices of any size, two at a time', () => {
    const sources = fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 400 }))
      .map(([unit, times]) => Uint8Array.from({ length: unit.length * times }, (_, at) => unit[at % unit.length] ?? 0))
    fc.assert(
      fc.property(fc.tuple(sources, sources), fc.integer({ min: 1, max: 50_000 }), (plain, work) => {
        const unfoldings = plain.map((bytes) => new Unfolding(lzwCompress(bytes) as Uint8Array, bytes.length))
        while (unfoldings.some(({ bytes }) => bytes === undefined)) for (const one of unfoldings) one.advance(work)
        assert.ok(plain.every((bytes, at) => Buffer.compare(bytes, unfoldings[at]?.bytes as Uint8Array) === 0))
      }),
      { numRuns: 50 },
    )
  })

  test('broken and random bytes are refused as they are at once', () => {
    const broken = fc
      .tuple(fc.uint8Array({ minLength: 100, maxLength: 2000 }), fc.nat(), fc.nat(255))
      .map(([plain, at, value]) => {
        const folded = lzwCompress(plain) as Uint8Array
        folded[at % folded.length] = value
        return folded
      })
    fc.assert(
      fc.property(fc.oneof(broken, fc.uint8Array({ maxLength: 400 })), fc.nat(5000), (folded, work) => {
        assert.deepEqual(
          inSlices(folded, 100_000, () => work),
          atOnce(folded, 100_000),
        )
      }),
      { numRuns: 500 },
    )
  })

  test('a call does what it may and little more, whatever a byte stands for', () => {
    const shapes = {
      'one byte again and again': Uint8Array.from({ length: 20_000_000 }, () => 7),
      'short strings': Uint8Array.from({ length: 5_000_000 }, (_, at) => (at % 300) * 5),
      'nothing alike': Uint8Array.from({ length: 2_000_000 }, (_, at) => Math.imul(at, 0x9e3779b1) >>> 24),
    }
    for (const [shape, plain] of Object.entries(shapes)) {
      const folded = lzwCompress(plain) as Uint8Array
      const unfolding = new Unfolding(folded, MOST)
      const most = 1_000_000
      let calls = 0
      for (; unfolding.bytes === undefined; calls++) {
        const before = unfolding.size
        const work = unfolding.advance(most)
        assert.ok(work <= most + BEYOND, `${shape}: ${work}`)
        assert.ok(unfolding.size - before <= work, `${shape}: work counts each byte`)
      }
      // Each byte of codes is read twice, and counts for several.
      assert.ok(calls > (plain.length + 2 * folded.length) / (most + BEYOND), `${shape}: ${calls} calls`)
      assert.ok(Buffer.compare(unfolding.bytes as Uint8Array, plain) === 0)
    }
  })

  test('the call that finds the length takes no memory where it cannot finish', () => {
    const unfolding = new Unfolding(lzwCompress(new Uint8Array(MOST)) as Uint8Array, MOST)
    const before = process.memoryUsage().arrayBuffers
    unfolding.advance(2_000_000)
    assert.equal(unfolding.size, 0)
    assert.ok(process.memoryUsage().arrayBuffers - before < 65_536)
    unfolding.advance(2_000_000)
    assert.ok(unfolding.size >= 2_000_000)
  })

  test('once it is over a further call does nothing', () => {
    const unfolding = new Unfolding(lzwCompress(Uint8Array.of(1, 2, 3)) as Uint8Array, MOST)
    assert.ok(unfolding.advance(Number.POSITIVE_INFINITY) > 0)
    const { bytes } = unfolding
    assert.deepEqual(bytes, Uint8Array.of(1, 2, 3))
    assert.equal(unfolding.advance(1000), 0)
    assert.equal(unfolding.bytes, bytes)
  })
})
