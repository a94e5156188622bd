// Walks over MessagePack values without building anything. Knows the sizes of all forms and the meaning of none.
// It can stop anywhere and go on when more bytes have come, so a stream is never walked twice, and what a sender
// claims (lengths, counts, depth) is held against what may still come before anything waits for it.
// Source: the MessagePack specification; wire-protocol §1.2 and §1.4 for what to refuse.
import { DecodeError } from '../base/errors.ts'
import { MAX_VALUE_DEPTH } from './limits.ts'

/** Bytes behind the head byte for the forms of fixed size, by head byte from 0xc0; -1 for all others. */
const FIXED = new Int8Array([
  0, -1, 0, 0, -1, -1, -1, -1, -1, -1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, -1, -1, -1, -1, -1, -1, -1,
])

/** What a skipper refuses beyond broken bytes. */
export interface SkipperOptions {
  /** Containers inside one another. */
  readonly maxDepth?: number
  /** Whether the extension forms are let through. */
  readonly extensions?: boolean
  /** Values in all: each costs time, however long it is. By default only the bytes bound them. */
  readonly maxValues?: number
}

/** One value at a time: `reset`, then `advance` until `done`. Holds no bytes. */
export class Skipper {
  readonly #maxDepth: number
  readonly #extensions: boolean
  /** Values still to come in each open container. */
  readonly #open: Float64Array
  readonly #maxValues: number
  #valuesLeft: number
  #depth = 0
  /** Bytes still to pass of the value at hand. */
  #tail = 0
  #done = false

  constructor({
    maxDepth = MAX_VALUE_DEPTH,
    extensions = true,
    maxValues = Number.POSITIVE_INFINITY,
  }: SkipperOptions = {}) {
    this.#maxDepth = maxDepth
    this.#maxValues = maxValues
    this.#valuesLeft = maxValues
    this.#extensions = extensions
    this.#open = new Float64Array(maxDepth)
  }

  /** How many more values are let through. */
  get valuesLeft(): number {
    return this.#valuesLeft
  }

  /** The value is whole. */
  get done(): boolean {
    return this.#done
  }

  /** Makes ready for the next value. @param values how many it may still be made of, by default as many as any */
  reset(values: number = this.#maxValues): void {
    this.#valuesLeft = values
    this.#depth = 0
    this.#tail = 0
    this.#done = false
  }

  /** Walks from `at` towards `end`, and gives the place reached: behind the value where `done`, else where to go on.
   *  @param reach no value may need bytes beyond this place, which is `end` or later.
   *  Throws `DecodeError` on bytes that are no MessagePack, and on claims beyond `reach` or the depth. */
  advance(bytes: Uint8Array, at: number, end: number, reach: number): number {
    for (;;) {
      if (this.#tail > 0) {
        const step = Math.min(this.#tail, end - at)
        at += step
        this.#tail -= step
        if (this.#tail > 0) return at
        this.#close()
      }
      if (this.#done || at >= end) return at
      const next = this.#head(bytes, at, end, reach)
      if (next < 0) return at
      if (--this.#valuesLeft < 0) throw new DecodeError('too many values of no use')
      at = next
    }
  }

  /** Reads one head and what sizes it has; -1 where it is not all there. Leaves the rest of a value in `#tail`. */
  #head(bytes: Uint8Array, at: number, end: number, reach: number): number {
    const head = bytes[at] as number
    if (head < 0x80 || head >= 0xe0) return this.#scalar(at + 1, 0, reach)
    if (head < 0x90) return this.#container(at + 1, (head & 0x0f) * 2, reach)
    if (head < 0xa0) return this.#container(at + 1, head & 0x0f, reach)
    if (head < 0xc0) return this.#scalar(at + 1, head & 0x1f, reach)
    const fixed = FIXED[head - 0xc0] as number
    const isExtension = (head >= 0xc7 && head <= 0xc9) || (head >= 0xd4 && head <= 0xd8)
    if (isExtension && !this.#extensions) throw new DecodeError('extension types are refused')
    if (fixed >= 0) return this.#scalar(at + 1, fixed, reach)
    const width = sizeWidth(head)
    if (width === 0) throw new DecodeError(`0x${head.toString(16)} is no MessagePack`)
    if (at + 1 + width > end) {
      if (at + 1 + width > reach) throw new DecodeError('value cut short')
      return -1
    }
    let size = 0
    for (let index = 1; index <= width; index++) size = size * 256 + (bytes[at + index] as number)
    const behind = at + 1 + width
    if (head >= 0xde) return this.#container(behind, size * 2, reach)
    if (head >= 0xdc) return this.#container(behind, size, reach)
    return this.#scalar(behind, isExtension ? size + 1 : size, reach)
  }

  #scalar(at: number, size: number, reach: number): number {
    if (size > reach - at) throw new DecodeError(`value of ${size} bytes where ${Math.max(0, reach - at)} can come`)
    if (size === 0) this.#close()
    else this.#tail = size
    return at
  }

  #container(at: number, count: number, reach: number): number {
    if (count > reach - at) throw new DecodeError(`${count} values where ${Math.max(0, reach - at)} bytes can come`)
    if (count === 0) {
      this.#close()
    } else {
      if (this.#depth === this.#maxDepth) throw new DecodeError(`values nested deeper than ${this.#maxDepth}`)
      this.#open[this.#depth++] = count
    }
    return at
  }

  /** One value is over, and with it every container of which it was the last. */
  #close(): void {
    while (this.#depth > 0) {
      const left = (this.#open[this.#depth - 1] as number) - 1
      this.#open[this.#depth - 1] = left
      if (left > 0) return
      this.#depth--
    }
    this.#done = true
  }
}

/** How many bytes say the size, for the forms of 0xc0 and above that have one; 0 for the never-used byte. */
function sizeWidth(head: number): number {
  switch (head) {
    case 0xc4:
    case 0xc7:
    case 0xd9:
      return 1
    case 0xc5:
    case 0xc8:
    case 0xda:
    case 0xdc:
    case 0xde:
      return 2
    case 0xc6:
    case 0xc9:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4
    default:
      return 0
  }
}
