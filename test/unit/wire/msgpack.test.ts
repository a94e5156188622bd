import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AssertionError } from '../../../src/base/assert.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import { DecodeError } from '../../../src/base/errors.ts'
import type { Codec } from '../../../src/wire/msgpack.ts'
import {
  bool,
  bytesOrNull,
  float64,
  int32,
  int64,
  list,
  mapOf,
  NO_ITEMS,
  nullable,
  Reader,
  slots,
  struct,
  text,
  uint8,
  uint16,
  uint32,
  uint64,
  written,
} from '../../../src/wire/msgpack.ts'
import type { Fields, Stated } from './vectors.ts'
import { fromHex, Tally, toHex, vectorsOf } from './vectors.ts'

/** A struct with the names of the wire for keys. */
function raw(zero: Fields, fields: Record<string, unknown>): Codec<Fields> {
  return struct<Fields>(
    () => ({ ...zero }),
    Object.entries(fields).map(([name, codec]) => [name, name, codec]) as never,
  )
}

const event = raw({ Name: '', Payload: null }, { Name: text, Payload: bytesOrNull })
const slot = raw({ LTime: 0, Events: null }, { LTime: uint64, Events: nullable(list(event)) })
const alive = raw(
  { Incarnation: 0, Node: '', Addr: null, Port: 0, Meta: null, Vsn: null },
  { Incarnation: uint32, Node: text, Addr: bytesOrNull, Port: uint16, Meta: bytesOrNull, Vsn: bytesOrNull },
)
const udpAddress = raw({ IP: null, Port: 0, Zone: '' }, { IP: bytesOrNull, Port: int32, Zone: text })

/** What we read and write a Go type as, in the one field `V`. */
const KINDS: Record<string, unknown> = {
  string: text,
  '[]byte': bytesOrNull,
  'net.IP': bytesOrNull,
  uint8,
  uint16,
  uint32,
  uint64,
  int: int64,
  int32: int64,
  bool,
  float64,
  '[]string': nullable(list(text)),
  '[][]byte': nullable(list(bytesOrNull)),
  '[]float64': nullable(list(float64)),
  'map[string]string': nullable(mapOf(text)),
  'map[string]uint64': nullable(mapOf(uint64)),
  'events ptr slice': nullable(list(nullable(slot))),
}

/** Our value in the form in which vectors state values. */
function asStated(value: unknown): Stated {
  return value instanceof Map ? (Object.fromEntries(value) as Fields) : (value as Stated)
}

function attempt(bytes: Uint8Array, goType: string): { value: Stated } | undefined {
  try {
    if (goType === 'interface{}') {
      new Reader(bytes).skip()
      return { value: null }
    }
    if (goType === 'struct alive' || goType === 'unknown-field-then-Node')
      return { value: alive.decode(new Reader(bytes)) }
    const codec = raw({ V: null }, { V: KINDS[goType] })
    return { value: asStated(codec.decode(new Reader(bytes)).V) }
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error))
    return undefined
  }
}

describe('golden vectors of MessagePack', () => {
  test('every form of every kind gets its verdict, and its value', (t) => {
    const tally = new Tally()
    for (const { name, bytes, goType = '', expect, verdict } of vectorsOf('msgpack-decode')) {
      const found = attempt(bytes, goType)
      const outcome = (expect.go ?? expect.go_new) as Fields
      if (verdict === 'reject') {
        assert.equal(found, undefined, name)
      } else if (verdict === 'accept') {
        assert.deepEqual(found?.value, outcome.value, name)
      } else if (found !== undefined && goType !== 'interface{}' && 'value' in outcome) {
        // Where strictness is fine and we are not strict, the value is Go's all the same.
        assert.deepEqual(found.value, outcome.value, name)
      }
      tally.add(verdict as string)
    }
    t.diagnostic(JSON.stringify(tally.counts))
    assert.deepEqual(tally.counts, { accept: 215, reject: 528, either: 95 })
  })

  test('every gossip row encodes to its bytes', (t) => {
    const tally = new Tally()
    for (const { name, mode, hex, hexPrefix, decoded, encode, ...vector } of vectorsOf('msgpack-encode')) {
      if (mode !== 'gossip') {
        tally.add('of the agent RPC')
        continue
      }
      if (hexPrefix !== undefined) {
        const filler = 'x'.repeat(Number(/len (\d+)/.exec(name)?.[1]))
        const codec = name.includes('string') ? raw({}, { V: text }) : raw({}, { V: bytesOrNull })
        const value = name.includes('string') ? filler : utf8(filler)
        assert.equal(
          toHex(written((writer) => codec.encode(writer, { V: value }))).slice(0, hexPrefix.length),
          hexPrefix,
          name,
        )
        tally.add('head of a long value')
        continue
      }
      if (/gossip time( zero)?$/.test(name)) {
        // No message holds a time, so there is no codec for one.
        tally.add('time')
        continue
      }
      const { codec, value } = encoderFor(name, decoded, vector.bytes)
      const encoded = written((writer) => codec.encode(writer, value))
      assert.equal(toHex(encoded), hex, name)
      tally.add(encode)
    }
    t.diagnostic(JSON.stringify(tally.counts))
    assert.deepEqual(tally.counts, {
      exact: 26,
      semantic: 8,
      'head of a long value': 6,
      time: 1,
      'of the agent RPC': 82,
    })
  })
})

