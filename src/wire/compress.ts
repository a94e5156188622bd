// LZW as memberlist uses it (least significant bit first, 8-bit literals, codes of 9 to 12 bits), and the message that
// carries it. Codes: 0-255 literals, 256 clear, 257 end, 258-4095 the table. Source: wire-protocol §3.5; Welch,
// "A Technique for High-Performance Data Compression", 1984. The tables are made once and stamped, never emptied.
import { DecodeError } from '../base/errors.ts'
import { bytes as byteString, Reader, struct, uint8, written } from './msgpack.ts'
import { SwimType } from './types.ts'

const CLEAR = 256
const END = 257
const LAST_CODE = 4095
const FIRST_WIDTH = 9
const LAST_WIDTH = 12
/** Output buffers up to this size are kept for the next call. */
const KEPT_BYTES = 131_072
/** Up to this limit output is written at once, without its length being found first: what a packet may unfold to. */
const UNMEASURED_BYTES = 65_536
/** Strings from this length on are copied by the engine; a loop is faster for shorter ones. */
const LONG_STRING = 64

/** Slots of the encoder's hash table: four times the codes there are, so that chains stay short. */
const SLOTS = 16_384
/** Per slot: generation in the upper 12 bits, then prefix code (12) and next byte (8). */
const slotKeys = new Int32Array(SLOTS)
const slotCodes = new Uint16Array(SLOTS)
let generation = 0

/** Per code of the decoder: where in the output its string stood first, and how long it is. */
const starts = new Int32Array(LAST_CODE + 1)
const lengths = new Int32Array(LAST_CODE + 1)

let scratch = new Uint8Array(4096)

/** Codes of growing width, packed from the low end. One for all calls: they do not overlap. */
const packer = {
  out: scratch as Uint8Array,
  size: 0,
  bits: 0,
  bitCount: 0,

  begin(out: Uint8Array): void {
    this.out = out
    this.size = 0
    this.bits = 0
    this.bitCount = 0
  },

  put(code: number, width: number): void {
    let bits = this.bits | (code << this.bitCount)
    let bitCount = this.bitCount + width
    while (bitCount >= 8) {
      this.out[this.size++] = bits
      bits >>>= 8
      bitCount -= 8
    }
    this.bits = bits
    this.bitCount = bitCount
  },

  /** The last byte, filled up with zeros. */
  end(): void {
    if (this.bitCount > 0) this.out[this.size++] = this.bits
  },
}

/** LZW of `source`, or `undefined` where it would take more than `maxBytes`. */
export function lzwCompress(source: Uint8Array, maxBytes: number = Number.POSITIVE_INFINITY): Uint8Array | undefined {
  // A code for every byte at worst, and a clear for every table of them.
  packer.begin(borrow(Math.ceil(source.length * 1.51) + 16))
  packer.put(CLEAR, FIRST_WIDTH)
  const end = source.length
  let width = FIRST_WIDTH
  let last = END
  let stamp = nextGeneration()
  let code = end > 0 ? (source[0] as number) : -1
  for (let at = 1; code >= 0; at++) {
    const byte = at < end ? (source[at] as number) : -1
    let slot = -1
    let key = 0
    if (byte >= 0) {
      key = stamp | (code << 8) | byte
      slot = findSlot(key, stamp)
      if (slotKeys[slot] === key) {
        code = slotCodes[slot] as number
        continue
      }
    }
    // The longest match ends here: its code goes out, and with the next byte it becomes a new entry.
    packer.put(code, width)
    if (packer.size > maxBytes) return undefined
    last++
    if (last === 1 << width) width++
    if (last === LAST_CODE) {
      packer.put(CLEAR, width)
      width = FIRST_WIDTH
      last = END
      stamp = nextGeneration()
    } else if (slot >= 0) {
      slotKeys[slot] = key
      slotCodes[slot] = last
    }
    code = byte
  }
  packer.put(END, width)
  packer.end()
  return packer.size > maxBytes ? undefined : packer.out.slice(0, packer.size)
}

