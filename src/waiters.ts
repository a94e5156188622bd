// Promises that wait for something of ours to end, by its number: an exchange, a broadcast, a question.

/** The two ends of one promise. */
export interface Waiter<Value = void> {
  resolve(value: Value): void
  reject(error: Error): void
}

/** Each is settled once, and forgotten with it. A number that nobody waits for is none of ours. */
export class Waiters<Value = void> {
  readonly #waiting = new Map<number, Waiter<Value>>()

  set(id: number, waiter: Waiter<Value>): void {
    this.#waiting.set(id, waiter)
  }

  has(id: number): boolean {
    return this.#waiting.has(id)
  }

  resolve(id: number, value: Value): void {
    const waiter = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiter?.resolve(value)
  }

  reject(id: number, error: Error): void {
    const waiter = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiter?.reject(error)
  }

  rejectAll(error: () => Error): void {
    for (const id of [...this.#waiting.keys()]) this.reject(id, error())
  }
}
