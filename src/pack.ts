// Structured values <-> bytes, for the payloads of events, queries and responses: MessagePack, which Go's programs read. Bytes and
// texts go as they are. The one importer of msgpackr, which packs a copy of plain data that we have looked at. What others packed is read
// by our own reader, once it is proven whole, bounded and free of extension types: msgpackr takes broken text, and drops marks of order.
// Source: the MessagePack specification; wire-protocol §1.5.
import type { Packr as PackrType } from 'msgpackr'
// This entry of msgpackr loads no native addon and makes no code from strings.
// @ts-expect-error it brings no types; they are those of the main entry
import * as untyped from 'msgpackr/index-no-eval'
import { utf8 } from './base/bytes.ts'
import { DecodeError, OptionsError } from './base/errors.ts'
import { MAX_STRUCT_BYTES, MAX_VALUE_DEPTH } from './wire/limits.ts'
import { Reader } from './wire/msgpack.ts'
import { Skipper } from './wire/skipper.ts'

/** What an event, a query or a response may carry. Bytes go as they are, a text as UTF-8; both are for programs of any kind. Anything else is
 *  packed as MessagePack: null, booleans, numbers, bigints of 64 bits, texts, bytes, and lists and plain objects of these. */
export type Payload = Uint8Array | string | number | bigint | boolean | null | object

/** Bytes that `unpack` reads: more than any message of a cluster carries as a payload. */
export const MAX_PACKED_BYTES: number = MAX_STRUCT_BYTES
/** Values in one structure, keys among them. Each takes a byte at least. */
const MAX_VALUES = MAX_PACKED_BYTES

const LEAST_INT32 = -(2 ** 31)
const MOST_UINT32 = 2 ** 32 - 1
const LEAST_INTEGER = -(2n ** 63n)
const MOST_INTEGER = 2n ** 64n - 1n

// Maps for objects: so a key is only ever a key, whatever it is called.
const { Packr } = untyped as { Packr: typeof PackrType }
const packr = new Packr({ useRecords: false, mapsAsObjects: false })
const skipper = new Skipper({ maxDepth: MAX_VALUE_DEPTH, extensions: false })

/** A payload as bytes: bytes themselves (the very same, not a copy), a text as UTF-8, nothing as no bytes, anything else as
 *  MessagePack. As with JSON, a property that is undefined is left out, a place of a list that is undefined is null, and -0 is 0.
 *  @throws OptionsError that names the place (`payload.items[2]`) of what cannot be packed: functions, symbols, instances of classes
 *  (a Date, a Map), integers beyond 64 bits, broken text, a cycle, more than 64 levels or 65,536 values */
export function packPayload(payload: unknown): Uint8Array {
  if (payload === undefined) return new Uint8Array(0)
  if (payload instanceof Uint8Array) return payload
  if (typeof payload === 'string') return utf8(wellFormed(payload, 'payload'))
  // A copy: msgpackr gives a slice of a buffer that it goes on using.
  return new Uint8Array(packr.pack(plainCopy(payload, 'payload', { left: MAX_VALUES, above: [] })))
}

/** Reads what `packPayload` made of a structured value, or any MessagePack of another program. No bytes are undefined. Integers beyond
 *  what a number holds exactly are bigints, and keys that are integers become texts; of a key that comes twice the last holds.
 *  @throws DecodeError for bytes that are not one whole MessagePack value: nested deeper than 64 levels, of more than 65,536 bytes,
 *  with extension types, with text that is not UTF-8, with keys that are neither text nor integer, or with bytes behind it */
export function unpack(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined
  if (bytes.length > MAX_PACKED_BYTES) throw new DecodeError(`${bytes.length} bytes, ${MAX_PACKED_BYTES} are read`)
  skipper.reset()
  const end = skipper.advance(bytes, 0, bytes.length, bytes.length)
  if (!skipper.done) throw new DecodeError('the value breaks off')
  if (end < bytes.length) throw new DecodeError(`${bytes.length - end} bytes behind the value`)
  return readValue(new Reader(bytes))
}

