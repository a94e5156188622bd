// What strangers make us hold, by stream and in all: who holds most has to go when it is too much. Counts what it is told; knows no
// streams and no limit.

export class HeldBytes<Holder> {
  readonly #held = new Map<Holder, number>()
  #total = 0

  /** Of all holders together. */
  get total(): number {
    return this.#total
  }

  /** `holder` holds so much from now on; with 0 it is forgotten. */
  set(holder: Holder, bytes: number): void {
    this.#total += bytes - (this.#held.get(holder) ?? 0)
    if (bytes === 0) this.#held.delete(holder)
    else this.#held.set(holder, bytes)
  }

  /** Who holds most; `first` where nobody holds more than that one. */
  most(first: Holder): Holder {
    let most = first
    for (const [holder, bytes] of this.#held) if (bytes > (this.#held.get(most) ?? 0)) most = holder
    return most
  }

  clear(): void {
    this.#held.clear()
    this.#total = 0
  }
}
