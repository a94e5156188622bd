// Takes values of Go's MessagePack dialect off a byte string, one after the other, each as the kind that is wanted there.
// Takes every form that either generation of Go takes for that kind (wire-protocol §1.2) and refuses the rest with a
// `DecodeError`. Lengths are held against what is left before anything is allocated. Nil is the zero value of every kind.
import { NO_BYTES, textOf } from '../base/bytes.ts'
import { DecodeError } from '../base/errors.ts'
import { MAX_ILL_FORMED_VALUES, MAX_TEXT_BYTES, MAX_UNKNOWN_VALUES } from './limits.ts'
import { Skipper } from './skipper.ts'
import type { Uint64 } from './types.ts'

const skipper = new Skipper()
const TWO_32 = 0x1_0000_0000
/** Texts up to this many bytes are put together here; longer ones are left to the decoder of the host. */
const SHORT_TEXT_BYTES = 48

/** Text that is not UTF-8, or no name is so long: the one thing wrong that a list of names can do without. */
export class IllFormedText extends DecodeError {}

/** A place in a byte string. The fields are open to the codecs of this room. */
export class Reader {
  readonly bytes: Uint8Array
  readonly end: number
  at: number
  /** Values with ill-formed text that may still be left out. */
  forgivable: number = MAX_ILL_FORMED_VALUES
  /** Values that were left out. */
  leftOut = 0
  /** Values in fields nobody knows that may still be passed over. */
  #unknown: number = MAX_UNKNOWN_VALUES

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  /** The next head byte, not taken. */
  peek(): number {
    if (this.at >= this.end) throw cutShort()
    return this.bytes[this.at] as number
  }

  /** Takes a nil if one is next. */
  isNil(): boolean {
    if (this.peek() !== 0xc0) return false
    this.at++
    return true
  }

  /** Passes over one value of any kind. */
  skip(): void {
    this.#skip(Number.POSITIVE_INFINITY)
  }

  /** The same for a field nobody knows, which is of no use: such may cost no more than a message that is. */
  skipUnknown(): void {
    this.#skip(this.#unknown)
    this.#unknown = skipper.valuesLeft
  }

