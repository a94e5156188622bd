// Pings on request: who waits for which answer. One at a time is under way to a member; whoever asks meanwhile shares its answer, so that
// there are never more of them than members.
import { ClosedError, OptionsError, TimeoutError, TransportError } from './base/errors.ts'
import type { Driver } from './driver/driver.ts'
import type { PingEnd, PingProblem } from './swim/delegate.ts'
import { Waiters } from './waiters.ts'

export class Pinging {
  readonly #driver: Pick<Driver, 'command'>
  readonly #timeoutMs: number
  readonly #byName = new Map<string, Promise<PingEnd>>()
  readonly #waiting = new Waiters<PingEnd>()

  /** @param timeoutMs how long the protocol waits for an answer */
  constructor(driver: Pick<Driver, 'command'>, timeoutMs: number) {
    this.#driver = driver
    this.#timeoutMs = timeoutMs
  }

  /** The round trip in milliseconds. @throws OptionsError, TimeoutError, TransportError, ClosedError */
  async ping(name: string): Promise<number> {
    const end = await (this.#byName.get(name) ?? this.#begin(name))
    if ('rttMs' in end) return end.rttMs
    throw this.#errorOf(name, end.problem)
  }

  /** The ping of that number is over. */
  pinged(id: number, end: PingEnd): void {
    this.#waiting.resolve(id, end)
  }

  /** No answers come any more. */
  close(): void {
    this.#waiting.rejectAll(() => new ClosedError())
  }

  #begin(name: string): Promise<PingEnd> {
    const begun = new Promise<PingEnd>((resolve, reject) => {
      // The end may be told in the very call that begins it: who waits must stand before.
      this.#driver.command((serf, now) => {
        if (name === serf.local.name) throw new OptionsError('name', name, 'is our own')
        const id = serf.ping(name, now)
        if (id === undefined) throw new OptionsError('name', name, 'must be the name of a member')
        this.#waiting.set(id, { resolve, reject })
      })
    })
    this.#byName.set(name, begun)
    const forget = (): void => {
      this.#byName.delete(name)
    }
    begun.then(forget, forget)
    return begun
  }

  #errorOf(name: string, problem: PingProblem): Error {
    switch (problem) {
      case 'unanswered':
        return new TimeoutError(`no answer of ${name} to a ping within ${this.#timeoutMs} ms`)
      case 'stalled':
        return new TimeoutError(`no round trip to ${name} could be measured: our own event loop stood still each time`)
      case 'unsendable':
        return new TransportError(`the network refused a ping to ${name}`)
      case 'unsent':
        return new TransportError(`our own socket could not send a ping to ${name}`)
    }
  }
}
