// Go's structs as MessagePack, told by schemas that are declared once. A schema names each field as it travels and as we
// call it, in Go's order of declaration, and reads straight into our own shapes; there is no object in between.
// Structs go out as maps with keys in byte order (wire-protocol §1.1); they come in as maps, arrays or nil (§1.2).
// Go's nil bytes, lists and maps come in as `NO_BYTES`, `NO_ITEMS` and `NO_ENTRIES`, and these very objects go out as nil.
import { assert } from '../base/assert.ts'
import { NO_BYTES, utf8 } from '../base/bytes.ts'
import { DecodeError } from '../base/errors.ts'
import { MAX_LIST_ITEMS, MAX_STRUCT_FIELDS } from './limits.ts'
import { IllFormedText, Reader } from './msgpack-reader.ts'
import { Writer } from './msgpack-writer.ts'
import type { Uint64 } from './types.ts'

export { Reader, Writer }

/** Go's nil list. */
export const NO_ITEMS: readonly never[] = Object.freeze([])
/** Go's nil map. */
export const NO_ENTRIES: ReadonlyMap<string, never> = new Map<string, never>()

/** How one kind of value is read and written. */
export interface Codec<Value> {
  /** Takes one value. Throws `DecodeError` on anything that is not of this kind. */
  decode(reader: Reader): Value
  /** Puts one value. What is out of range is our bug, and an assertion. */
  encode(writer: Writer, value: Value): void
}

/** A field: its name on the wire, its key in our shape, its kind, and whether it stays away where it is zero or empty. */
export type Field<Shape> = {
  [Key in keyof Shape & string]: readonly [name: string, key: Key, codec: Codec<Shape[Key]>, omit?: 'omit-empty']
}[keyof Shape & string]

export const uint8: Codec<number> = unsigned(0xff)
export const uint16: Codec<number> = unsigned(0xffff)
export const uint32: Codec<number> = unsigned(0xffff_ffff)

export const uint64: Codec<Uint64> = {
  decode: (reader) => reader.uint64(),
  encode(writer, value) {
    assert(value >= 0, 'an unsigned field is not negative')
    writer.int(value)
  },
}

/** A Go `int` or `int64`; also a duration in nanoseconds. */
export const int64: Codec<Uint64> = {
  decode: (reader) => reader.int64(),
  encode: (writer, value) => writer.int(value),
}

/** A Go `int` in which large numbers have no sense: states, ports. Beyond 32 bits it is refused. */
export const int32: Codec<number> = {
  decode(reader) {
    const value = reader.int64()
    if (typeof value === 'number' && value === (value | 0)) return value
    throw new DecodeError(`${value} is not in 32 bits`)
  },
  encode: (writer, value) => writer.int(value),
}

export const bool: Codec<boolean> = {
  decode: (reader) => reader.bool(),
  encode: (writer, value) => writer.bool(value),
}

export const float64: Codec<number> = {
  decode: (reader) => reader.float(),
  encode: (writer, value) => writer.float(value),
}

export const text: Codec<string> = {
  decode: (reader) => reader.text(),
  encode: (writer, value) => writer.text(value),
}

/** Bytes; what is read is a copy. */
export const bytes: Codec<Uint8Array> = {
  decode: (reader) => reader.byteString(),
  encode(writer, value) {
    if (value === NO_BYTES) writer.nil()
    else writer.raw(value)
  },
}

/** Bytes for which nil is `null`. */
export const bytesOrNull: Codec<Uint8Array | null> = {
  decode: (reader) => reader.bytesOrNull(),
  encode(writer, value) {
    if (value === null) writer.nil()
    else writer.raw(value)
  },
}

/** A value or nil, which is `null`. */
export function nullable<Value>(codec: Codec<Value>): Codec<Value | null> {
  return {
    decode: (reader) => (reader.isNil() ? null : codec.decode(reader)),
    encode(writer, value) {
      if (value === null) writer.nil()
      else codec.encode(writer, value)
    },
  }
}

