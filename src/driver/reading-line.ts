// Who is read when: however many streams bring something at once, one turn of the event loop reads for a few milliseconds, and
// packets and timers come in between. What must wait stands in line. What answers us goes before what asks us: strangers must not
// keep us from hearing whom we asked. What has begun to be read and what has not take turns: to begin with all of it would hold all of
// it in memory at once, and to finish one first would let a large one keep the others out. Knows no streams, and arms no timer.

/** No read begins in a turn that has read for so long. One may take longer: a turn is over when it is. */
const READ_MS = 1
/** From the end of one turn's reading until the next may begin. */
export const READ_PAUSE_MS = 1

export class ReadingLine<Item> {
  readonly #now: () => number
  readonly #ours = new Set<Item>()
  readonly #begun = new Set<Item>()
  readonly #fresh = new Set<Item>()
  #isFreshNext = true
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
    return this.#ours.has(item) || this.#begun.has(item) || this.#fresh.has(item)
  }

  /** Nobody waits and this turn bears more: what comes now may be read at once. */
  get isFree(): boolean {
    return this.#isEmpty && this.#bearsMore()
  }

  /** Puts `item` at the end of its kind, unless it is in line. */
  join(item: Item, kind: 'ours' | 'begun' | 'fresh'): void {
    if (this.has(item)) return
    if (kind === 'ours') this.#ours.add(item)
    else if (kind === 'begun') this.#begun.add(item)
    else this.#fresh.add(item)
  }

  leave(item: Item): void {
    this.#ours.delete(item)
    this.#begun.delete(item)
    this.#fresh.delete(item)
  }

  /** Takes the first in line, where this turn bears more. */
  take(): Item | undefined {
    if (!this.#bearsMore()) return undefined
    for (const item of this.#nextLine()) {
      this.leave(item)
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
    this.#ours.clear()
    this.#begun.clear()
    this.#fresh.clear()
  }

  get #isEmpty(): boolean {
    return this.#ours.size + this.#begun.size + this.#fresh.size === 0
  }

  #nextLine(): Set<Item> {
    if (this.#ours.size > 0) return this.#ours
    const isFresh = this.#begun.size === 0 || (this.#isFreshNext && this.#fresh.size > 0)
    this.#isFreshNext = !isFresh
    return isFresh ? this.#fresh : this.#begun
  }

  #bearsMore(): boolean {
    return this.#spentMs < READ_MS || this.#now() >= this.#restedAt
  }
}
