// How an instance begins and ends, and the promises of those who wait for that. Knows nothing of what runs meanwhile.
//
//   idle ──start──► running ──leave──► leaving ──► closed
//     └────────────────┴──────────close───┘            one way
import { ClosedError } from './base/errors.ts'
import type { Driver } from './driver/driver.ts'
import type { ClosedEvent } from './events.ts'

export type Status = 'idle' | 'running' | 'leaving' | 'closed'

export interface LifecycleSetup {
  readonly driver: Pick<Driver, 'command' | 'schedule' | 'tellNews' | 'close'>
  /** Opens everything; calls `running` once that is done, and `throwIfClosing` after each wait before. Leaves nothing open where it rejects. */
  begin(): Promise<void>
  /** Lets go whoever waits for something: nothing comes any more. */
  closing(): void
  /** All is closed. */
  closed(event: ClosedEvent): void
}

export class Lifecycle {
  readonly #setup: LifecycleSetup
  #status: Status = 'idle'
  #starting: Promise<void> | undefined
  #leaving: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #departed: (() => void) | undefined
  #lastLimit = 0

  constructor(setup: LifecycleSetup) {
    this.#setup = setup
  }

  get status(): Status {
    return this.#status
  }

  /** The start under way or done; absent where none was asked for, or the last one failed. */
  get starting(): Promise<void> | undefined {
    return this.#starting
  }

  /** @throws ClosedError on the way out */
  throwIfOver(): void {
    if (this.#status === 'closed' || this.#status === 'leaving') throw new ClosedError()
  }

  /** @throws ClosedError where somebody closed it while it started */
  throwIfClosing(): void {
    if (this.#closing !== undefined) throw new ClosedError('closed while it started')
  }

  /** One start at a time; one that failed may be tried again. */
  start(): Promise<void> {
    if (this.#status === 'closed' || this.#status === 'leaving') return Promise.reject(new ClosedError())
    this.#starting ??= this.#setup.begin().catch((error: unknown) => {
      this.#starting = undefined
      throw error
    })
    return this.#starting
  }

  /** What was begun stands. */
  running(): void {
    this.#status = 'running'
  }

  /** Goodbye, then close. Of the limits of several calls the earliest holds.
   *  @param timeoutMs limit of the goodbye, and of waiting for a start under way */
  async leave(timeoutMs: number | undefined): Promise<void> {
    if (this.#status === 'closed') return this.#closing
    if (this.#leaving === undefined) this.#leaving = this.#leave(timeoutMs)
    else this.#limitLeave(timeoutMs)
    return this.#leaving
  }

  /** The goodbye is complete. */
  departed(): void {
    this.#departed?.()
  }

  close(event: ClosedEvent): Promise<void> {
    if (this.#closing === undefined) {
      let closed = (_end: Promise<void>): void => {}
      // First of all: a listener that is told now what waited may close it as well.
      this.#closing = new Promise((resolve) => {
        closed = resolve
      })
      closed(this.#shutDown(event))
    }
    return this.#closing
  }

  async #leave(timeoutMs: number | undefined): Promise<void> {
    const departed = new Promise<void>((resolve) => {
      this.#departed = resolve
    })
    this.#limitLeave(timeoutMs)
    try {
      // A start under way is let finish: what has been announced must be taken back. Where the limit comes first, nothing has been.
      await Promise.race([this.#starting?.catch(() => {}), departed])
      if (this.#status !== 'running') return
      this.#status = 'leaving'
      this.#setup.driver.command((serf, now) => serf.leave(now))
      await departed
    } finally {
      await this.close({ type: 'closed', reason: 'left' })
    }
  }

  #limitLeave(timeoutMs: number | undefined): void {
    if (timeoutMs === undefined) return
    this.#lastLimit++
    this.#setup.driver.schedule(`leave:${this.#lastLimit}`, timeoutMs, () => this.#departed?.())
  }

  async #shutDown(event: ClosedEvent): Promise<void> {
    try {
      this.#setup.driver.tellNews()
    } finally {
      this.#status = 'closed'
      const closed = this.#setup.driver.close()
      this.#departed?.()
      this.#setup.closing()
      await closed
      this.#setup.closed(event)
    }
  }
}
