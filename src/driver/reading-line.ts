// Who is read when: however many streams bring something at once, one turn of the event loop reads for a few milliseconds, and
// packets and timers come in between. What must wait stands in line. What answers us goes before what asks us: strangers must not
// keep us from hearing whom we asked. What has begun to be read and what has not take turns: to begin with all of it would hold all of
// it in memory at once, and to finish one first would let a large one keep the others out. For the same reason of those that unfold,
// which makes most of little, one is unfolded to its end before the next, in turns with the other two. Knows no streams, and arms no timer.

/** No read begins in a turn that has read for so long. One may take longer: a turn is over when it is. */
const READ_MS = 1
/** From the end of one turn's reading until the next may begin. */
export const READ_PAUSE_MS = 1

type Kind = 'ours' | 'unfolding' | 'begun' | 'fresh'
/** Whose turn it is after whose. */
const TURNS = ['fresh', 'begun', 'unfolding'] as const

export class ReadingLine<Item> {
  readonly #now: () => number
  readonly #lines: Readonly<Record<Kind, Set<Item>>> = {
    ours: new Set(),
    unfolding: new Set(),
    begun: new Set(),
    fresh: new Set(),
  }
  /** Of those that unfold, the one that was read last. */
  #unfolded: Item | undefined
  #turn = 0
  #spentMs = 0
  #restedAt = Number.NEGATIVE_INFINITY

  constructor(now: () => number) {
    this.#now = now
  }

  /** When the first in line may be read; `undefined` where nobody waits. */
  next(): number | undefined {
    return this.#isEmpty ? undefined : this.#restedAt
  }

  has(item: Item): boolean {
    return Object.values(this.#lines).some((line) => line.has(item))
  }

  /** Nobody waits and this turn bears more: what comes now may be read at once. */
  get isFree(): boolean {
    return this.#isEmpty && this.#bearsMore()
  }

  /** Puts `item` at the end of its kind, unless it is in line. One that unfolds, and was read last of these, goes on first. */
  join(item: Item, kind: Kind): void {
    if (!this.has(item)) this.#lines[kind].add(item)
  }

  leave(item: Item): void {
    for (const line of Object.values(this.#lines)) line.delete(item)
    if (this.#unfolded === item) this.#unfolded = undefined
  }

  /** Takes the first in line, where this turn bears more. */
  take(): Item | undefined {
    if (this.#isEmpty || !this.#bearsMore()) return undefined
    const { ours, unfolding } = this.#lines
    const line = ours.size > 0 ? ours : this.#nextOfTheirs()
    if (line === unfolding && this.#unfolded !== undefined && line.delete(this.#unfolded)) return this.#unfolded
    for (const item of line) {
      line.delete(item)
      if (line === unfolding) this.#unfolded = item
      return item
    }
    return undefined
  }

  /** Reads, with all that follows at once, and counts the time. `read` says whether all that came is read: where it is not, that
   *  was as much as a turn bears. */
  spend(read: () => boolean): void {
    const begun = this.#now()
    if (begun >= this.#restedAt) this.#spentMs = 0
    const hasReadAll = read()
    const ended = this.#now()
    this.#spentMs = hasReadAll ? this.#spentMs + ended - begun : Number.POSITIVE_INFINITY
    this.#restedAt = ended + READ_PAUSE_MS
  }

  clear(): void {
    for (const line of Object.values(this.#lines)) line.clear()
    this.#unfolded = undefined
  }

  get #isEmpty(): boolean {
    const { ours, unfolding, begun, fresh } = this.#lines
    return ours.size + unfolding.size + begun.size + fresh.size === 0
  }

  /** The first line with somebody in it, from the one whose turn it is. */
  #nextOfTheirs(): Set<Item> {
    for (let tried = 1; tried < TURNS.length; tried++) {
      if (this.#lineAtTurn.size > 0) break
      this.#turn++
    }
    const line = this.#lineAtTurn
    this.#turn++
    return line
  }

  get #lineAtTurn(): Set<Item> {
    return this.#lines[TURNS[this.#turn % TURNS.length] as Kind]
  }

  #bearsMore(): boolean {
    return this.#spentMs < READ_MS || this.#now() >= this.#restedAt
  }
}
