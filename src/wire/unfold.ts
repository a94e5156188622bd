// LZW as memberlist uses it, read (compress.ts writes it). What comes on a stream may unfold to 40 MiB: it is unfolded a bounded
// amount at once, to go on where it stopped. Knows no clock and no stream. Source: wire-protocol §3.5.
import { NO_BYTES } from '../base/bytes.ts'
import { DecodeError } from '../base/errors.ts'

export const CLEAR = 256
export const END = 257
export const LAST_CODE = 4095
export const FIRST_WIDTH = 9
const LAST_WIDTH = 12

/** Output buffers up to this size are kept for the next call. */
const KEPT_BYTES = 131_072
/** Up to this limit output is written at once, without its length being found first: what a packet may unfold to. */
const UNMEASURED_BYTES = 65_536
/** Strings from this length on are copied by the engine; a loop is faster for shorter ones. */
const LONG_STRING = 64
/** The time a byte that is read takes, in bytes of output that take as long, about. */
const READ_WORK = 6
/** Bytes read between two looks at the work done. A code takes more than one, and stands for 3,839 at most: half a megabyte together. */
const BATCH_BYTES = 192

/** Where one reading of codes stands, and the table of its own. */
class Progress {
  /** Per code: where in the output its string stood first, and how long it is. */
  readonly starts: Int32Array = new Int32Array(LAST_CODE + 1)
  readonly lengths: Int32Array = new Int32Array(LAST_CODE + 1)
  source: Uint8Array = NO_BYTES
  maxBytes = 0
  /** `undefined` where only the length is looked for. */
  out: Uint8Array | undefined
  size = 0
  isOver = false
  at = 0
  bits = 0
  bitCount = 0
  width: number = FIRST_WIDTH
  next: number = END
  previousStart = -1
  previousLength = 0

  begin(source: Uint8Array, maxBytes: number, out: Uint8Array | undefined): void {
    this.source = source
    this.maxBytes = maxBytes
    this.out = out
    this.size = 0
    this.isOver = false
    this.at = 0
    this.bits = 0
    this.bitCount = 0
    this.width = FIRST_WIDTH
    this.next = END
    this.previousStart = -1
    this.previousLength = 0
  }

  /** Lets go of what is not ours. */
  end(): void {
    this.source = NO_BYTES
    this.out = undefined
  }
}

/** For what is unfolded in one call. */
const atOnce = new Progress()
let scratch = new Uint8Array(4096)

/** What `source` was before LZW. Bytes behind the end code are ignored.
 *  Throws `DecodeError` on an impossible code, a missing end, or more than `maxBytes` of output. */
export function lzwDecompress(source: Uint8Array, maxBytes: number): Uint8Array {
  if (maxBytes > UNMEASURED_BYTES) {
    const unfolding = new Unfolding(source, maxBytes)
    unfolding.advance(Number.POSITIVE_INFINITY)
    return unfolding.bytes as Uint8Array
  }
  atOnce.begin(source, maxBytes, borrow(Math.min(maxBytes, Math.max(64, source.length * 4))))
  readCodes(atOnce, Number.POSITIVE_INFINITY)
  const found = (atOnce.out as Uint8Array).slice(0, atOnce.size)
  atOnce.end()
  return found
}

/** The same, a bounded amount at once. The length is found first, for that costs little: a bomb is refused before it unfolds, and what
 *  is taken gets a buffer of its size. */
export class Unfolding {
  readonly #progress = new Progress()
  readonly #source: Uint8Array
  /** Of all codes: what finding the length took. */
  #measuringWork = 0
  #length: number | undefined
  #bytes: Uint8Array | undefined

  /** @param source must stay as it is until all is unfolded */
  constructor(source: Uint8Array, maxBytes: number) {
    this.#source = source
    this.#progress.begin(source, maxBytes, undefined)
  }

  /** All that it was, once it is unfolded. */
  get bytes(): Uint8Array | undefined {
    return this.#bytes
  }

  /** Bytes unfolded so far. */
  get size(): number {
    return this.#length === undefined ? 0 : this.#progress.size
  }

