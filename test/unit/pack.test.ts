import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DecodeError, OptionsError } from '../../src/base/errors.ts'
import { MAX_PACKED_BYTES, packPayload, unpack } from '../../src/pack.ts'
import { fromHex } from './wire/vectors.ts'

const nested = (depth: number): unknown => {
  let value: unknown = []
  for (let level = 1; level < depth; level++) value = [value]
  return value
}

describe('packing', () => {
  test('bytes go as they are, a text as UTF-8, nothing as no bytes', () => {
    const bytes = Uint8Array.of(0xff, 0, 1)
    assert.equal(packPayload(bytes), bytes)
    assert.deepEqual(packPayload('Größe'), new Uint8Array(Buffer.from('Größe')))
    assert.deepEqual(packPayload(undefined), new Uint8Array(0))
    assert.deepEqual(packPayload(''), new Uint8Array(0))
  })

  test('anything else is MessagePack as every other program reads it', () => {
    const hex = (value: unknown): string => Buffer.from(packPayload(value)).toString('hex')
    assert.equal(hex(null), 'c0')
    assert.equal(hex(true), 'c3')
    assert.equal(hex(300), 'cd012c')
    assert.equal(hex(-1), 'ff')
    assert.equal(hex(1.5), 'cb3ff8000000000000')
    assert.equal(hex(2n ** 64n - 1n), 'cfffffffffffffffff')
    assert.equal(hex([1, 'a', Uint8Array.of(7)]), '9301a161c40107')
    assert.equal(hex([-0]), '9100')
    assert.equal(hex({ a: 1, b: { c: [] } }), '82a16101a16281a16390')
    assert.equal(hex(Object.assign(Object.create(null), { a: 1 })), '81a16101')
  })

  test('integers beyond 32 bits are integers too: Go reads no fraction into an int64, be it whole', () => {
    const hex = (value: unknown): string => Buffer.from(packPayload(value)).toString('hex')
    // What go-msgpack v2.1.5 reads into int64, uint64 and float64 alike. A `cb` in the place of `d3` it reads into float64 alone.
    assert.equal(hex({ at: 1_722_470_400_000 }), '81a26174d3000001910b3c8000')
    assert.equal(hex([2 ** 32 - 1, -(2 ** 31)]), '92ceffffffffd280000000')
    assert.equal(hex([2 ** 32, -(2 ** 31) - 1]), '92d30000000100000000d3ffffffff7fffffff')
    assert.equal(hex(Number.MAX_SAFE_INTEGER), 'd3001fffffffffffff')
    assert.equal(hex(Number.MIN_SAFE_INTEGER), 'd3ffe0000000000001')
    assert.equal(hex([2 ** 53, 2 ** 32 + 0.5]), '92cb4340000000000000cb41f0000000080000')
  })

  test('as with JSON an undefined property is left out, and an undefined place of a list is null', () => {
    // biome-ignore lint/suspicious/noSparseArray: the test is about a list with a hole, which has to be written as one
    assert.deepEqual(unpack(packPayload({ a: undefined, b: [undefined, , 1] })), { b: [null, null, 1] })
  })

  test('keys that mean something to JavaScript are keys like any other', () => {
    const value = JSON.parse('{"__proto__":{"x":1},"constructor":2,"toJSON":3,"hasOwnProperty":4,"then":5}')
    const back = unpack(packPayload(value))
    assert.deepEqual(back, value)
    assert.equal(Object.getPrototypeOf(back), Object.prototype)
    assert.ok(Object.hasOwn(back as object, '__proto__'))
  })

  test('what is no data is named by its place', () => {
    class Point {}
    const cycle: Record<string, unknown> = {}
    cycle.again = [cycle]
    const cases: [unknown, string][] = [
      [() => {}, 'payload'],
      [Symbol('s'), 'payload'],
      [{ items: [1, 2, () => {}] }, 'payload.items[2]'],
      [{ at: new Date() }, 'payload.at'],
      [new Map(), 'payload'],
      [[new Point()], 'payload[0]'],
      [new Uint16Array(1), 'payload'],
      [{ big: 2n ** 64n }, 'payload.big'],
      [{ small: -(2n ** 63n) - 1n }, 'payload.small'],
      ['\ud800', 'payload'],
      [{ name: 'half \udc00' }, 'payload.name'],
      [{ '\ud800': 1 }, 'payload, a key'],
      [cycle, 'payload.again[0]'],
      [nested(66), `payload${'[0]'.repeat(64)}`],
      [new Array(MAX_PACKED_BYTES + 1), 'payload'],
      [Array.from({ length: 300 }, () => new Array(300).fill(0)), 'payload[217]'],
    ]
    for (const [value, place] of cases) {
      assert.throws(
        () => packPayload(value),
        (error) => error instanceof OptionsError && error.option === place,
        place,
      )
    }
  })

  test('what stands in several places without a cycle is packed in each', () => {
    const shared = { x: 1 }
    assert.deepEqual(unpack(packPayload([shared, shared])), [shared, shared])
  })

  test('the result shares no memory with the next one', () => {
    const first = packPayload({ a: 1 })
    const before = Buffer.from(first).toString('hex')
    packPayload({ b: 'something else' })
    assert.equal(Buffer.from(first).toString('hex'), before)
    assert.equal(first.buffer.byteLength, first.length)
  })
})

