// Questions about keys as promises: asked of the protocol, and answered by its notice. What the answers say is keys.ts's.
import { ClosedError } from './base/errors.ts'
import type { Driver } from './driver/driver.ts'
import type { KeysSetup } from './keys.ts'
import type { KeyOperation } from './serf/key-state.ts'
import type { KeyAnswer, KeyAnswersNotice } from './serf/notices.ts'
import { Waiters } from './waiters.ts'

export class KeyQuestions implements KeysSetup {
  readonly #driver: Pick<Driver, 'command'>
  readonly #throwUnlessRunning: () => void
  /** By ticket. */
  readonly #waiting = new Waiters<readonly KeyAnswer[]>()

  /** @param throwUnlessRunning where nobody can be asked */
  constructor(driver: Pick<Driver, 'command'>, throwUnlessRunning: () => void) {
    this.#driver = driver
    this.#throwUnlessRunning = throwUnlessRunning
  }

  ask(operation: KeyOperation, payload: Uint8Array, relayFactor: number): Promise<readonly KeyAnswer[]> {
    return new Promise((resolve, reject) => {
      // A member that is alone has answered itself in the very call: the waiter must stand before that is told.
      this.#driver.command((serf, now) => {
        this.#waiting.set(serf.askKeys(operation, payload, relayFactor, now), { resolve, reject })
      })
    })
  }

  expected(): readonly string[] {
    this.#throwUnlessRunning()
    const members = this.#driver.command((serf) => serf.members())
    return members.filter(({ state }) => state === 'alive' || state === 'suspect').map(({ name }) => name)
  }

  answered({ ticket, answers }: KeyAnswersNotice): void {
    this.#waiting.resolve(ticket, answers)
  }

  /** Nobody answers any more. */
  close(): void {
    this.#waiting.rejectAll(() => new ClosedError())
  }
}