  #skip(values: number): void {
    skipper.reset(values)
    this.at = skipper.advance(this.bytes, this.at, this.end, this.end)
    if (!skipper.done) throw cutShort()
  }

  /** An integer from 0 to `max`, which is below 2^53. Floats are refused, also whole ones. */
  uint(max: number): number {
    const head = this.peek()
    if (head < 0x80 && head <= max) {
      this.at++
      return head
    }
    const value = this.int()
    if (typeof value === 'bigint' || value < 0 || value > max) throw new DecodeError(`${value} is not in 0..${max}`)
    return value
  }

  /** An integer from 0 to 2^64 - 1. */
  uint64(): Uint64 {
    const value = this.int()
    if (value < 0) throw new DecodeError(`${value} is below 0`)
    return value
  }

  /** An integer from -2^63 to 2^63 - 1, a `number` where it is safe. */
  int64(): Uint64 {
    const value = this.int()
    if (typeof value === 'bigint' && value >= 0x8000_0000_0000_0000n)
      throw new DecodeError(`${value} is above 2^63 - 1`)
    return value
  }

  /** Any integer form. */
  int(): Uint64 {
    const head = this.peek()
    const at = ++this.at
    if (head < 0x80) return head
    if (head >= 0xe0) return head - 0x100
    switch (head) {
      case 0xc0:
        return 0
      case 0xcc:
        return this.#need(1)[at] as number
      case 0xcd:
        return this.#uint16(at)
      case 0xce:
        return this.#uint32(at)
      case 0xcf:
        return this.#wide(at, false)
      case 0xd0:
        return ((this.#need(1)[at] as number) << 24) >> 24
      case 0xd1:
        return (this.#uint16(at) << 16) >> 16
      case 0xd2:
        return this.#uint32(at) | 0
      case 0xd3:
        return this.#wide(at, true)
      default:
        throw unexpected(head, 'an integer')
    }
  }

  bool(): boolean {
    const head = this.peek()
    this.at++
    if (head === 0xc3 || head === 1) return true
    if (head === 0xc2 || head === 0 || head === 0xc0) return false
    throw unexpected(head, 'a boolean')
  }

  /** A float of either width, or an integer. */
  float(): number {
    const head = this.peek()
    if (head !== 0xca && head !== 0xcb) return Number(this.int64())
    const width = head === 0xcb ? 8 : 4
    const at = ++this.at
    const bytes = this.#need(width)
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, width)
    return width === 8 ? view.getFloat64(0) : view.getFloat32(0)
  }

  /** Text from any raw form. Bytes that are not UTF-8 are an `IllFormedText`: two names must not become one. */
  text(): string {
    if (this.peek() === 0xc0) {
      this.at++
      return ''
    }
    const length = this.rawLength()
    const start = this.at
    this.at = start + length
    return readText(this.bytes, start, this.at)
  }

  /** Bytes from any raw form, or from an array of small integers; a copy. Nil is `null`. */
  bytesOrNull(): Uint8Array | null {
    const head = this.peek()
    if (head === 0xc0) {
      this.at++
      return null
    }
    if ((head & 0xf0) === 0x90 || head === 0xdc || head === 0xdd) return this.#bytesFromArray()
    const length = this.rawLength()
    const start = this.at
    this.at = start + length
    return copyRange(this.bytes, start, this.at)
  }

  /** Like `bytesOrNull`, with `NO_BYTES` itself for nil. */
  byteString(): Uint8Array {
    return this.bytesOrNull() ?? NO_BYTES
  }

  /** Takes the head of a raw form, and gives how many bytes follow; they are all there. */
  rawLength(): number {
    const head = this.peek()
    this.at++
    let length: number
    if ((head & 0xe0) === 0xa0) length = head & 0x1f
    else if (head === 0xd9 || head === 0xc4) length = this.#take(1)
    else if (head === 0xda || head === 0xc5) length = this.#take(2)
    else if (head === 0xdb || head === 0xc6) length = this.#take(4)
    else throw unexpected(head, 'a string')
    if (length > this.end - this.at) throw cutShort()
    return length
  }

  /** Takes the head of an array, and gives the number of items. */
  arrayLength(): number {
    const head = this.peek()
    this.at++
    let length: number
    if ((head & 0xf0) === 0x90) length = head & 0x0f
    else if (head === 0xdc) length = this.#take(2)
    else if (head === 0xdd) length = this.#take(4)
    else throw unexpected(head, 'an array')
    if (length > this.end - this.at) throw cutShort()
    return length
  }

  /** Takes the head of a map, and gives the number of pairs. */
  mapLength(): number {
    const head = this.peek()
    this.at++
    let length: number
    if ((head & 0xf0) === 0x80) length = head & 0x0f
    else if (head === 0xde) length = this.#take(2)
    else if (head === 0xdf) length = this.#take(4)
    else throw unexpected(head, 'a map')
    if (length * 2 > this.end - this.at) throw cutShort()
    return length
  }

  #bytesFromArray(): Uint8Array {
    const length = this.arrayLength()
    if (length > MAX_TEXT_BYTES) throw new DecodeError(`${length} bytes as so many numbers`)
    const bytes = new Uint8Array(length)
    for (let index = 0; index < bytes.length; index++) bytes[index] = this.uint(0xff)
    return bytes
  }

  /** Takes an unsigned number of 1, 2 or 4 bytes. */
  #take(width: 1 | 2 | 4): number {
    const at = this.at
    if (width === 1) return this.#need(1)[at] as number
    return width === 2 ? this.#uint16(at) : this.#uint32(at)
  }

  #uint16(at: number): number {
    const bytes = this.#need(2)
    return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
  }

  #uint32(at: number): number {
    return bigEndian32(this.#need(4), at)
  }

  #wide(at: number, signed: boolean): Uint64 {
    const bytes = this.#need(8)
    const high = bigEndian32(bytes, at)
    const low = bigEndian32(bytes, at + 4)
    if (high < 0x20_0000) return high * TWO_32 + low
    const wide = (BigInt(high) << 32n) | BigInt(low)
    if (!signed) return wide
    const value = BigInt.asIntN(64, wide)
    return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
  }

  /** Takes `count` bytes, which start where `at` was. */
  #need(count: number): Uint8Array {
    if (count > this.end - this.at) throw cutShort()
    this.at += count
    return this.bytes
  }
}

function bigEndian32(bytes: Uint8Array, at: number): number {
  const low = ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
  return (bytes[at] as number) * 0x100_0000 + low
}

function cutShort(): DecodeError {
  return new DecodeError('message cut short')
}

function unexpected(head: number, wanted: string): DecodeError {
  return new DecodeError(`0x${head.toString(16)} where ${wanted} belongs`)
}

/** A copy; short ones are the usual case, and a loop beats a call there. */
function copyRange(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start
  const copy = new Uint8Array(length)
  if (length > 64) copy.set(bytes.subarray(start, end))
  else for (let index = 0; index < length; index++) copy[index] = bytes[start + index] as number
  return copy
}

function readText(bytes: Uint8Array, start: number, end: number): string {
  let seen = 0
  if (end - start <= SHORT_TEXT_BYTES) {
    for (let at = start; at < end; at++) seen |= bytes[at] as number
    if (seen < 0x80) return shortAscii(bytes, start, end)
  }
  if (end - start > MAX_TEXT_BYTES) throw new IllFormedText(`text of ${end - start} bytes`)
  const text = textOf(bytes.subarray(start, end))
  if (text === undefined) throw new IllFormedText('text that is not UTF-8')
  return text
}

function shortAscii(bytes: Uint8Array, start: number, end: number): string {
  const code = String.fromCharCode
  let text = ''
  let at = start
  for (; at + 8 <= end; at += 8) {
    text += code(
      bytes[at] as number,
      bytes[at + 1] as number,
      bytes[at + 2] as number,
      bytes[at + 3] as number,
      bytes[at + 4] as number,
      bytes[at + 5] as number,
      bytes[at + 6] as number,
      bytes[at + 7] as number,
    )
  }
  if (at + 4 <= end) {
    text += code(bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] as number, bytes[at + 3] as number)
    at += 4
  }
  for (; at < end; at++) text += code(bytes[at] as number)
  return text
}