/** The slot that holds `key`, or the free one where it belongs: free is what bears another stamp. */
function findSlot(key: number, stamp: number): number {
  let slot = (Math.imul(key & 0xfffff, 0x9e3779b1) >>> 18) & (SLOTS - 1)
  let found = slotKeys[slot] as number
  while (found !== key && (found ^ stamp) >>> 20 === 0) {
    slot = (slot + 1) & (SLOTS - 1)
    found = slotKeys[slot] as number
  }
  return slot
}

/** What `source` was before LZW. Bytes behind the end code are ignored.
 *  Throws `DecodeError` on an impossible code, a missing end, or more than `maxBytes` of output. */
export function lzwDecompress(source: Uint8Array, maxBytes: number): Uint8Array {
  // Where a lot is allowed, the length is found first, for that costs a thousandth: a bomb is refused before it unfolds, and
  // what is taken gets a buffer of its size at once.
  if (maxBytes > UNMEASURED_BYTES) {
    const out = new Uint8Array(unfold(source, maxBytes, undefined).size)
    return unfold(source, out.length, out).out as Uint8Array
  }
  const { out, size } = unfold(source, maxBytes, borrow(Math.min(maxBytes, Math.max(64, source.length * 4))))
  return (out as Uint8Array).slice(0, size)
}

/** Reads the codes, and writes what they stand for into `into` or, where that is too small, into a larger one. Without `into`
 *  only the length is found. */
function unfold(
  source: Uint8Array,
  maxBytes: number,
  into: Uint8Array | undefined,
): { readonly out: Uint8Array | undefined; readonly size: number } {
  let out = into
  let size = 0
  let bits = 0
  let bitCount = 0
  let at = 0
  let width = FIRST_WIDTH
  /** The code that the next entry gets; below it all are known. */
  let next = END
  let previousStart = -1
  let previousLength = 0
  for (;;) {
    while (bitCount < width) {
      if (at >= source.length) throw new DecodeError('unexpected EOF')
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
    if (code === END) return { out, size }
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

interface Compressed {
  readonly algorithm: number
  readonly buffer: Uint8Array
}

const compressed = struct<Compressed>(
  () => ({ algorithm: 0, buffer: new Uint8Array(0) }),
  [
    ['Algo', 'algorithm', uint8],
    ['Buf', 'buffer', byteString],
  ],
)

/** What the message around LZW takes: type, head of the map, both fields and their names, head of the bytes. */
function wrapping(lzwBytes: number): number {
  return 12 + (lzwBytes < 32 ? 1 : lzwBytes < 0x1_0000 ? 3 : 5)
}

/** The compress message around `message`, type byte first. */
export function wrapCompressed(message: Uint8Array): Uint8Array {
  return wrap(lzwCompress(message) as Uint8Array)
}

/** The compress message around `message` if that is smaller, else `message` itself. */
export function wrapIfSmaller(message: Uint8Array): Uint8Array {
  const lzw = lzwCompress(message, message.length - wrapping(0) - 1)
  return lzw === undefined || lzw.length + wrapping(lzw.length) >= message.length ? message : wrap(lzw)
}

/** The message inside a compress message (type byte first): not empty, at most `maxBytes`. Throws `DecodeError`. */
export function unwrapCompressed(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const { algorithm, buffer } = compressed.decode(new Reader(bytes, 1))
  if (algorithm !== 0) throw new DecodeError(`cannot decompress unknown algorithm ${algorithm}`)
  const message = lzwDecompress(buffer, maxBytes)
  if (message.length === 0) throw new DecodeError('decompressed message is empty')
  return message
}

function wrap(lzw: Uint8Array): Uint8Array {
  return written((writer) => {
    writer.byte(SwimType.compress)
    compressed.encode(writer, { algorithm: 0, buffer: lzw })
  })
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

/** A stamp for the upper bits of slot keys that no slot bears yet; 0 is never one. */
function nextGeneration(): number {
  generation = (generation + 1) & 0xfff
  if (generation === 0) {
    slotKeys.fill(0)
    generation = 1
  }
  return generation << 20
}