/** What survives the journey unchanged. */
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.double().map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n + 1n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) - 1n }),
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value

describe('unpacking', () => {
  test('gives back what was packed', () => {
    fc.assert(
      fc.property(values, (value) => {
        // A text and bytes alone go as they are.
        assert.deepEqual(unpack(packPayload([value])), [value])
      }),
    )
  })

  test('any bytes are a value or a DecodeError, and are left as they were', () => {
    const taken = new Set<string>()
    const mangled = fc.tuple(values, fc.nat(), fc.uint8Array({ maxLength: 3 })).map(([value, at, instead]) => {
      const bytes = new Uint8Array(packPayload([value]))
      bytes.set(instead.subarray(0, bytes.length), at % (bytes.length - Math.min(instead.length, bytes.length) + 1))
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 60 }), mangled), (bytes) => {
        const before = Buffer.from(bytes).toString('hex')
        const keys = Reflect.ownKeys(bytes).length
        try {
          // Once packed by us it stays the same: a negative zero is zero then.
          const once = unpack(packPayload([unpack(bytes)]))
          assert.deepEqual(unpack(packPayload(once)), once)
          taken.add('read')
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error))
          taken.add('refused')
        }
        assert.equal(Buffer.from(bytes).toString('hex'), before)
        assert.equal(Reflect.ownKeys(bytes).length, keys)
      }),
      { numRuns: 2000 },
    )
    assert.equal(taken.size, 2)
  })

  test('a text that begins with a mark of byte order keeps it, however long it is', () => {
    for (const length of [0, 10, 64, 65, 300, 20_000]) {
      const text = `\ufeff${'x'.repeat(length)}`
      assert.deepEqual(unpack(packPayload([text, { [text]: text }])), [text, { [text]: text }], `${length}`)
    }
  })

  test('no bytes are nothing', () => {
    assert.equal(unpack(new Uint8Array(0)), undefined)
  })

  test('hostile bytes are a DecodeError', () => {
    const cases = {
      'cut short': '92c0',
      'a length beyond the end': 'dbffffffff61',
      'a list of four thousand million': 'ddffffffff',
      'a map of four thousand million': 'dfffffffff',
      'bytes behind the value': 'c0c0',
      'the never-used byte': 'c1',
      'an extension': 'd40001',
      "msgpackr's record": 'd4724091a16101',
      'a timestamp': 'd6ff00000000',
      'an extension inside': '91c7010161',
      'nested too deep': `${'91'.repeat(65)}c0`,
      'a key of bytes': '81c40161c0',
      'a key that is a list': '8190c0',
      'a key that is nothing': '81c0c0',
      'a key that is a fraction': '81cb3ff8000000000000c0',
      'a key that is true': '81c3c0',
      'an overlong slash': 'a2c0af',
      'a surrogate in UTF-8': 'a3eda080',
      'an overlong slash in a long text': `d920${'61'.repeat(30)}c0af`,
      'broken text in a key': '81a1ffc0',
      'broken text behind bytes, numbers and containers': '93c40161cb000000000000000081ce00000001a1ff',
    }
    for (const [what, hex] of Object.entries(cases)) assert.throws(() => unpack(fromHex(hex)), DecodeError, what)
    assert.throws(() => unpack(new Uint8Array(MAX_PACKED_BYTES + 1)), DecodeError)
    assert.deepEqual(unpack(packPayload(nested(65))), nested(65))
  })

  test('of a key that comes twice the last holds, and `__proto__` changes no prototype', () => {
    assert.deepEqual(unpack(fromHex('82a16101a16102')), { a: 2 })
    const evil = unpack(fromHex('81a95f5f70726f746f5f5f81a17801')) as { x?: unknown }
    assert.equal(evil.x, undefined)
    assert.equal(Object.getPrototypeOf(evil), Object.prototype)
  })

  test('integers of a key become texts, large ones of a value bigints', () => {
    assert.deepEqual(unpack(fromHex('82010205cf0020000000000001')), { 1: 2, 5: 2n ** 53n + 1n })
    assert.deepEqual(unpack(fromHex('cf0000000000000005')), 5)
  })

  test('what is read shares no memory with the bytes', () => {
    const bytes = fromHex('91c403010203')
    const [inside] = unpack(bytes) as [Uint8Array]
    bytes.fill(9)
    assert.deepEqual(inside, Uint8Array.of(1, 2, 3))
    // Nor with one another: some put bytes into a common buffer.
    assert.equal(inside.buffer.byteLength, 3)
  })
})

test('no native addon is loaded, and no code is made from strings', () => {
  const code = `
    import { packPayload, unpack } from './src/pack.ts'
    for (let round = 0; round < 100; round++) unpack(packPayload([{ text: 'round', n: round }]))
    const addons = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'))
    console.log(JSON.stringify(addons.filter((path) => path.includes('msgpackr'))))
  `
  const output = execFileSync(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '-e', code],
    { encoding: 'utf8' },
  )
  assert.deepEqual(JSON.parse(output), [])
})
