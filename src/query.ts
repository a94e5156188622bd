// A query as whoever asked holds it: its answers as they come, and how it ended. Answers are kept until nobody holds the query any more, so
// that they may be read at any time, from the start, as often as one likes; the protocol takes one of each member.

/** One member's response. */
export interface QueryResponse {
  /** The member's name. */
  readonly from: string
  /** Empty where it answered with nothing. */
  readonly payload: Uint8Array
  /** The payload as a structured value, where it is MessagePack; undefined where it is empty. @throws DecodeError where it is neither */
  unpack(): unknown
}

/** How a query ended: `complete`: everybody who was meant has answered, or is gone. `timeout`: its time was up. `cancelled`: by `cancel()`, or
 *  its signal. `closed`: the instance closed. */
export type QueryOutcome = 'complete' | 'timeout' | 'cancelled' | 'closed'

/** Answers as they come: `for await` gives each, those that have come first, until the query is over. */
export class Answers<Item> implements AsyncIterable<Item> {
  readonly #items: Item[] = []
  #wake: (() => void)[] = []
  #isOver = false
  #reason: { readonly error: unknown } | undefined

  /** Takes one more. */
  push(item: Item): void {
    if (this.#isOver) return
    this.#items.push(item)
    this.#rouse()
  }

  /** No more come. @param reason what readers are to be thrown, after what has come; absent: nothing */
  end(reason?: { readonly error: unknown }): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#reason = reason
    this.#rouse()
  }

  /** All of them, once no more come. Rejects with the reason of the query's signal where that was aborted. */
  async collect(): Promise<readonly Item[]> {
    while (!this.#isOver) await this.#more()
    if (this.#reason !== undefined) throw this.#reason.error
    return [...this.#items]
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Item> {
    for (let at = 0; ; at++) {
      while (at >= this.#items.length && !this.#isOver) await this.#more()
      if (at >= this.#items.length) break
      yield this.#items[at] as Item
    }
    if (this.#reason !== undefined) throw this.#reason.error
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.push(resolve)
    })
  }

  #rouse(): void {
    const waiting = this.#wake
    this.#wake = []
    for (const wake of waiting) wake()
  }
}

/** What a query is made with. */
interface QuerySetup {
  readonly name: string
  /** Whoever asked wants no more answers: the protocol lets go of it. Must not throw. */
  cancelled(): void
  /** It is over, whatever the reason. Must not throw. */
  ended(): void
}

/** A query that was asked.
 *  @example
 *  for await (const { from, payload } of membership.query('load')) console.log(from, payload) */
export class Query implements AsyncIterable<QueryResponse> {
  readonly name: string
  /** Names of the members that have the query, as they say so; none without `ack`. `for await` and `collect()`, as the query itself. */
  readonly acks: Answers<string>
  readonly #responses: Answers<QueryResponse>
  readonly #ended: Promise<QueryOutcome>
  readonly #setup: QuerySetup
  #end: (outcome: QueryOutcome) => void = () => {}
  #outcome: QueryOutcome | undefined

  constructor(setup: QuerySetup) {
    this.name = setup.name
    this.#setup = setup
    this.acks = new Answers()
    this.#responses = new Answers()
    this.#ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** How it ended; absent while it is open. */
  get outcome(): QueryOutcome | undefined {
    return this.#outcome
  }

  /** How it ended, once it has. Never rejects. */
  get ended(): Promise<QueryOutcome> {
    return this.#ended
  }

  /** All responses, once no more come. Rejects with the reason of the signal where that was aborted. */
  collect(): Promise<readonly QueryResponse[]> {
    return this.#responses.collect()
  }

  [Symbol.asyncIterator](): AsyncIterator<QueryResponse> {
    return this.#responses[Symbol.asyncIterator]()
  }

  /** Takes no more answers; what has come stays. Idempotent. */
  cancel(): void {
    this.#cancel(undefined)
  }

  /** The same, for the reason of its signal. @internal */
  abort(error: unknown): void {
    this.#cancel({ error })
  }

  /** A response came. @internal */
  responded(response: QueryResponse): void {
    this.#responses.push(response)
  }

  /** It is over. @internal @param reason see `Answers` */
  finish(outcome: QueryOutcome, reason?: { readonly error: unknown }): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    this.#setup.ended()
    this.#responses.end(reason)
    this.acks.end(reason)
    this.#end(outcome)
  }

  #cancel(reason: { readonly error: unknown } | undefined): void {
    if (this.#outcome !== undefined) return
    this.finish('cancelled', reason)
    this.#setup.cancelled()
  }
}
