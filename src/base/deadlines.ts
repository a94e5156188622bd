// What is to happen when: deadlines keyed by name, ordered by (time, insertion), so that ties fall the same way in every run.
// Knows no clock and arms no timer; the driver asks for `next()` and arms the only one there is. Cancelling is deleting a key.

interface Entry<Due> {
  readonly key: string
  readonly at: number
  readonly order: number
  readonly due: Due
  slot: number
}

/** A table of deadlines; each carries data that says what comes due. All operations are O(log n) or better. */
export class Deadlines<Due> {
  readonly #byKey = new Map<string, Entry<Due>>()
  readonly #heap: Entry<Due>[] = []
  #order = 0

  get size(): number {
    return this.#heap.length
  }

  /** Sets `key` to come due at `at`, in place of what it was set to before. */
  set(key: string, at: number, due: Due): void {
    this.delete(key)
    const entry: Entry<Due> = { key, at, order: this.#order++, due, slot: this.#heap.length }
    this.#byKey.set(key, entry)
    this.#heap.push(entry)
    this.#rise(entry)
  }

  /** Sets `key` to come due `byMs` later than it was to. False if it was not set. */
  postpone(key: string, byMs: number): boolean {
    const entry = this.#byKey.get(key)
    if (entry === undefined) return false
    this.set(key, entry.at + byMs, entry.due)
    return true
  }

  /** Sets every key to come due `byMs` later than it was to. */
  postponeAll(byMs: number): void {
    for (const key of [...this.#byKey.keys()]) this.postpone(key, byMs)
  }

  /** Forgets `key`. True if it was set. */
  delete(key: string): boolean {
    const entry = this.#byKey.get(key)
    if (entry === undefined) return false
    this.#byKey.delete(key)
    const last = this.#heap.pop() as Entry<Due>
    if (last !== entry) {
      this.#place(last, entry.slot)
      this.#rise(last)
      this.#sink(last)
    }
    return true
  }

  /** The earliest time set, or `undefined` where nothing is. */
  next(): number | undefined {
    return this.#heap[0]?.at
  }

  /** Takes the earliest entry that is due at `now`, with the time it was set for, or gives `undefined`. */
  popDue(now: number): { readonly at: number; readonly due: Due } | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.at > now) return undefined
    this.delete(first.key)
    return first
  }

  clear(): void {
    this.#byKey.clear()
    this.#heap.length = 0
  }

  #place(entry: Entry<Due>, slot: number): void {
    this.#heap[slot] = entry
    entry.slot = slot
  }

  #rise(entry: Entry<Due>): void {
    while (entry.slot > 0) {
      const above = this.#heap[(entry.slot - 1) >> 1] as Entry<Due>
      if (!isBefore(entry, above)) return
      this.#swap(entry, above)
    }
  }

  #sink(entry: Entry<Due>): void {
    for (;;) {
      const left = this.#heap[2 * entry.slot + 1]
      if (left === undefined) return
      const right = this.#heap[2 * entry.slot + 2]
      const least = right !== undefined && isBefore(right, left) ? right : left
      if (!isBefore(least, entry)) return
      this.#swap(entry, least)
    }
  }

  #swap(left: Entry<Due>, right: Entry<Due>): void {
    const slot = left.slot
    this.#place(left, right.slot)
    this.#place(right, slot)
  }
}

function isBefore(left: Entry<unknown>, right: Entry<unknown>): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order)
}
