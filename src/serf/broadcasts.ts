// What Serf still has to tell: three queues, and who of them goes into a packet (serf-behaviour §30). Intents go before queries, and
// queries before user events; but who comes later keeps a share, whatever storm there is before it. Knows budgets, not meanings.
import type { BroadcastsWaiting } from '../swim/delegate.ts'
import { DisseminationQueue, type QueueNote } from '../swim/dissemination-queue.ts'

/** The queues, in the order of preference. */
export type BroadcastKind = 'intents' | 'queries' | 'events'

/** How many broadcasts wait in each. */
export type BroadcastDepths = Readonly<Record<BroadcastKind, number>>

/** How deep the queues may become, in Serf's own words; see `SerfOptions`. */
export interface QueueBounds {
  readonly maxQueueDepth: number
  readonly minQueueDepth: number
}

const KINDS: readonly BroadcastKind[] = ['intents', 'queries', 'events']
const LATER_FIRST: readonly BroadcastKind[] = KINDS.toReversed()

/** Of what Serf may fill, what queries and what user events may claim while what goes before them would fill it alone.
 *  Differs: Serf gives them what is left, and that is nothing in a storm of intents or queries. */
const SHARES: Readonly<Record<BroadcastKind, number>> = { intents: 0, queries: 0.3, events: 0.4 }

/** Intents waiting for each member: one, and another that replaces it. */
const INTENTS_PER_MEMBER = 2

const NOTHING_WAITING: BroadcastsWaiting = Object.freeze({ nextBytes: 0, allBytes: 0 })

/** What may be drawn: each part costs `overheadBytes` beside its length. */
interface Room {
  readonly overheadBytes: number
  readonly budgetBytes: number
  readonly maxParts: number
}

/** What a queue keeps of a packet. */
interface Reserve {
  readonly kind: BroadcastKind
  readonly bytes: number
  readonly parts: number
}

const NO_RESERVE = { bytes: 0, parts: 0 } as const
const NONE: readonly never[] = Object.freeze([])

/** The three queues of one member. Entries are whole memberlist messages, type byte included. */
export class Broadcasts {
  readonly #queues: Readonly<Record<BroadcastKind, DisseminationQueue>>
  /** What each may take before whoever goes before it: a deficit round robin (Shreedhar, Varghese 1995). */
  #credits: Record<BroadcastKind, number> = { intents: 0, queries: 0, events: 0 }
  readonly #bounds: QueueBounds
  readonly #maxBytes: number
  /** Nothing waits, and what was finished has been taken: so it is most of the time, and nobody need look at the queues. */
  #isIdle = true
  #pruned = 0