/** A list of a few. A nil among the items is that kind's zero. */
export function list<Item>(codec: Codec<Item>): Codec<readonly Item[]> {
  return {
    decode(reader) {
      if (reader.isNil()) return NO_ITEMS
      const count = reader.arrayLength()
      if (count > MAX_LIST_ITEMS) throw new DecodeError(`list of ${count}, at most ${MAX_LIST_ITEMS} are taken`)
      const items: Item[] = []
      for (let left = count; left > 0; left--) items.push(codec.decode(reader))
      return items
    },
    encode: (writer, items) => encodeList(codec, writer, items),
  }
}

/** A list without the items that have ill-formed text in them. */
export function wellFormedList<Item>(codec: Codec<Item>): Codec<readonly Item[]> {
  return {
    decode(reader) {
      if (reader.isNil()) return NO_ITEMS
      const items: Item[] = []
      for (let left = reader.arrayLength(); left > 0; left--) {
        const item = decodeWellFormed(codec, reader)
        if (item !== undefined) items.push(item)
      }
      return items
    },
    encode: (writer, items) => encodeList(codec, writer, items),
  }
}

/** Takes one value; `undefined` where a text in it is ill-formed, and the value is passed over. One name must not cost the
 *  others. Differs: Go keeps names that are not UTF-8, and our text cannot hold them.
 *  @param allowance how many more may be so; beyond, `IllFormedText` is thrown */
export function decodeWellFormed<Value>(
  codec: Codec<Value>,
  reader: Reader,
  allowance: Pick<Reader, 'forgivable'> = reader,
): Value | undefined {
  const start = reader.at
  try {
    return codec.decode(reader)
  } catch (error) {
    if (!(error instanceof IllFormedText) || allowance.forgivable === 0) throw error
    allowance.forgivable--
    reader.leftOut++
    // The codec stopped somewhere within: over the whole value instead, so that the next one is read from its beginning.
    reader.at = start
    reader.skip()
    return undefined
  }
}

/** A list in which nil stands for an empty slot: such items are left out of what is read. */
export function slots<Item>(codec: Codec<Item>): Codec<readonly Item[]> {
  return {
    decode(reader) {
      if (reader.isNil()) return NO_ITEMS
      const items: Item[] = []
      for (let left = reader.arrayLength(); left > 0; left--) if (!reader.isNil()) items.push(codec.decode(reader))
      return items
    },
    encode: (writer, items) => encodeList(codec, writer, items),
  }
}

/** A map with text for keys; keys are data, so never an object. Of a repeated key the last counts.
 *  @param illFormed what becomes of a pair whose key is ill-formed */
export function mapOf<Value>(
  codec: Codec<Value>,
  illFormed: 'refused' | 'left-out' = 'refused',
): Codec<ReadonlyMap<string, Value>> {
  const readKey = illFormed === 'refused' ? text.decode : (reader: Reader) => decodeWellFormed(text, reader)
  return {
    decode(reader) {
      if (reader.isNil()) return NO_ENTRIES
      const entries = new Map<string, Value>()
      for (let left = reader.mapLength(); left > 0; left--) {
        const key = readKey(reader)
        const value = codec.decode(reader)
        if (key !== undefined) entries.set(key, value)
      }
      return entries
    },
    encode(writer, entries) {
      if (entries === NO_ENTRIES) return writer.nil()
      writer.mapHead(entries.size)
      for (const [key, value] of entries) {
        writer.text(key)
        codec.encode(writer, value)
      }
    },
  }
}

/** A struct. `zero` makes the shape with every field at its zero, which is what fields that do not come keep. */
export function struct<Shape extends object>(zero: () => Shape, fields: readonly Field<Shape>[]): Codec<Shape> {
  return new Struct(zero, fields)
}

interface StructField {
  readonly key: string
  readonly codec: Codec<unknown>
  readonly omitEmpty: boolean
  /** The name as it travels: a short head and the bytes. */
  readonly encoded: Uint8Array
}

class Struct<Shape extends object> implements Codec<Shape> {
  readonly #zero: () => Shape
  readonly #declared: readonly StructField[]
  readonly #sorted: readonly StructField[]
  readonly #omits: boolean

