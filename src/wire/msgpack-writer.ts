// Puts values of Go's MessagePack dialect (gossip mode: one raw family, no `str8`, no `bin`) behind one another.
// Integers take the smallest unsigned form, as the old Go generation does and both read (wire-protocol §1.1, §1.3).
import { assert } from '../base/assert.ts'
import { utf8 } from '../base/bytes.ts'
import type { Uint64 } from './types.ts'

/** What short results share, as small Buffers of Node do: memory of its own costs more than all the rest of a message.
 *  It is also what the longest-lived of them holds in memory. */
const SLAB_BYTES = 8192
/** Results longer than this get memory of their own. */
const SHORT_BYTES = 1024
const TWO_32 = 0x1_0000_0000

/** A growing byte string. `reset`, put, `finish`. Results never share bytes, though they may share an `ArrayBuffer`. */
export class Writer {
  #bytes = new Uint8Array(SLAB_BYTES)
  /** Where the message at hand starts: before it lie results that are given away. */
  #start = 0
  #at = 0

  reset(): void {
    if (this.#bytes.length !== SLAB_BYTES || this.#start > SLAB_BYTES - SHORT_BYTES) {
      this.#bytes = new Uint8Array(SLAB_BYTES)
      this.#start = 0
    }
    this.#at = this.#start
  }

  /** All that was put since `reset`. */
  finish(): Uint8Array {
    const length = this.#at - this.#start
    if (length > SHORT_BYTES) return this.#bytes.slice(this.#start, this.#at)
    const result = new Uint8Array(this.#bytes.buffer, this.#start, length)
    this.#start = this.#at
    return result
  }

  byte(value: number): void {
    if (this.#at === this.#bytes.length) this.#grow(1)
    this.#bytes[this.#at++] = value
  }

  /** Bytes as they are, without a head. */
  put(value: Uint8Array): void {
    const length = value.length
    if (this.#bytes.length - this.#at < length) this.#grow(length)
    const bytes = this.#bytes
    const at = this.#at
    if (length > 32) bytes.set(value, at)
    else for (let index = 0; index < length; index++) bytes[at + index] = value[index] as number
    this.#at = at + length
  }

  nil(): void {
    this.byte(0xc0)
  }

  bool(value: boolean): void {
    this.byte(value ? 0xc3 : 0xc2)
  }

  /** A whole number from -2^63 to 2^64 - 1. */
  int(value: Uint64): void {
    if (typeof value === 'bigint') {
      this.#bigInt(value)
    } else if ((value & 0x7f) === value) {
      this.byte(value)
    } else {
      assert(Number.isSafeInteger(value), 'an integer field holds a whole number')
      if (value < 0) this.#negative(value)
      else if (value < 0x100) this.#sized(0xcc, 1, value)
      else if (value < 0x1_0000) this.#sized(0xcd, 2, value)
      else if (value < TWO_32) this.#sized(0xce, 4, value)
      else this.#wide(0xcf, Math.floor(value / TWO_32), value % TWO_32)
    }
  }

  float(value: number): void {
    this.byte(0xcb)
    if (this.#bytes.length - this.#at < 8) this.#grow(8)
    new DataView(this.#bytes.buffer).setFloat64(this.#at, value)
    this.#at += 8
  }

  raw(value: Uint8Array): void {
    this.rawHead(value.length)
    this.put(value)
  }

  rawHead(length: number): void {
    if (length < 32) this.byte(0xa0 | length)
    else if (length < 0x1_0000) this.#sized(0xda, 2, length)
    else this.#sized(0xdb, 4, length)
  }

  arrayHead(length: number): void {
    if (length < 16) this.byte(0x90 | length)
    else if (length < 0x1_0000) this.#sized(0xdc, 2, length)
    else this.#sized(0xdd, 4, length)
  }

  mapHead(length: number): void {
    if (length < 16) this.byte(0x80 | length)
    else if (length < 0x1_0000) this.#sized(0xde, 2, length)
    else this.#sized(0xdf, 4, length)
  }

  /** Text as UTF-8. Short ASCII, the usual case, is written straight in. */
  text(value: string): void {
    const length = value.length
    if (length < 32) {
      if (this.#bytes.length - this.#at < 32) this.#grow(32)
      const bytes = this.#bytes
      const start = this.#at + 1
      let index = 0
      for (; index < length; index++) {
        const code = value.charCodeAt(index)
        if (code >= 0x80) break
        bytes[start + index] = code
      }
      if (index === length) {
        bytes[start - 1] = 0xa0 | length
        this.#at = start + length
        return
      }
    }
    this.raw(utf8(value))
  }

  #negative(value: number): void {
    if (value >= -32) this.byte(value + 0x100)
    else if (value >= -0x80) this.#sized(0xd0, 1, value + 0x100)
    else if (value >= -0x8000) this.#sized(0xd1, 2, value + 0x1_0000)
    else if (value >= -0x8000_0000) this.#sized(0xd2, 4, value + TWO_32)
    else this.#bigInt(BigInt(value))
  }

  #bigInt(value: bigint): void {
    assert(value >= -0x8000_0000_0000_0000n && value <= 0xffff_ffff_ffff_ffffn, 'an integer field holds 64 bits')
    if (value >= -0x8000_0000n && value <= 9007199254740991n) {
      this.int(Number(value))
      return
    }
    const bits = BigInt.asUintN(64, value)
    this.#wide(value < 0n ? 0xd3 : 0xcf, Number(bits >> 32n), Number(bits & 0xffff_ffffn))
  }

  #sized(head: number, width: 1 | 2 | 4, value: number): void {
    if (this.#bytes.length - this.#at < 5) this.#grow(5)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = head
    if (width === 4) {
      bytes[at++] = value >>> 24
      bytes[at++] = value >>> 16
    }
    if (width !== 1) bytes[at++] = value >>> 8
    bytes[at++] = value
    this.#at = at
  }

  #wide(head: number, high: number, low: number): void {
    if (this.#bytes.length - this.#at < 9) this.#grow(9)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = head
    for (let shift = 24; shift >= 0; shift -= 8) bytes[at++] = high >>> shift
    for (let shift = 24; shift >= 0; shift -= 8) bytes[at++] = low >>> shift
    this.#at = at
  }

  #grow(more: number): void {
    const used = this.#at - this.#start
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, used + more))
    larger.set(this.#bytes.subarray(this.#start, this.#at))
    this.#bytes = larger
    this.#start = 0
    this.#at = used
  }
}
