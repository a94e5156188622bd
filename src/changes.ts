// The member list as a stream: first the whole view, then one item a change. Bounded: a reader that is too slow loses
// changes, is told how many, and gets a fresh view to go on from. Knows nothing of where changes come from.
import type { MemberEvent } from './events.ts'
import type { Member } from './serf/members.ts'

/** One item of `membership.changes()`. */
export type Change<Tags = undefined> =
  /** Everyone, as of now. */
  | { readonly kind: 'view'; readonly members: readonly Member<Tags>[] }
  /** One event, in order. */
  | { readonly kind: 'change'; readonly event: MemberEvent<Tags> }
  /** So many changes were lost since the last item; a view follows. */
  | { readonly kind: 'lost'; readonly count: number }

/** Changes that may wait for a reader. */
const MAX_WAITING = 1024

/** One reader's queue. */
export class ChangeStream<Tags = undefined> implements AsyncIterableIterator<Change<Tags>> {
  readonly #view: () => readonly Member<Tags>[]
  readonly #ended: (stream: ChangeStream<Tags>) => void
  #waiting: Change<Tags>[] = []
  #lost = 0
  #needsView = true
  #isOver = false
  #readers: ((result: IteratorResult<Change<Tags>>) => void)[] = []

  /** @param view gives everyone as of now; @param ended is called once, when nothing more will be read */
  constructor(view: () => readonly Member<Tags>[], ended: (stream: ChangeStream<Tags>) => void) {
    this.#view = view
    this.#ended = ended
  }

  /** A member event happened. */
  push(event: MemberEvent<Tags>): void {
    if (this.#isOver) return
    if (this.#needsView) {
      // The view that comes next holds it already.
      if (this.#lost > 0) this.#lost++
      return
    }
    if (this.#waiting.length >= MAX_WAITING) {
      this.#lost = this.#waiting.length + 1
      this.#waiting = []
      this.#needsView = true
      return
    }
    this.#waiting.push({ kind: 'change', event })
    this.#serve()
  }

  /** No more changes; what waits can still be read. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#ended(this)
    this.#serve()
  }

  next(): Promise<IteratorResult<Change<Tags>>> {
    return new Promise((resolve) => {
      this.#readers.push(resolve)
      this.#serve()
    })
  }

  return(): Promise<IteratorResult<Change<Tags>>> {
    this.#waiting = []
    this.#lost = 0
    this.#needsView = false
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** @param isBetween true in a turn of its own, when no event is being told */
  #serve(isBetween = false): void {
    while (this.#readers.length > 0) {
      if (this.#lost === 0 && this.#needsView && !this.#isOver && !isBetween) {
        // A listener may ask in the middle of several events: the state holds all of them already, and those still to be told
        // would come a second time after a view of now.
        void Promise.resolve().then(() => this.#serve(true))
        return
      }
      const item = this.#take()
      if (item === undefined && !this.#isOver) return
      const reader = this.#readers.shift() as (result: IteratorResult<Change<Tags>>) => void
      reader(item === undefined ? { done: true, value: undefined } : { done: false, value: item })
    }
  }

  #take(): Change<Tags> | undefined {
    if (this.#lost > 0) {
      const count = this.#lost
      this.#lost = 0
      return { kind: 'lost', count }
    }
    if (this.#needsView) {
      // What is told while it is made is in it already.
      const members = this.#view()
      this.#needsView = false
      return { kind: 'view', members }
    }
    return this.#waiting.shift()
  }
}

/** All readers of one instance. */
export class ChangeStreams<Tags> {
  readonly #view: () => readonly Member<Tags>[]
  readonly #open = new Set<ChangeStream<Tags>>()

  /** @param view gives everyone as of now */
  constructor(view: () => readonly Member<Tags>[]) {
    this.#view = view
  }

  /** One more reader, until it stops, the signal is aborted, or all end.
   *  @param isOver it ends at once */
  open(signal: AbortSignal | undefined, isOver: boolean): ChangeStream<Tags> {
    const abort = (): void => stream.end()
    const stream = new ChangeStream(this.#view, (ended) => {
      this.#open.delete(ended)
      signal?.removeEventListener('abort', abort)
    })
    this.#open.add(stream)
    if (isOver || signal?.aborted === true) stream.end()
    else signal?.addEventListener('abort', abort, { once: true })
    return stream
  }

  push(event: MemberEvent<Tags>): void {
    for (const stream of this.#open) stream.push(event)
  }

  end(): void {
    for (const stream of [...this.#open]) stream.end()
  }
}
