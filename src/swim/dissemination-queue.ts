// What is still to be told, and how often it was (SWIM §4.1; memberlist queue.go for the order of drawing).
// Entries stand in tiers by transmits, so that news goes before what others have heard; within a tier the largest that
// fits goes first, the newest among equals. Knows lengths and names, never what the bytes mean.
import { assert } from '../base/assert.ts'

interface Entry {
  readonly bytes: Uint8Array
  /** Entries of one name replace each other. */
  readonly name: string | undefined
  /** Reported in `takeFinished` once this entry will not be sent again. */
  readonly ticket: number | undefined
  readonly id: number
  transmits: number
}

/** What the queue is told beside the bytes. */
export interface QueueNote {
  /** Supersedes an entry of the same name, which is then finished. Without a name nothing supersedes it. */
  readonly name?: string
  /** A number the owner will recognise when the entry is finished: sent often enough, superseded or pruned. */
  readonly ticket?: number
}

/** A bounded queue of broadcasts. */
export class DisseminationQueue {
  readonly #maxEntries: number
  /** By transmits so far; each sorted by (length, id), ascending. Sparse tiers are empty arrays. */
  readonly #tiers: Entry[][] = [[]]
  readonly #byName = new Map<string, Entry>()
  #finished: number[] = []
  #nextId = 0
  #size = 0
  #pruned = 0

  /** @param maxEntries beyond it the most transmitted, smallest, oldest entry is dropped */
  constructor(maxEntries: number) {
    assert(maxEntries >= 1, 'a queue holds at least one entry')
    this.#maxEntries = maxEntries
  }

  get size(): number {
    return this.#size
  }

  /** Entries dropped because the queue was full, since the beginning. */
  get pruned(): number {
    return this.#pruned
  }

  /** Queues `bytes`, which the caller never changes afterwards. */
  push(bytes: Uint8Array, note: QueueNote = {}): void {
    const { name, ticket } = note
    if (name !== undefined) this.drop(name)
    const entry: Entry = { bytes, name, ticket, id: this.#nextId++, transmits: 0 }
    if (name !== undefined) this.#byName.set(name, entry)
    this.#insert(entry)
    if (this.#size > this.#maxEntries) this.#prune()
  }

  /** Finishes the entry of that name, if there is one. */
  drop(name: string): void {
    const entry = this.#byName.get(name)
    if (entry === undefined) return
    this.#remove(entry)
    this.#finish(entry)
  }

  /** Takes what fits into one packet; each entry at most once, and counted as sent.
   *  @param overheadBytes what each part costs beside its own length
   *  @param budgetBytes what all parts together may cost
   *  @param maxParts at most this many parts
   *  @param limit transmits after which an entry is finished; see `retransmitLimit` */
  draw(overheadBytes: number, budgetBytes: number, maxParts: number, limit: number): Uint8Array[] {
    const drawn: Entry[] = []
    let free = budgetBytes
    for (let tier = 0; tier < this.#tiers.length; tier++) {
      const entries = this.#tiers[tier] as Entry[]
      while (drawn.length < maxParts) {
        const at = lastThatFits(entries, free - overheadBytes)
        if (at < 0) break
        const entry = entries[at] as Entry
        entries.splice(at, 1)
        this.#size--
        free -= overheadBytes + entry.bytes.length
        drawn.push(entry)
      }
    }
    // Only now: an entry put back at once into a later tier could be drawn a second time.
    for (const entry of drawn) {
      entry.transmits++
      if (entry.transmits >= limit) {
        if (entry.name !== undefined) this.#byName.delete(entry.name)
        this.#finish(entry)
      } else {
        this.#insert(entry)
      }
    }
    return drawn.map((entry) => entry.bytes)
  }

  /** The tickets finished since the last call, in order. */
  takeFinished(): readonly number[] {
    if (this.#finished.length === 0) return NONE
    const finished = this.#finished
    this.#finished = []
    return finished
  }

  #insert(entry: Entry): void {
    while (this.#tiers.length <= entry.transmits) this.#tiers.push([])
    const entries = this.#tiers[entry.transmits] as Entry[]
    entries.splice(firstAfter(entries, entry.bytes.length, entry.id), 0, entry)
    this.#size++
  }

  #remove(entry: Entry): void {
    const entries = this.#tiers[entry.transmits] as Entry[]
    const at = firstAfter(entries, entry.bytes.length, entry.id) - 1
    assert(entries[at] === entry, 'a queued entry stands in the tier of its transmits')
    entries.splice(at, 1)
    this.#size--
    if (entry.name !== undefined) this.#byName.delete(entry.name)
  }

  #prune(): void {
    const last = this.#tiers.findLast((entries) => entries.length > 0)
    const entry = last?.[0]
    if (entry === undefined) return
    this.#remove(entry)
    this.#finish(entry)
    this.#pruned++
  }

  #finish(entry: Entry): void {
    if (entry.ticket !== undefined) this.#finished.push(entry.ticket)
  }
}

const NONE: readonly number[] = Object.freeze([])

/** Index of the first entry ordered after (length, id). */
function firstAfter(entries: readonly Entry[], length: number, id: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    const entry = entries[middle] as Entry
    if (entry.bytes.length < length || (entry.bytes.length === length && entry.id <= id)) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the largest entry of at most `length` bytes, the newest of them; -1 where none fits. */
function lastThatFits(entries: readonly Entry[], length: number): number {
  return length < 0 ? -1 : firstAfter(entries, length, Number.MAX_SAFE_INTEGER) - 1
}