/** The codec that the name of an encode vector asks for, and the value in our form. */
function encoderFor(name: string, decoded: Stated, bytes: Uint8Array): { codec: Codec<unknown>; value: unknown } {
  const what = name.replace('gossip ', '')
  const wrap = (kind: unknown, value: unknown): { codec: Codec<unknown>; value: unknown } => ({
    codec: raw({}, { V: kind }) as Codec<unknown>,
    value: { V: value },
  })
  const mapped = decoded === null ? null : () => new Map(Object.entries(decoded as Fields))
  if (what === 'top-level nil ptr') return { codec: nullable(alive) as Codec<unknown>, value: null }
  if (what === 'top-level []string') return { codec: list(text) as Codec<unknown>, value: decoded }
  if (what.startsWith('top-level map')) {
    const inner = new Map(
      Object.entries(decoded as Fields).map(([key, value]) => [
        key,
        value === null ? null : new Map(Object.entries(value as Fields)),
      ]),
    )
    // Go's order is random: the order of these bytes.
    const codec = mapOf(nullable(mapOf(text)))
    const order = [...codec.decode(new Reader(bytes)).keys()]
    return { codec: codec as Codec<unknown>, value: new Map(order.map((key) => [key, inner.get(key)])) }
  }
  if (what === 'alive zero') return { codec: alive as Codec<unknown>, value: decoded }
  if (what.startsWith('uint') || what.startsWith('int') || what.startsWith('time.Duration')) {
    return wrap(what.startsWith('u') ? uint64 : int64, decoded)
  }
  if (what === 'bool') return wrap(bool, decoded)
  if (what.startsWith('float64')) return wrap(float64, decoded)
  const length = /len (\d+)$/.exec(what)?.[1]
  if (what.startsWith('string')) return wrap(text, 'x'.repeat(Number(length)))
  if (what.startsWith('[]byte') && length !== undefined) return wrap(bytesOrNull, utf8('x'.repeat(Number(length))))
  if (what.startsWith('[]byte') || what.includes('net.IP')) return wrap(bytesOrNull, decoded)
  if (what.startsWith('[]string')) return wrap(nullable(list(text)), decoded)
  if (what === '[][]byte') return wrap(list(bytesOrNull), decoded)
  if (what === '[]float64') return wrap(list(float64), decoded)
  if (what === '[]*E') return wrap(list(nullable(slot)), decoded)
  if (what.startsWith('map')) return wrap(nullable(mapOf(text)), mapped === null ? null : mapped())
  if (what.startsWith('UDPAddr')) return wrap(udpAddress, decoded)
  return assert.fail(`no encoder for ${name}`)
}

describe('structs', () => {
  const shape = struct<{ b: number; a: string; c: string }>(
    () => ({ b: 1, a: 'z', c: '' }),
    [
      ['B', 'b', uint8],
      ['A', 'a', text],
      ['C', 'c', text, 'omit-empty'],
    ],
  )

  test('keys go out in byte order whatever the order of declaration, and empty ones may stay away', () => {
    assert.equal(toHex(written((writer) => shape.encode(writer, { b: 2, a: 'x', c: '' }))), '82a141a178a14202')
    assert.equal(toHex(written((writer) => shape.encode(writer, { b: 2, a: '', c: 'y' }))), '83a141a0a14202a143a179')
  })

  test('the array form is read in the order of declaration, short or long', () => {
    assert.deepEqual(shape.decode(new Reader(fromHex('9102'))), { b: 2, a: 'z', c: '' })
    const reader = new Reader(fromHex('9402a178a17981a162c07f'))
    assert.deepEqual(shape.decode(reader), { b: 2, a: 'x', c: 'y' })
    assert.equal(reader.uint(255), 0x7f)
  })

  test('keys are found in any order, after unknown ones, and with any head', () => {
    assert.deepEqual(shape.decode(new Reader(fromHex('84a14202d90143a179da000141a178a15ac0'))), {
      b: 2,
      a: 'x',
      c: 'y',
    })
    assert.deepEqual(shape.decode(new Reader(fromHex('82a2414193c0c0c0c40142ccc8'))), { b: 200, a: 'z', c: '' })
  })

  test("Go's nil list comes in as the one that goes out as nil", () => {
    const codec = list(text)
    assert.equal(codec.decode(new Reader(fromHex('c0'))), NO_ITEMS)
    assert.equal(toHex(written((writer) => codec.encode(writer, NO_ITEMS))), 'c0')
    assert.equal(toHex(written((writer) => codec.encode(writer, []))), '90')
  })

  test('empty slots are left out', () => {
    assert.deepEqual(slots(uint8).decode(new Reader(fromHex('94c001c002'))), [1, 2])
  })
})