  constructor(zero: () => Shape, fields: readonly Field<Shape>[]) {
    this.#zero = zero
    const named = fields.map(([name, key, codec, omit]) => {
      assert(name.length < 32, 'the name of a field has a short head')
      const encoded = Uint8Array.from([0xa0 | name.length, ...utf8(name)])
      return { name, key, codec: codec as Codec<unknown>, omitEmpty: omit !== undefined, encoded }
    })
    this.#declared = named
    this.#sorted = named.toSorted((left, right) => (left.name < right.name ? -1 : 1))
    this.#omits = named.some((field) => field.omitEmpty)
  }

  decode(reader: Reader): Shape {
    const shape = this.#zero()
    const target = shape as Record<string, unknown>
    const head = reader.peek()
    if (head === 0xc0) {
      reader.at++
    } else if ((head & 0xf0) === 0x90 || head === 0xdc || head === 0xdd) {
      this.#decodeArray(reader, target)
    } else {
      const fields = this.#sorted
      let expected = 0
      for (let left = fieldCount(reader.mapLength()); left > 0; left--) {
        const found = findField(fields, reader, expected)
        if (found < 0) {
          reader.skipUnknown()
          continue
        }
        const field = fields[found] as StructField
        target[field.key] = field.codec.decode(reader)
        expected = found + 1
      }
    }
    return shape
  }

  encode(writer: Writer, shape: Shape): void {
    const source = shape as Record<string, unknown>
    const fields = this.#sorted
    let count = fields.length
    if (this.#omits) {
      count = 0
      for (const field of fields) if (!field.omitEmpty || !isEmpty(source[field.key])) count++
    }
    writer.mapHead(count)
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index] as StructField
      const value = source[field.key]
      if (field.omitEmpty && isEmpty(value)) continue
      writer.put(field.encoded)
      field.codec.encode(writer, value)
    }
  }

  #decodeArray(reader: Reader, target: Record<string, unknown>): void {
    const count = fieldCount(reader.arrayLength())
    for (let index = 0; index < count; index++) {
      const field = this.#declared[index]
      if (field === undefined) reader.skipUnknown()
      else target[field.key] = field.codec.decode(reader)
    }
  }
}

/** Throws `DecodeError` where no struct has so many fields. */
export function fieldCount(count: number): number {
  if (count > MAX_STRUCT_FIELDS)
    throw new DecodeError(`struct of ${count} fields, at most ${MAX_STRUCT_FIELDS} are taken`)
  return count
}

/** Takes a key and gives the index of its field, or -1 where it is none of ours. Go sends keys in order, so the next one is tried first. */
function findField(fields: readonly StructField[], reader: Reader, expected: number): number {
  const start = reader.at
  const count = fields.length
  for (let turn = 0, index = expected; turn < count; turn++, index++) {
    if (index >= count) index = 0
    const encoded = (fields[index] as StructField).encoded
    if (matches(reader.bytes, start, reader.end, encoded, 0)) {
      reader.at = start + encoded.length
      return index
    }
  }
  if (reader.isNil()) return -1
  const length = reader.rawLength()
  const at = reader.at
  reader.at = at + length
  return fields.findIndex(
    ({ encoded }) => encoded.length === length + 1 && matches(reader.bytes, at, reader.at, encoded, 1),
  )
}

function matches(all: Uint8Array, at: number, end: number, encoded: Uint8Array, from: number): boolean {
  if (all[at] !== encoded[from] || end - at < encoded.length - from) return false
  for (let index = from + 1; index < encoded.length; index++) {
    if (all[at + index - from] !== encoded[index]) return false
  }
  return true
}

function encodeList<Item>(codec: Codec<Item>, writer: Writer, items: readonly Item[]): void {
  if (items === NO_ITEMS) {
    writer.nil()
    return
  }
  writer.arrayHead(items.length)
  for (const item of items) codec.encode(writer, item)
}

function unsigned(max: number): Codec<number> {
  return {
    decode: (reader) => reader.uint(max),
    encode(writer, value) {
      assert(value >= 0 && value <= max, 'an unsigned field holds a number of its width')
      writer.int(value)
    },
  }
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === 0 ||
    value === '' ||
    value === false ||
    (value instanceof Uint8Array && value.length === 0)
  )
}

const shared = new Writer()

/** Bytes put together by `build`, which must not keep the writer nor build anything else meanwhile. */
export function written(build: (writer: Writer) => void): Uint8Array {
  shared.reset()
  build(shared)
  return shared.finish()
}
