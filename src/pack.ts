// Structured values <-> bytes, for the payloads of events, queries and responses: MessagePack, which Go's programs read. Bytes and
// texts go as they are. The one importer of msgpackr, which is fed only what we have looked at first: what goes in is a copy of plain
// data, what comes out was proven whole, bounded and free of extension types and of broken text by our own walk.
// Source: the MessagePack specification; wire-protocol §1.5.
import type { Packr as PackrType } from 'msgpackr'
// This entry of msgpackr loads no native addon and makes no code from strings.
// @ts-expect-error it brings no types; they are those of the main entry
import * as untyped from 'msgpackr/index-no-eval'
import { textOf, utf8 } from './base/bytes.ts'
import { DecodeError, OptionsError } from './base/errors.ts'
import { MAX_STRUCT_BYTES, MAX_VALUE_DEPTH } from './wire/limits.ts'
import { Skipper } from './wire/skipper.ts'

/** What an event, a query or a response may carry. Bytes go as they are, a text as UTF-8; both are for programs of any kind. Anything else is
 *  packed as MessagePack: null, booleans, numbers, bigints of 64 bits, texts, bytes, and lists and plain objects of these. */
export type Payload = Uint8Array | string | number | bigint | boolean | null | object

/** Bytes that `unpack` reads: more than any message of a cluster carries as a payload. */
export const MAX_PACKED_BYTES: number = MAX_STRUCT_BYTES
/** Values in one structure, keys among them. Each takes a byte at least. */
const MAX_VALUES = MAX_PACKED_BYTES

const LEAST_INTEGER = -(2n ** 63n)
const MOST_INTEGER = 2n ** 64n - 1n

// Maps for objects both ways: so a key is only ever a key, whatever it is called.
const { Packr } = untyped as { Packr: typeof PackrType }
const packr = new Packr({ useRecords: false, mapsAsObjects: false, int64AsType: 'auto' as 'bigint' })
const skipper = new Skipper({ maxDepth: MAX_VALUE_DEPTH, extensions: false })

/** A payload as bytes: bytes themselves (the very same, not a copy), a text as UTF-8, nothing as no bytes, anything else as
 *  MessagePack. As with JSON, a property that is undefined is left out, and a place of a list that is undefined is null.
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
  // A copy: msgpackr leaves a property on what it reads, and gives slices of it.
  const own = new Uint8Array(bytes)
  skipper.reset()
  const end = skipper.advance(own, 0, own.length, own.length)
  if (!skipper.done) throw new DecodeError('the value breaks off')
  if (end < own.length) throw new DecodeError(`${own.length - end} bytes behind the value`)
  checkTexts(own)
  return withoutMaps(packr.unpack(own))
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
    case 'number':
      return value
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

/** What msgpackr read, with objects for maps, and bytes that share no memory. */
function withoutMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMaps)
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (!(value instanceof Map)) return value
  const entries = [...value].map(([key, item]): [string, unknown] => {
    if (typeof key === 'string') return [key, withoutMaps(item)]
    if (typeof key === 'bigint' || Number.isInteger(key)) return [String(key), withoutMaps(item)]
    throw new DecodeError('a key is neither text nor integer')
  })
  // Also `__proto__` becomes a property of its own here.
  return Object.fromEntries(entries)
}

/** Throws for text that is not UTF-8. msgpackr reads some of it as other characters: an overlong form as a slash.
 *  @param bytes whole values: nothing is held against the end */
function checkTexts(bytes: Uint8Array): void {
  let at = 0
  while (at < bytes.length) {
    const head = bytes[at++] as number
    const width = widthOf(head)
    let size = 0
    for (let left = width; left > 0; left--) size = size * 256 + (bytes[at++] as number)
    if (head >= 0xa0 && head < 0xc0) size = head & 0x1f
    const isText = (head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb)
    const isBytes = head >= 0xc4 && head <= 0xc6
    if (isText && textOf(bytes.subarray(at, at + size)) === undefined) throw new DecodeError('text that is not UTF-8')
    if (isText || isBytes) at += size
  }
}

/** Bytes behind the head that are a size or a number; what a list or a map holds follows as values of its own. */
function widthOf(head: number): number {
  if (head === 0xc4 || head === 0xd9 || head === 0xcc || head === 0xd0) return 1
  if (head === 0xc5 || head === 0xda || head === 0xcd || head === 0xd1 || head === 0xdc || head === 0xde) return 2
  if (head === 0xcf || head === 0xd3 || head === 0xcb) return 8
  const isFour = head === 0xc6 || head === 0xdb || head === 0xce || head === 0xd2 || head === 0xca
  return isFour || head === 0xdd || head === 0xdf ? 4 : 0
}
