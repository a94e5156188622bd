// Time for the code of a user that runs beside a member: what `setTimeout` and its kin are to a real process. Timers belong to the process on
// its host: they are late when it is paused, wrong when its clock drifts, and gone when it crashes.
import { OptionsError } from '../base/errors.ts'
import type { Clock } from '../driver/host.ts'

export class ServiceClock implements Clock {
  readonly #clock: Clock

  /** @param clock the one of the host that the process runs on */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Monotonic milliseconds of the host; the origin means nothing. */
  now(): number {
    return this.#clock.now()
  }

  /** Calls `wake` once at `at`, and gives a function that cancels it. */
  wakeAt(at: number, wake: () => void): () => void {
    return this.#clock.wakeAt(at, wake)
  }

  /** Calls `task` once, in `ms`, and gives a function that cancels it. */
  after(ms: number, task: () => void): () => void {
    return this.#clock.wakeAt(this.now() + checkMs(ms, 0), task)
  }

  /** Calls `task` every `ms`, the first time in `ms`, and gives a function that ends it. After a pause the missed ones are not made up for. */
  every(ms: number, task: () => void): () => void {
    checkMs(ms, Number.MIN_VALUE)
    let cancel: () => void
    const ring = (): void => {
      cancel = this.#clock.wakeAt(this.now() + ms, ring)
      task()
    }
    cancel = this.#clock.wakeAt(this.now() + ms, ring)
    return () => cancel()
  }

  /** Resolves in `ms`; rejects with the signal's reason if that is aborted before. In a process that crashed it does neither. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const abort = (): void => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      signal?.addEventListener('abort', abort, { once: true })
    })
  }
}

function checkMs(ms: number, atLeast: number): number {
  if (!(ms >= atLeast && ms < Number.POSITIVE_INFINITY))
    throw new OptionsError('ms', ms, atLeast > 0 ? 'finite, more than 0' : 'finite, 0 or more')
  return ms
}
