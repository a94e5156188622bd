// LZW as memberlist uses it (least significant bit first, 8-bit literals, codes of 9 to 12 bits), and the message that
// carries it. Codes: 0-255 literals, 256 clear, 257 end, 258-4095 the table. Source: wire-protocol §3.5; Welch,
// "A Technique for High-Performance Data Compression", 1984. The table is made once and stamped, never emptied. Reading is unfold.ts's.
import { DecodeError } from '../base/errors.ts'
import { bytes as byteString, Reader, struct, uint8, written } from './msgpack.ts'
import { SwimType } from './types.ts'
import { CLEAR, END, FIRST_WIDTH, LAST_CODE, lzwDecompress, Unfolding } from './unfold.ts'

/** Output buffers up to this size are kept for the next call. */
const KEPT_BYTES = 131_072

/** Slots of the encoder's hash table at most: four times the codes there are, so that chains stay short. */
const MAX_SLOTS = 16_384
/** What a packet holds needs few codes, and a table that stays in the processor's nearest memory. */
const MIN_SLOTS = 2048
/** Per slot two numbers. The key: generation in the upper 12 bits, then prefix code (12) and next byte (8). Then its code. */
const slots = new Int32Array(2 * MAX_SLOTS)
let generation = 0

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
  const tableBits = bitsOfTable(end)
  let stamp = nextGeneration()
  let code = end > 0 ? (source[0] as number) : -1
  for (let at = 1; code >= 0; at++) {
    const byte = at < end ? (source[at] as number) : -1
    let slot = -1
    let key = 0
    if (byte >= 0) {
      key = stamp | (code << 8) | byte
      slot = findSlot(key, stamp, tableBits)
      if (slots[slot] === key) {
        code = slots[slot + 1] as number
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
      slots[slot] = key
      slots[slot + 1] = last
    }
    code = byte
  }
  packer.put(END, width)
  packer.end()
  return packer.size > maxBytes ? undefined : packer.out.slice(0, packer.size)
}

/** Two to that power are the slots for so many bytes: at least twice their codes. */
function bitsOfTable(bytes: number): number {
  return 32 - Math.clz32(Math.min(MAX_SLOTS, Math.max(MIN_SLOTS, 2 * bytes)) - 1)
}

/** Where the slot stands that holds `key`, or the free one where it belongs: free is what bears another stamp. */
function findSlot(key: number, stamp: number, tableBits: number): number {
  const last = 2 * ((1 << tableBits) - 1)
  let slot = 2 * (Math.imul(key & 0xfffff, 0x9e3779b1) >>> (32 - tableBits))
  let found = slots[slot] as number
  while (found !== key && (found ^ stamp) >>> 20 === 0) {
    slot = slot === last ? 0 : slot + 2
    found = slots[slot] as number
  }
  return slot
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
  return checkUnwrapped(lzwDecompress(foldedIn(bytes), maxBytes))
}

/** The same, to be unfolded a bounded amount at once; of `bytes` nothing is kept. What comes of it goes through `checkUnwrapped`.
 *  Throws `DecodeError`. */
export function unwrapping(bytes: Uint8Array, maxBytes: number): Unfolding {
  return new Unfolding(foldedIn(bytes), maxBytes)
}

/** Gives `message` where it is one at all. Throws `DecodeError`. */
export function checkUnwrapped(message: Uint8Array): Uint8Array {
  if (message.length === 0) throw new DecodeError('decompressed message is empty')
  return message
}

function foldedIn(bytes: Uint8Array): Uint8Array {
  const { algorithm, buffer } = compressed.decode(new Reader(bytes, 1))
  if (algorithm !== 0) throw new DecodeError(`cannot decompress unknown algorithm ${algorithm}`)
  return buffer
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

/** A stamp for the upper bits of slot keys that no slot bears yet; 0 is never one. */
function nextGeneration(): number {
  generation = (generation + 1) & 0xfff
  if (generation === 0) {
    slots.fill(0)
    generation = 1
  }
  return generation << 20
}
