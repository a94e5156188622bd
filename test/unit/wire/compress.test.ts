import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DecodeError } from '../../../src/base/errors.ts'
import { lzwCompress, unwrapCompressed, wrapCompressed, wrapIfSmaller } from '../../../src/wire/compress.ts'
import { lzwDecompress } from '../../../src/wire/unfold.ts'
import { fromHex, Tally, toHex, vectorsOf } from './vectors.ts'

const ROOM = 1 << 20

/** Bytes in which LZW finds much, little and nothing. */
const sources = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.array(fc.constantFrom(0, 1), { maxLength: 30_000 }).map((bits) => Uint8Array.from(bits)),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 30 }), fc.nat(2000))
    .map(([unit, times]) =>
      Uint8Array.from({ length: unit.length * times }, (_, at) => unit[at % unit.length] as number),
    ),
  fc.uint8Array({ minLength: 8000, maxLength: 20_000, size: 'max' }),
)

describe('golden vectors of LZW', () => {
  test('every stream unfolds to its stated bytes, or is refused as Go refuses it; every exact one folds back', (t) => {
    const tally = new Tally()
    for (const { name, bytes, hex, decoded, expect, encode } of vectorsOf('lzw')) {
      const error = (expect.go as { error?: string } | undefined)?.error
      if (error !== undefined) {
        assert.throws(() => lzwDecompress(bytes, ROOM), { name: 'DecodeError', message: error }, name)
        tally.add('refused')
        continue
      }
      assert.equal(toHex(lzwDecompress(bytes, ROOM)), toHex(decoded as Uint8Array), name)
      tally.add('decoded')
      if (encode !== 'exact') continue
      assert.equal(toHex(lzwCompress(decoded as Uint8Array) as Uint8Array), hex, name)
      tally.add('exact')
    }
    t.diagnostic(JSON.stringify(tally.counts))
    assert.deepEqual(tally.counts, { decoded: 33, exact: 26, refused: 5 })
  })
})

describe('LZW', () => {
  test('what is folded unfolds to the same bytes', () => {
    fc.assert(
      fc.property(sources, (source) => {
        const folded = lzwCompress(source) as Uint8Array
        assert.deepEqual(lzwDecompress(folded, source.length), source)
      }),
    )
  })

  test('a limit on the output holds to the byte, both ways', () => {
    fc.assert(
      fc.property(sources, (source) => {
        const folded = lzwCompress(source) as Uint8Array
        assert.deepEqual(lzwCompress(source, folded.length), folded)
        assert.equal(lzwCompress(source, folded.length - 1), undefined)
        if (source.length > 0) assert.throws(() => lzwDecompress(folded, source.length - 1), DecodeError)
      }),
      { numRuns: 50 },
    )
  })

  test('five thousand tables later the stamps still tell old entries from new', () => {
    const source = Uint8Array.from({ length: 200 }, (_, at) => (at * 7) % 23)
    const wanted = toHex(lzwCompress(source) as Uint8Array)
    for (let round = 0; round < 5000; round++) lzwCompress(source)
    assert.equal(toHex(lzwCompress(source) as Uint8Array), wanted)
  })

  test('random bytes unfold or are refused, and never fill more than the limit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        try {
          assert.ok(lzwDecompress(bytes, 2000).length <= 2000)
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error))
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('what was unfolded', () => {
  test('is memory of its own: the next one leaves it as it is', () => {
    const [first, second] = [new Uint8Array(300).fill(1), new Uint8Array(300).fill(2)]
    const [foldedFirst, foldedSecond] = [first, second].map((bytes) => lzwCompress(bytes) as Uint8Array)
    const unfolded = lzwDecompress(foldedFirst as Uint8Array, ROOM)
    assert.deepEqual(lzwDecompress(foldedSecond as Uint8Array, ROOM), second)
    lzwCompress(second)
    assert.deepEqual(unfolded, first)
  })
})

describe('a full table', () => {
  /** Codes as memberlist packs them, without a clear: the width grows with the table and stays at 12. */
  function packed(codes: readonly number[]): Uint8Array {
    const out: number[] = []
    let bits = 0
    let bitCount = 0
    codes.forEach((code, at) => {
      const known = Math.min(257 + at, 4095)
      const width = known < 512 ? 9 : known < 1024 ? 10 : known < 2048 ? 11 : 12
      bits |= code << bitCount
      for (bitCount += width; bitCount >= 8; bitCount -= 8) {
        out.push(bits & 0xff)
        bits >>>= 8
      }
    })
    out.push(bits)
    return Uint8Array.from(out)
  }

  test('takes no new entry and loses none: the last is what the 3838th and 3839th code made it', () => {
    const literals = Array.from({ length: 5000 }, (_, at) => at % 250)
    const unfolded = lzwDecompress(packed([...literals, 4095, 4094, 4095, 257]), ROOM)
    assert.deepEqual([...unfolded.subarray(0, 5000)], literals)
    // Entry 258 is codes 0 and 1, so entry 4095 is codes 3837 and 3838.
    const last = [3837 % 250, 3838 % 250]
    assert.deepEqual([...unfolded.subarray(5000)], [...last, 3836 % 250, 3837 % 250, ...last])
  })
})

describe('the compress message', () => {
  test('it is kept only where it is smaller, and always where it is asked for', () => {
    const long = new Uint8Array(400).fill(7)
    const short = Uint8Array.of(8, 1, 2, 3)
    assert.ok(wrapIfSmaller(long).length < 60)
    assert.deepEqual(unwrapCompressed(wrapIfSmaller(long), 400), long)
    assert.equal(wrapIfSmaller(short), short)
    assert.ok(wrapCompressed(short).length > short.length)
    assert.deepEqual(unwrapCompressed(wrapCompressed(short), 400), short)
  })

  test('the choice is the right one at every size near the edge', () => {
    for (let length = 1; length < 200; length++) {
      const message = Uint8Array.from({ length }, (_, at) => at % 17)
      const always = wrapCompressed(message)
      assert.deepEqual(wrapIfSmaller(message), always.length < message.length ? always : message, `${length} bytes`)
    }
  })

  test("another algorithm and an empty content are refused in memberlist's words", () => {
    const algorithm = fromHex('0982a4416c676f01a3427566a20003')
    assert.throws(() => unwrapCompressed(algorithm, ROOM), { message: 'cannot decompress unknown algorithm 1' })
    const nothing = fromHex('0982a4416c676f00a3427566a3000302')
    assert.throws(() => unwrapCompressed(nothing, ROOM), { message: 'decompressed message is empty' })
  })
})

describe('what unfolds to far more than it is', () => {
  const MOST = 41_943_040

  test('it is refused before it unfolds: no memory is taken for it', () => {
    const bomb = lzwCompress(new Uint8Array(MOST + 1)) as Uint8Array
    const before = process.memoryUsage().arrayBuffers
    assert.throws(() => lzwDecompress(bomb, MOST), /larger than limit \(41943040\)/)
    const taken = process.memoryUsage().arrayBuffers - before
    assert.ok(taken < 65_536, `${taken} bytes for ${bomb.length}`)
  })

  test('strings of any length repeat themselves rightly, with a limit that is measured first and with one that is not', () => {
    for (const period of [1, 2, 3, 63, 64, 65, 300]) {
      const plain = Uint8Array.from({ length: 60_000 }, (_, at) => (at % period) * 7)
      const packed = lzwCompress(plain) as Uint8Array
      for (const most of [65_536, MOST]) assert.deepEqual(lzwDecompress(packed, most), plain, `${period}, ${most}`)
    }
  })
})
