// What Serf remembers of queries: those that have come, so that none is taken twice; and ours that are open. Plain data and a ring; what
// happens to them stands in queries.ts, asking.ts and collecting.ts.
import { Allowance } from '../base/allowance.ts'
import { LamportClock } from './lamport-clock.ts'
import type { QueryEnd } from './notices.ts'
import { TagPatterns } from './tag-patterns.ts'

/** Times that are remembered, the newest: Serf's own number. What is older is too old. */
export const RING_SLOTS = 512
/** Queries at one and the same time: of members that asked without having heard of each other. */
export const MAX_AT_ONE_TIME = 1024

/** What the patterns of others' queries may take: instructions times characters, and what compiling them is worth. At once so much as the
 *  largest query takes, about a tenth of a second; then a twentieth of each second. A usual pattern takes 200 units, 1,000 the first time. */
const PATTERN_WORK = { most: 2 ** 19, perSecond: 2 ** 18 } as const

/** Acks, relays and Serf's own answers. A thousand queries fit a datagram, and each may wish for an ack through sixteen others. */
const PACKETS = { most: 512, perSecond: 256 } as const

/** For askers that nobody knows: who is about to join, and has asked already. */
const STRANGERS_PACKETS = { most: 32, perSecond: 16 } as const

/** The queries of one time. */
interface Slot {
  readonly ltime: number
  readonly ids: Set<number>
}

/** Which queries have come, by time and id: those of the newest 512 times. */
export class SeenQueries {
  readonly #slots: (Slot | undefined)[] = new Array<undefined>(RING_SLOTS).fill(undefined)

  /** Takes a query down: `new`, or `seen` before, or one of `too-many` at its time. */
  note(ltime: number, id: number): 'new' | 'seen' | 'too-many' {
    const at = ltime % RING_SLOTS
    const held = this.#slots[at]
    const slot = held?.ltime === ltime ? held : { ltime, ids: new Set<number>() }
    if (slot.ids.has(id)) return 'seen'
    if (slot.ids.size >= MAX_AT_ONE_TIME) return 'too-many'
    slot.ids.add(id)
    this.#slots[at] = slot
    return 'new'
  }
}

/** Who wants the answers. Called in the middle of a transition; changes its own state and the outbox, and nothing else. */
export interface QuerySink {
  acked(from: string): void
  answered(from: string, payload: Uint8Array): void
  ended(reason: QueryEnd): void
  /** Somebody else answers by our own name. */
  namesake?(): void
}

/** A query of ours that is open. */
export interface OpenQuery {
  readonly ltime: number
  readonly id: number
  readonly sink: QuerySink
  /** Members from which we want an ack. */
  readonly unacked: Set<string>
  /** Members from which we want a response. */
  readonly unanswered: Set<string>
  /** False where it lasts its full time, whoever answers. */
  readonly endsEarly: boolean
  readonly acked: Set<string>
  readonly answered: Set<string>
  strangers: number
}

/** What we remember of queries. */
export interface Queries {
  readonly clock: LamportClock
  /** Older queries are not taken. */
  minTime: number
  readonly seen: SeenQueries
  readonly patterns: TagPatterns
  /** What the patterns of others may take; see `query-filters.ts`. */
  readonly patternWork: Allowance
  /** Packets that others' queries and relays may make us send, without anybody here having a say. */
  readonly packets: Allowance
  /** The same for whoever is at no member's address. */
  readonly strangersPackets: Allowance
  /** Ours that are open, by their time. */
  readonly open: Map<number, OpenQuery>
}

export function newQueries(): Queries {
  return {
    clock: new LamportClock(),
    minTime: 0,
    seen: new SeenQueries(),
    patterns: new TagPatterns(),
    patternWork: new Allowance(PATTERN_WORK),
    packets: new Allowance(PACKETS),
    strangersPackets: new Allowance(STRANGERS_PACKETS),
    open: new Map(),
  }
}
