// What is still to be told, and how often it was (SWIM §4.1; memberlist queue.go for the order of drawing).
// Entries stand in tiers by transmits, so that news goes before what others have heard; within a tier the largest that
// fits goes first, the newest among equals. What is urgent goes before all of it. Knows lengths and names, never what the bytes mean.
import { assert } from '../base/assert.ts'
import { QueueTier, type Sized } from './queue-tier.ts'

interface Entry extends Sized {
  /** Entries of one name replace each other. */
  readonly name: string | undefined
  /** Reported in `takeFinished` once this entry will not be sent again. */
  readonly ticket: number | undefined
  /** The bank of tiers it stands in. */
  readonly bank: Bank
  transmits: number
}

/** Tiers by transmits. */
type Bank = QueueTier<Entry>[]

/** What the queue is told beside the bytes. */
export interface QueueNote {
  /** Supersedes an entry of the same name, which is then finished. Without a name nothing supersedes it. */
  readonly name?: string
  /** A number the owner will recognise when the entry is finished: sent often enough, superseded or pruned. */
  readonly ticket?: number
  /** Goes before all that is not, however often it was sent. For what a member says of itself, never for what strangers say. */
  readonly urgent?: boolean
}

/** A bounded queue of broadcasts. */
export class DisseminationQueue {
  readonly #maxBytes: number
  #maxEntries: number
  // Differs: Serf lets a member's own goodbye wait its turn, and in a large cluster it leaves untold.
  readonly #urgent: Bank = []
  readonly #others: Bank = []
  /** In the order of drawing. */
  readonly #banks: readonly Bank[] = [this.#urgent, this.#others]
  readonly #byName = new Map<string, Entry>()
  #finished: number[] = []
  #nextId = 0
  #size = 0
  #bytes = 0
  #pruned = 0

  /** @param maxEntries beyond it the most transmitted, smallest, oldest entry is dropped
   *  @param maxBytes the longest entry taken: what the emptiest packet holds */
  constructor(maxEntries: number, maxBytes: number) {
    assert(maxEntries >= 1, 'a queue holds at least one entry')
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#size
  }

  /** Bytes of all entries together. */
  get bytes(): number {
    return this.#bytes
  }

  /** Entries dropped because the queue was full, since the beginning. */
  get pruned(): number {
    return this.#pruned
  }

  /** How many entries it holds from the next `push` on. */
  set maxEntries(maxEntries: number) {
    assert(maxEntries >= 1, 'a queue holds at least one entry')
    this.#maxEntries = maxEntries
  }

  /** Bytes of the entry that a draw takes first, where it has room for it; 0 where nothing waits. */
  get nextBytes(): number {
    for (const bank of this.#banks) {
      for (const tier of bank) {
        const entry = tier.before(Number.POSITIVE_INFINITY, 0)
        if (entry !== undefined) return entry.bytes.length
      }
    }
    return 0
  }

  /** True while an entry of that name waits. */
  has(name: string): boolean {
    return this.#byName.has(name)
  }

  /** Queues `bytes`, which the caller never changes afterwards.
   *  Differs: memberlist queues what no packet can hold, and it stays there for ever. */
  push(bytes: Uint8Array, note: QueueNote = {}): void {
    assert(bytes.length <= this.#maxBytes, 'an entry fits a packet')
    const { name, ticket, urgent = false } = note
    if (name !== undefined) this.drop(name)
    const bank = urgent ? this.#urgent : this.#others
    const entry: Entry = { bytes, name, ticket, bank, id: this.#nextId++, transmits: 0 }
    if (name !== undefined) this.#byName.set(name, entry)
    this.#add(entry)
    while (this.#size > this.#maxEntries) this.#prune()
  }

  /** Finishes the entry of that name, if there is one. */
  drop(name: string): void {
    const ticket = this.release(name)
    if (ticket !== undefined) this.#finished.push(ticket)
  }

  /** Takes the entry of that name out, if there is one, without reporting its ticket, which is given: another entry may bear it. */
  release(name: string): number | undefined {
    const entry = this.#byName.get(name)
    if (entry !== undefined) this.#forget(entry)
    return entry?.ticket
  }

  /** Takes what fits into one packet; each entry at most once, and counted as sent.
   *  @param overheadBytes what each part costs beside its own length
   *  @param budgetBytes what all parts together may cost
   *  @param maxParts at most this many parts
   *  @param limit transmits after which an entry is finished; see `retransmitLimit` */
  draw(overheadBytes: number, budgetBytes: number, maxParts: number, limit: number): Uint8Array[] {
    const drawn = this.#choose(overheadBytes, budgetBytes, maxParts)
    for (const entry of drawn) {
      if (entry.transmits + 1 >= limit) {
        this.#forget(entry)
        this.#finish(entry)
      } else {
        this.#sink(entry)
      }
    }
    return drawn.map((entry) => entry.bytes)
  }

  /** What `draw` would take, without counting it as sent. */
  copy(overheadBytes: number, budgetBytes: number, maxParts: number): Uint8Array[] {
    return this.#choose(overheadBytes, budgetBytes, maxParts).map((entry) => entry.bytes)
  }

  /** The tickets finished since the last call, in order. */
  takeFinished(): readonly number[] {
    if (this.#finished.length === 0) return NONE
    const finished = this.#finished
    this.#finished = []
    return finished
  }

  #choose(overheadBytes: number, budgetBytes: number, maxParts: number): Entry[] {
    const chosen: Entry[] = []
    if (this.#size === 0) return chosen
    let free = budgetBytes - overheadBytes
    for (const bank of this.#banks) {
      for (const tier of bank) {
        let entry = tier.before(free + 1, 0)
        while (entry !== undefined && chosen.length < maxParts) {
          chosen.push(entry)
          const { length } = entry.bytes
          free -= overheadBytes + length
          entry = length <= free ? tier.before(length, entry.id) : tier.before(free + 1, 0)
        }
      }
    }
    return chosen
  }

  #add(entry: Entry): void {
    tierOf(entry).add(entry)
    this.#size++
    this.#bytes += entry.bytes.length
  }

  /** Takes it out. */
  #forget(entry: Entry): void {
    tierOf(entry).remove(entry)
    this.#size--
    this.#bytes -= entry.bytes.length
    if (entry.name !== undefined) this.#byName.delete(entry.name)
  }

  /** It was sent once more. */
  #sink(entry: Entry): void {
    tierOf(entry).remove(entry)
    entry.transmits++
    tierOf(entry).add(entry)
  }

  #prune(): void {
    const bank = this.#others.some((tier) => tier.size > 0) ? this.#others : this.#urgent
    const entry = bank.findLast((tier) => tier.size > 0)?.first()
    assert(entry !== undefined, 'what is too full holds something')
    this.#forget(entry)
    this.#finish(entry)
    this.#pruned++
  }

  #finish(entry: Entry): void {
    if (entry.ticket !== undefined) this.#finished.push(entry.ticket)
  }
}

/** The tier it stands in, or is to. */
function tierOf({ bank, transmits }: Entry): QueueTier<Entry> {
  while (bank.length <= transmits) bank.push(new QueueTier())
  return bank[transmits] as QueueTier<Entry>
}

const NONE: readonly number[] = Object.freeze([])
