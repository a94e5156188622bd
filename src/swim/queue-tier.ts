// One tier of the dissemination queue: entries in order of (length, id), in blocks short enough that shifting one costs next to
// nothing. Finding, adding and removing take two binary searches, whatever a stranger makes of the queue. They look at numbers that
// stand side by side, and not at the entries: those are all over the memory.
import { assert } from '../base/assert.ts'

/** What the order is made of. No two entries of a tier have the same id, which is below 2^36. */
export interface Sized {
  readonly bytes: Uint8Array
  readonly id: number
}

/** A full block is cut in two. So long that a table of blocks stays short, so short that shifting one is a few hundred bytes. */
const MAX_BLOCK = 256
/** An id is below it, and its product with any length below 2^53. */
const MAX_IDS = 2 ** 36

interface Block<Entry> {
  /** The rank of each entry. */
  readonly ranks: number[]
  readonly entries: Entry[]
}

export class QueueTier<Entry extends Sized> {
  /** Each sorted and none empty; all of a block stand before all of the next. */
  readonly #blocks: Block<Entry>[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The smallest, of the same length the oldest. */
  first(): Entry | undefined {
    return this.#blocks[0]?.entries[0]
  }

  /** The largest entry before (length, id), of the same length the newest: `before(5, 0)` has less than 5 bytes. */
  before(length: number, id: number): Entry | undefined {
    if (this.#size === 0) return undefined
    const rank = rankOf(length, id)
    const block = this.#blocks[this.#blockOf(rank)]
    return block?.entries[countBefore(block.ranks, rank) - 1]
  }

  add(entry: Entry): void {
    const rank = rankOf(entry.bytes.length, entry.id)
    this.#size++
    const at = Math.max(0, this.#blockOf(rank))
    const block = this.#blocks[at]
    if (block === undefined) {
      this.#blocks.push({ ranks: [rank], entries: [entry] })
      return
    }
    const { ranks, entries } = block
    insert(block, countBefore(ranks, rank), rank, entry)
    if (entries.length < MAX_BLOCK) return
    this.#blocks.splice(at + 1, 0, { ranks: ranks.splice(MAX_BLOCK / 2), entries: entries.splice(MAX_BLOCK / 2) })
  }

  remove(entry: Entry): void {
    const rank = rankOf(entry.bytes.length, entry.id)
    // The block of whoever comes right after it: it may be the first of its own.
    const at = this.#blockOf(rank + 1)
    const block = this.#blocks[at]
    const place = block === undefined ? 0 : countBefore(block.ranks, rank)
    assert(block?.entries[place] === entry, 'an entry stands in its tier')
    remove(block, place)
    if (block.entries.length === 0) this.#blocks.splice(at, 1)
    this.#size--
  }

  /** The last block that begins before `rank`; -1 where none does. */
  #blockOf(rank: number): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#blocks[middle]?.ranks[0] as number) < rank) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

/** (length, id) as one number that sorts as both do. */
function rankOf(length: number, id: number): number {
  return length * MAX_IDS + id
}

/** As two calls of `splice`, which make an array each time. In two loops: where one piece of code writes numbers and objects, V8 puts each
 *  of the numbers into an object of its own, and none of them stand side by side any more. */
function insert<Entry>({ ranks, entries }: Block<Entry>, place: number, rank: number, entry: Entry): void {
  ranks.push(rank)
  for (let at = ranks.length - 1; at > place; at--) ranks[at] = ranks[at - 1] as number
  ranks[place] = rank
  entries.push(entry)
  for (let at = entries.length - 1; at > place; at--) entries[at] = entries[at - 1] as Entry
  entries[place] = entry
}

function remove<Entry>({ ranks, entries }: Block<Entry>, place: number): void {
  for (let at = place + 1; at < ranks.length; at++) ranks[at - 1] = ranks[at] as number
  ranks.pop()
  for (let at = place + 1; at < entries.length; at++) entries[at - 1] = entries[at] as Entry
  entries.pop()
}

function countBefore(ranks: readonly number[], rank: number): number {
  let low = 0
  let high = ranks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ranks[middle] as number) < rank) low = middle + 1
    else high = middle
  }
  return low
}
