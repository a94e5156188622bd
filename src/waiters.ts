// Promises that wait for something of ours to end, by its number: an exchange, a broadcast.

/** The two ends of one promise. */
export interface Waiter {
  resolve(): void
  reject(error: Error): void
}

/** Each is settled once, and forgotten with it. A number that nobody waits for is none of ours. */
export class Waiters {
  readonly #waiting = new Map<number, Waiter>()

  set(id: number, waiter: Waiter): void {
    this.#waiting.set(id, waiter)
  }

  has(id: number): boolean {
    return this.#waiting.has(id)
  }

  resolve(id: number): void {
    const waiter = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiter?.resolve()
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
