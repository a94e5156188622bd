// Pings on request: who waits for which answer. One at a time is under way to a member; whoever asks meanwhile shares its answer, so that
// there are never more of them than members.
import { ClosedError, OptionsError, TimeoutError } from './base/errors.ts'
import type { Driver } from './driver/driver.ts'

interface Waiting {
  readonly name: string
  resolve(rttMs: number): void
  reject(error: Error): void
}

export class Pinging {
  readonly #driver: Pick<Driver, 'command'>
  readonly #timeoutMs: number
  readonly #byName = new Map<string, Promise<number>>()
  readonly #waiting = new Map<number, Waiting>()

  /** @param timeoutMs how long the protocol waits for an answer */
  constructor(driver: Pick<Driver, 'command'>, timeoutMs: number) {
    this.#driver = driver
    this.#timeoutMs = timeoutMs
  }

  /** The round trip in milliseconds. @throws OptionsError, TimeoutError, ClosedError */
  async ping(name: string): Promise<number> {
    const underway = this.#byName.get(name) ?? this.#begin(name)
    return await underway
  }

  /** The ping of that number is over. */
  pinged(id: number, rttMs: number | undefined): void {
    const waiting = this.#take(id)
    if (waiting === undefined) return
    if (rttMs !== undefined) waiting.resolve(rttMs)
    else waiting.reject(new TimeoutError(`no answer of ${waiting.name} to a ping within ${this.#timeoutMs} ms`))
  }

  /** No answers come any more. */
  close(): void {
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(new ClosedError())
  }

  #begin(name: string): Promise<number> {
    const begun = new Promise<number>((resolve, reject) => {
      // The end may be told in the very call that begins it: who waits must stand before.
      this.#driver.command((serf, now) => {
        if (name === serf.local.name) throw new OptionsError('name', name, 'is our own')
        const id = serf.ping(name, now)
        if (id === undefined) throw new OptionsError('name', name, 'must be the name of a member')
        this.#waiting.set(id, { name, resolve, reject })
      })
    })
    this.#byName.set(name, begun)
    const forget = (): void => {
      this.#byName.delete(name)
    }
    begun.then(forget, forget)
    return begun
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }
}
