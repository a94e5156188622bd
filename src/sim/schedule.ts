// Virtual time: what happens when, ordered by (time, insertion), so that ties fall the same way in every run.
// The clock jumps: it stands still while a task runs and then is at the next task's time. Knows nothing of members or networks,
// and waits for nothing; who takes the steps is turns.ts. A binary heap whose entries know their slot, so that cancelling is real.
import { assert } from '../base/assert.ts'

/** A task that waits for its time; the handle to cancel it with. */
export interface Scheduled {
  /** Virtual milliseconds at which it runs. */
  readonly at: number
}

/** A class, since V8 puts object literals of a place among what lives long once most of them have lived for a while, as in a storm of
 *  joins, and with them all that is made beside them; ever after they wait for a full collection. */
class Entry implements Scheduled {
  readonly at: number
  readonly order: number
  readonly task: () => void
  /** Where it stands in the heap; -1 once it ran or was cancelled. */
  slot: number

  constructor(at: number, order: number, task: () => void, slot: number) {
    this.at = at
    this.order = order
    this.task = task
    this.slot = slot
  }
}

/** A queue of tasks and the virtual time that goes with it. All operations are O(log n) or better. */
export class Schedule {
  readonly #heap: Entry[] = []
  #now = 0
  #order = 0
  #steps = 0

  /** Virtual milliseconds since the beginning. Never falls. */
  get now(): number {
    return this.#now
  }

  /** How many tasks wait. */
  get size(): number {
    return this.#heap.length
  }

  /** How many tasks have run. */
  get steps(): number {
    return this.#steps
  }

  /** Runs `task` at virtual time `at`, after all that were scheduled for that time before. A time that is past means now. */
  at(at: number, task: () => void): Scheduled {
    assert(!Number.isNaN(at), 'a task is scheduled for a number')
    const entry = new Entry(Math.max(at, this.#now), this.#order++, task, this.#heap.length)
    this.#heap.push(entry)
    this.#rise(entry)
    return entry
  }

  /** Forgets a task. False if it ran or was cancelled before. */
  cancel(scheduled: Scheduled): boolean {
    const entry = scheduled as Entry
    if (entry.slot < 0) return false
    this.#remove(entry)
    return true
  }

  /** When the next task runs, or `undefined` where none waits. */
  next(): number | undefined {
    return this.#heap[0]?.at
  }

  /** Moves the clock to the next task and runs it. False where none waits. What the task throws comes out of here. */
  step(): boolean {
    const first = this.#heap[0]
    if (first === undefined) return false
    this.#remove(first)
    this.#now = first.at
    this.#steps++
    first.task()
    return true
  }

  /** Moves the clock on to `now`, past which nothing may be waiting. */
  skipTo(now: number): void {
    const next = this.next()
    assert(next === undefined || next >= now, 'no task is skipped')
    if (now > this.#now) this.#now = now
  }

  #remove(entry: Entry): void {
    const last = this.#heap.pop() as Entry
    if (last !== entry) {
      last.slot = entry.slot
      this.#heap[last.slot] = last
      this.#rise(last)
      this.#sink(last)
    }
    entry.slot = -1
  }

  #rise(entry: Entry): void {
    const heap = this.#heap
    let slot = entry.slot
    while (slot > 0) {
      const above = heap[(slot - 1) >> 1] as Entry
      if (!isBefore(entry, above)) break
      heap[slot] = above
      above.slot = slot
      slot = (slot - 1) >> 1
    }
    heap[slot] = entry
    entry.slot = slot
  }

  #sink(entry: Entry): void {
    const heap = this.#heap
    let slot = entry.slot
    for (;;) {
      let child = 2 * slot + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child++
      const least = heap[child] as Entry
      if (!isBefore(least, entry)) break
      heap[slot] = least
      least.slot = slot
      slot = child
    }
    heap[slot] = entry
    entry.slot = slot
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order)
}
