// What is to happen when: deadlines keyed by name, ordered by (time, insertion), so that ties fall the same way in every run.
// Knows no clock and arms no timer; the driver asks for `next()` and arms the only one there is. Cancelling is deleting a key.

interface Entry<Due> {
  readonly key: string
  at: number
  order: number
  due: Due
  /** Where it stands in the heap; -1 where it does not. */
  slot: number
}

/** A table of deadlines; each carries data that says what comes due. All operations are O(log n) or better. */
export class Deadlines<Due> {
  readonly #byKey = new Map<string, Entry<Due>>()
  readonly #heap: Entry<Due>[] = []
  /** What was taken last. It stays among the keys until something else is taken: what ticks is set again at once. */
  #taken: Entry<Due> | undefined
  #order = 0

  get size(): number {
    return this.#heap.length
  }

  /** Sets `key` to come due at `at`, in place of what it was set to before. */
  set(key: string, at: number, due: Due): void {
    const known = this.#byKey.get(key)
    const entry = known ?? { key, at, order: 0, due, slot: -1 }
    if (known === undefined) this.#byKey.set(key, entry)
    else if (known.slot >= 0) this.#remove(known)
    else this.#taken = undefined
    entry.at = at
    entry.due = due
    entry.order = this.#order++
    entry.slot = this.#heap.length
    this.#heap.push(entry)
    this.#rise(entry)
  }

  /** Sets `key` to come due `byMs` later than it was to. False if it was not set. */
  postpone(key: string, byMs: number): boolean {
    const entry = this.#byKey.get(key)
    if (entry === undefined || entry.slot < 0) return false
    this.set(key, entry.at + byMs, entry.due)
    return true
  }

  /** Sets every key to come due `byMs` later than it was to. */
  postponeAll(byMs: number): void {
    const entries = this.#heap.toSorted((left, right) => left.order - right.order)
    for (const { key } of entries) this.postpone(key, byMs)
  }

  /** Forgets `key`. True if it was set. */
  delete(key: string): boolean {
    const entry = this.#byKey.get(key)
    if (entry === undefined || entry.slot < 0) return false
    this.#byKey.delete(key)
    this.#remove(entry)
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
    if (this.#taken !== undefined) this.#byKey.delete(this.#taken.key)
    this.#taken = first
    this.#remove(first)
    return { at: first.at, due: first.due }
  }

  clear(): void {
    this.#byKey.clear()
    this.#heap.length = 0
    this.#taken = undefined
  }

  #remove(entry: Entry<Due>): void {
    const last = this.#heap.pop() as Entry<Due>
    if (last !== entry) {
      last.slot = entry.slot
      this.#heap[last.slot] = last
      this.#rise(last)
      this.#sink(last)
    }
    entry.slot = -1
  }

  #rise(entry: Entry<Due>): void {
    const heap = this.#heap
    let slot = entry.slot
    while (slot > 0) {
      const above = heap[(slot - 1) >> 1] as Entry<Due>
      if (!isBefore(entry, above)) break
      heap[slot] = above
      above.slot = slot
      slot = (slot - 1) >> 1
    }
    heap[slot] = entry
    entry.slot = slot
  }

  #sink(entry: Entry<Due>): void {
    const heap = this.#heap
    let slot = entry.slot
    for (;;) {
      let child = 2 * slot + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry<Due>, heap[child] as Entry<Due>)) child++
      const least = heap[child] as Entry<Due>
      if (!isBefore(least, entry)) break
      heap[slot] = least
      least.slot = slot
      slot = child
    }
    heap[slot] = entry
    entry.slot = slot
  }
}

function isBefore(left: Entry<unknown>, right: Entry<unknown>): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order)
}