  /** Goes on for about `maxWork`, counted in bytes of output and, for each byte read, as many more as take as long: half a million and
   *  more each millisecond. Gives the work done, half a million beyond `maxWork` at most. A call that finds the length takes memory for it only if it can also
   *  finish: whoever unfolds many can let one be finished before the next takes any. Throws `DecodeError`, and is of no use then. */
  advance(maxWork: number): number {
    const progress = this.#progress
    if (this.#bytes !== undefined) return 0
    let work = 0
    if (this.#length === undefined) {
      work = readCodes(progress, maxWork)
      this.#measuringWork += work
      if (!progress.isOver) return work
      this.#length = progress.size
      progress.begin(this.#source, progress.size, undefined)
      if (work + this.#measuringWork + this.#length > maxWork) return work
    }
    progress.out ??= new Uint8Array(this.#length)
    work += readCodes(progress, maxWork - work)
    if (progress.isOver) {
      this.#bytes = progress.out
      progress.end()
    }
    return work
  }
}

/** Reads codes, and writes what they stand for into `progress.out` or, where that is too small, into a larger one; with none, only the
 *  length is found. Stops at the end, or once `maxWork` is done. Gives the work done. */
function readCodes(progress: Progress, maxWork: number): number {
  const { source, maxBytes, starts, lengths } = progress
  let { out, size, at, bits, bitCount, width, next, previousStart, previousLength } = progress
  const atFirst = at
  const sizeAtFirst = out === undefined ? 0 : size
  let stop = Math.min(source.length, maxWork === Number.POSITIVE_INFINITY ? source.length : at + BATCH_BYTES)
  let isOver = false
  reading: for (;;) {
    while (bitCount < width) {
      if (at >= stop) {
        if (at >= source.length) throw new DecodeError('unexpected EOF')
        const work = (at - atFirst) * READ_WORK + (out === undefined ? 0 : size - sizeAtFirst)
        if (work >= maxWork) break reading
        stop = Math.min(source.length, stop + BATCH_BYTES)
      }
      bits |= (source[at++] as number) << bitCount
      bitCount += 8
    }
    const code = bits & ((1 << width) - 1)
    bits >>>= width
    bitCount -= width
    if (code === CLEAR) {
      width = FIRST_WIDTH
      next = END
      previousStart = -1
      continue
    }
    if (code === END) {
      isOver = true
      break
    }
    // The new entry is the string before and one byte more: the byte that the output is about to get. So it stands in
    // the output already, but for that byte, and copying forwards meets it in time.
    if (previousStart >= 0) {
      starts[next] = previousStart
      lengths[next] = previousLength + 1
    }
    const isLiteral = code < CLEAR
    if (!isLiteral && (code > next || (code === next && previousStart < 0 && next < LAST_CODE))) {
      throw new DecodeError('lzw: invalid code')
    }
    const length = isLiteral ? 1 : (lengths[code] as number)
    if (size + length > maxBytes) throw new DecodeError(`decompressed message is larger than limit (${maxBytes})`)
    if (out !== undefined) {
      if (size + length > out.length) {
        out = enlarge(out, size, Math.min(maxBytes, Math.max(out.length * 2, size + length)))
      }
      if (isLiteral) out[size] = code
      else repeat(out, starts[code] as number, size, length)
    }
    previousStart = size
    previousLength = length
    size += length
    next++
    if (next === 1 << width) {
      if (width < LAST_WIDTH) {
        width++
      } else {
        next--
        previousStart = -1
      }
    }
  }
  const work = (at - atFirst) * READ_WORK + (out === undefined ? 0 : size - sizeAtFirst)
  progress.out = out
  progress.size = size
  progress.isOver = isOver
  if (isOver) return work
  progress.at = at
  progress.bits = bits
  progress.bitCount = bitCount
  progress.width = width
  progress.next = next
  progress.previousStart = previousStart
  progress.previousLength = previousLength
  return work
}

/** Copies `length` bytes within `out`, forwards: the last may be one that this very copy writes. */
function repeat(out: Uint8Array, from: number, to: number, length: number): void {
  if (length < LONG_STRING) {
    for (let index = 0; index < length; index++) out[to + index] = out[from + index] as number
    return
  }
  out.copyWithin(to, from, from + length - 1)
  out[to + length - 1] = out[from + length - 1] as number
}

function borrow(bytes: number): Uint8Array {
  if (bytes <= scratch.length) return scratch
  const fresh = new Uint8Array(bytes)
  if (bytes <= KEPT_BYTES) scratch = fresh
  return fresh
}

function enlarge(out: Uint8Array, used: number, bytes: number): Uint8Array {
  const larger = new Uint8Array(bytes)
  larger.set(out.subarray(0, used))
  if (bytes <= KEPT_BYTES) scratch = larger
  return larger
}