interface Copying {
  /** Values that may still come. */
  left: number
  /** The containers we are in. */
  readonly above: object[]
}

/** The same value of lists, maps and scalars alone. */
function plainCopy(value: unknown, path: string, copying: Copying): unknown {
  if (copying.left-- === 0) throw new OptionsError(path, value, `must have at most ${MAX_VALUES} values in all`)
  switch (typeof value) {
    case 'boolean':
      return value
    case 'number':
      // msgpackr writes it as a fraction, which other programs take for no integer.
      return Number.isSafeInteger(value) && (value < LEAST_INT32 || value > MOST_UINT32) ? BigInt(value) : value
    case 'string':
      return wellFormed(value, path)
    case 'bigint':
      if (value >= LEAST_INTEGER && value <= MOST_INTEGER) return value
      throw new OptionsError(path, value, 'must be an integer of 64 bits')
    case 'object':
      return value === null || value instanceof Uint8Array ? value : plainContainer(value, path, copying)
    default:
      throw new OptionsError(path, value, 'must be data: a text, a number, bytes, a list or a plain object')
  }
}

function plainContainer(value: object, path: string, copying: Copying): unknown {
  const { above } = copying
  if (above.includes(value)) throw new OptionsError(path, value, 'must not hold itself')
  // One that is empty opens no level, as for whoever reads it.
  if (above.length === MAX_VALUE_DEPTH && Object.keys(value).length > 0)
    throw new OptionsError(path, value, `is nested deeper than ${MAX_VALUE_DEPTH}`)
  const isPlain = Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value))
  if (!isPlain)
    throw new OptionsError(path, value, 'must be bytes, a list or a plain object, not an instance of a class')
  above.push(value)
  const copy = Array.isArray(value) ? listCopy(value, path, copying) : mapCopy(value, path, copying)
  above.pop()
  return copy
}

function listCopy(list: readonly unknown[], path: string, copying: Copying): unknown[] {
  // A list of holes takes no time to make, and much to pack.
  if (list.length > copying.left) throw new OptionsError(path, list, `must have at most ${MAX_VALUES} values in all`)
  return Array.from(list, (item, index) => plainCopy(item === undefined ? null : item, `${path}[${index}]`, copying))
}

function mapCopy(value: object, path: string, copying: Copying): Map<string, unknown> {
  const copy = new Map<string, unknown>()
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    copying.left--
    copy.set(wellFormed(key, `${path}, a key`), plainCopy(item, `${path}.${key}`, copying))
  }
  return copy
}

/** Half a character has no UTF-8: another text would arrive. */
function wellFormed(text: string, path: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new OptionsError(path, text, 'must be well-formed text')
  return text
}

/** The next value, whole by now, nested as deep as is allowed. Shares no memory with its bytes. */
function readValue(reader: Reader): unknown {
  const head = reader.peek()
  if (head === 0xc0) {
    reader.at++
    return null
  }
  if (head === 0xc2 || head === 0xc3) return reader.bool()
  if (head === 0xca || head === 0xcb) return reader.float()
  if (head >= 0xc4 && head <= 0xc6) return reader.byteString()
  if (isText(head)) return reader.text()
  if ((head & 0xf0) === 0x90 || head === 0xdc || head === 0xdd) {
    return Array.from({ length: reader.arrayLength() }, () => readValue(reader))
  }
  if ((head & 0xf0) === 0x80 || head === 0xde || head === 0xdf) {
    const pair = (): [string, unknown] => [readKey(reader), readValue(reader)]
    // Also `__proto__` becomes a property of its own here.
    return Object.fromEntries(Array.from({ length: reader.mapLength() }, pair))
  }
  return reader.int()
}

function readKey(reader: Reader): string {
  const head = reader.peek()
  if (isText(head)) return reader.text()
  if (head < 0x80 || head >= 0xe0 || (head >= 0xcc && head <= 0xd3)) return String(reader.int())
  throw new DecodeError('a key is neither text nor integer')
}

function isText(head: number): boolean {
  return (head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb)
}