  /** @param maxBytes the longest entry: what the emptiest packet holds */
  constructor(bounds: QueueBounds, maxBytes: number) {
    this.#bounds = bounds
    this.#maxBytes = maxBytes
    this.#queues = {
      intents: new DisseminationQueue(1, maxBytes),
      queries: new DisseminationQueue(1, maxBytes),
      events: new DisseminationQueue(1, maxBytes),
    }
  }

  /** The longest entry taken. */
  get maxBytes(): number {
    return this.#maxBytes
  }

  /** Entries in all queues together. */
  get size(): number {
    const { intents, queries, events } = this.#queues
    return intents.size + queries.size + events.size
  }

  get depths(): BroadcastDepths {
    const { intents, queries, events } = this.#queues
    return { intents: intents.size, queries: queries.size, events: events.size }
  }

  /** Entries dropped untold because their queue was full, since the beginning. */
  get pruned(): number {
    return this.#pruned
  }

  /** Queues an entry. What is then too much is dropped at once.
   *  Differs: Serf looks every 30 s whether its queues are too long, and they grow without bound in between.
   *  @param members of every state, ourselves included */
  push(kind: BroadcastKind, bytes: Uint8Array, members: number, note: QueueNote = {}): void {
    const queue = this.#queues[kind]
    queue.maxEntries = this.#limitOf(kind, members)
    const before = queue.pruned
    queue.push(bytes, note)
    this.#pruned += queue.pruned - before
    this.#isIdle = false
  }

  /** What waits, and what goes next where there is room for it: SWIM saves up for it. */
  waiting(overheadBytes: number): BroadcastsWaiting {
    if (this.#isIdle) return NOTHING_WAITING
    let [size, bytes] = [0, 0]
    for (const kind of KINDS) {
      const queue = this.#queues[kind]
      size += queue.size
      bytes += queue.bytes
    }
    if (size === 0) return NOTHING_WAITING
    const next = this.#nextOf(overheadBytes)
    return { nextBytes: next + overheadBytes, allBytes: bytes + size * overheadBytes }
  }

  /** Takes what fits, each entry at most once, and counts it as sent.
   *  @param limit transmits after which an entry is finished; see `retransmitLimit` */
  draw(overheadBytes: number, budgetBytes: number, maxParts: number, limit: number): readonly Uint8Array[] {
    const room = { overheadBytes, budgetBytes, maxParts }
    this.#credits = this.#grown(room)
    return this.#fill(room, this.#credits, (kind, { budgetBytes, maxParts }, reserved) => {
      const drawn = this.#queues[kind].draw(overheadBytes, budgetBytes, maxParts, limit)
      // Only what the others had to give up is paid for.
      this.#credits[kind] -= Math.min(reserved, costOf(drawn, overheadBytes))
      return drawn
    })
  }

  /** What `draw` would take, without counting it as sent. */
  copy(overheadBytes: number, budgetBytes: number, maxParts: number): readonly Uint8Array[] {
    const room = { overheadBytes, budgetBytes, maxParts }
    return this.#fill(room, this.#grown(room), (kind, { budgetBytes, maxParts }) => {
      return this.#queues[kind].copy(overheadBytes, budgetBytes, maxParts)
    })
  }

  /** The tickets finished since the last call. */
  takeFinished(): readonly number[] {
    if (this.#isIdle) return NONE
    let finished: readonly number[] = NONE
    for (const kind of KINDS) {
      const more = this.#queues[kind].takeFinished()
      if (more.length > 0) finished = [...finished, ...more]
    }
    this.#isIdle = this.size === 0
    return finished
  }

  #fill(
    room: Room,
    credits: Readonly<Record<BroadcastKind, number>>,
    take: (kind: BroadcastKind, room: Room, reserved: number) => readonly Uint8Array[],
  ): readonly Uint8Array[] {
    const { overheadBytes } = room
    const reserves = this.#reserve(room, credits)
    // What is free beside all that is kept.
    let { budgetBytes, maxParts } = room
    for (const { bytes, parts } of reserves) {
      budgetBytes -= bytes
      maxParts -= parts
    }
    const filled: Uint8Array[] = []
    for (const kind of KINDS) {
      if (this.#queues[kind].size === 0) continue
      const own = reserves.find((reserve) => reserve.kind === kind) ?? NO_RESERVE
      const free = { overheadBytes, budgetBytes: budgetBytes + own.bytes, maxParts: maxParts + own.parts }
      const taken = take(kind, free, own.bytes)
      budgetBytes = free.budgetBytes - costOf(taken, overheadBytes)
      maxParts = free.maxParts - taken.length
      for (const part of taken) filled.push(part)
    }
    return filled
  }

  /** What the later queues keep of a packet that earlier ones may fill alone. */
  #reserve(
    { overheadBytes, budgetBytes, maxParts }: Room,
    credits: Readonly<Record<BroadcastKind, number>>,
  ): Reserve[] {
    const reserves: Reserve[] = []
    let free = budgetBytes
    for (const kind of LATER_FIRST) {
      const queue = this.#queues[kind]
      const credit = Math.floor(Math.min(credits[kind], free))
      if (SHARES[kind] === 0 || queue.size === 0 || queue.nextBytes + overheadBytes > credit) continue
      const parts = queue.copy(overheadBytes, credit, Math.floor(maxParts * SHARES[kind]))
      const bytes = costOf(parts, overheadBytes)
      free -= bytes
      reserves.push({ kind, bytes, parts: parts.length })
    }
    return reserves
  }

  /** The credits as a packet with that room makes them: each grows while something waits, until it holds the longest there may be. */
  #grown({ overheadBytes, budgetBytes }: Room): Record<BroadcastKind, number> {
    const most = this.#maxBytes + overheadBytes
    const grown = (kind: BroadcastKind): number => {
      if (this.#queues[kind].size === 0) return 0
      return Math.min(most, this.#credits[kind] + Math.max(0, budgetBytes) * SHARES[kind])
    }
    return { intents: grown('intents'), queries: grown('queries'), events: grown('events') }
  }

  /** Bytes of what goes next: of the last queue whose credit holds its next entry, else of the first where anything waits. */
  #nextOf(overheadBytes: number): number {
    let first = 0
    for (const kind of LATER_FIRST) {
      const queue = this.#queues[kind]
      if (queue.size === 0) continue
      first = queue.nextBytes
      if (first + overheadBytes <= this.#credits[kind]) return first
    }
    return first
  }

  #limitOf(kind: BroadcastKind, members: number): number {
    const { maxQueueDepth, minQueueDepth } = this.#bounds
    const limit = minQueueDepth > 0 ? Math.max(minQueueDepth, 2 * members) : maxQueueDepth
    return kind === 'intents' ? Math.max(limit, INTENTS_PER_MEMBER * members) : limit
  }
}

function costOf(parts: readonly Uint8Array[], overheadBytes: number): number {
  let cost = parts.length * overheadBytes
  for (const { length } of parts) cost += length
  return cost
}
