// One tier of the dissemination queue: entries in order of (length, id), in blocks short enough that shifting one costs next to
// nothing. Finding, adding and removing take two binary searches, whatever a stranger makes of the queue.
import { assert } from '../base/assert.ts'

/** What the order is made of. No two entries of a tier have the same id. */
export interface Sized {
  readonly bytes: Uint8Array
  readonly id: number
}

/** A full block is cut in two. So long that a table of blocks stays short, so short that shifting one is a few hundred bytes. */
const MAX_BLOCK = 256

export class QueueTier<Entry extends Sized> {
  /** Each sorted and none empty; all of a block stand before all of the next. */
  readonly #blocks: Entry[][] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The smallest, of the same length the oldest. */
  first(): Entry | undefined {
    return this.#blocks[0]?.[0]
  }

  /** The largest entry before (length, id), of the same length the newest: `before(5, 0)` has less than 5 bytes. */
  before(length: number, id: number): Entry | undefined {
    const block = this.#blocks[this.#blockOf(length, id)]
    return block?.[countBefore(block, length, id) - 1]
  }

  add(entry: Entry): void {
    const { bytes, id } = entry
    this.#size++
    const at = Math.max(0, this.#blockOf(bytes.length, id))
    const block = this.#blocks[at]
    if (block === undefined) {
      this.#blocks.push([entry])
      return
    }
    block.splice(countBefore(block, bytes.length, id), 0, entry)
    if (block.length >= MAX_BLOCK) this.#blocks.splice(at + 1, 0, block.splice(MAX_BLOCK / 2))
  }

  remove(entry: Entry): void {
    const { bytes, id } = entry
    // The block of whoever comes right after it: it may be the first of its own.
    const at = this.#blockOf(bytes.length, id + 1)
    const block = this.#blocks[at] ?? []
    const place = countBefore(block, bytes.length, id)
    assert(block[place] === entry, 'an entry stands in its tier')
    block.splice(place, 1)
    if (block.length === 0) this.#blocks.splice(at, 1)
    this.#size--
  }

  /** The last block that begins before (length, id); -1 where none does. */
  #blockOf(length: number, id: number): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isBefore(this.#blocks[middle]?.[0] as Entry, length, id)) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function countBefore(entries: readonly Sized[], length: number, id: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(entries[middle] as Sized, length, id)) low = middle + 1
    else high = middle
  }
  return low
}

function isBefore(entry: Sized, length: number, id: number): boolean {
  return entry.bytes.length < length || (entry.bytes.length === length && entry.id < id)
}