describe('bounds', () => {
  test('a length beyond the bytes is refused before anything is made of it', () => {
    for (const hex of ['dbffffffff', 'c6ffffffff', 'ddffffffff', 'dfffffffff']) {
      assert.throws(() => bytesOrNull.decode(new Reader(fromHex(hex))), DecodeError, hex)
      assert.throws(() => new Reader(fromHex(hex)).skip(), DecodeError, hex)
      assert.throws(() => list(uint8).decode(new Reader(fromHex(hex))), DecodeError, hex)
      assert.throws(() => mapOf(uint8).decode(new Reader(fromHex(hex))), DecodeError, hex)
    }
  })

  test('64-bit numbers are numbers as long as they are safe, and bigints above', () => {
    const read = (hex: string): unknown => uint64.decode(new Reader(fromHex(hex)))
    assert.equal(read('cf001fffffffffffff'), 2 ** 53 - 1)
    assert.equal(read('cf0020000000000000'), 2n ** 53n)
    assert.equal(read('cfffffffffffffffff'), 2n ** 64n - 1n)
    assert.throws(() => read('d3ffffffffffffffff'), DecodeError)
    assert.equal(int64.decode(new Reader(fromHex('d38000000000000000'))), -(2n ** 63n))
    assert.throws(() => int64.decode(new Reader(fromHex('cf8000000000000000'))), DecodeError)
  })

  test('text that is not UTF-8 is refused, short or long', () => {
    for (const hex of ['a3ff80fe', 'a2c328', `d940${'61'.repeat(63)}ff`]) {
      assert.throws(() => text.decode(new Reader(fromHex(hex))), DecodeError, hex)
    }
  })

  test('a number outside its field is our own bug when we encode it', () => {
    const encode = <Value>(codec: Codec<Value>, value: Value): Uint8Array =>
      written((writer) => codec.encode(writer, value))
    assert.throws(() => encode(uint8, 256), AssertionError)
    assert.throws(() => encode(uint32, -1), AssertionError)
    assert.throws(() => encode(uint32, 1.5), AssertionError)
    assert.throws(() => encode(uint64, 2 ** 60), AssertionError)
    assert.throws(() => encode(uint64, 2n ** 64n), AssertionError)
    assert.throws(() => encode(uint32, Number.NaN), AssertionError)
  })
})

test('what nobody knows, lists of a few, texts and bytes as numbers are bounded each', () => {
  const any = struct<{ few: readonly string[]; bytes: Uint8Array | null }>(
    () => ({ few: [], bytes: null }),
    [
      ['Few', 'few', list(text)],
      ['Bytes', 'bytes', bytesOrNull],
    ],
  )
  const withArray = (name: string, length: number): Reader => {
    const head = [0x81, 0xa0 | name.length, ...utf8(name), 0xdd, 0, length >> 16, (length >> 8) & 0xff, length & 0xff]
    const all = new Uint8Array(head.length + length).fill(name === 'Few' ? 0xa0 : 1)
    all.set(head)
    return new Reader(all)
  }
  assert.equal(any.decode(withArray('Few', 4096)).few.length, 4096)
  assert.throws(() => any.decode(withArray('Few', 4097)), /list of 4097/)
  assert.equal(any.decode(withArray('Bytes', 65_535)).bytes?.length, 65_535)
  assert.throws(() => any.decode(withArray('Bytes', 65_536)), /numbers/)
  assert.deepEqual(any.decode(withArray('Else', 65_535)).few, [])
  assert.throws(() => any.decode(withArray('Else', 65_536)), /too many values/)
})
