// Sees that a run goes on. An input that never ends blocks the only thread there is, so a second one looks on: where the number stands
// still for too long it says which input that is, how to replay it, and kills the process.
import { Worker } from 'node:worker_threads'

const SOURCE = `
const { workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const { shared, limitMs, lines } = workerData
const place = new Int32Array(shared)
let last = -1
for (;;) {
  if (Atomics.wait(place, 2, 0, limitMs) !== 'timed-out') break
  const now = Atomics.load(place, 0)
  if (now === last && Atomics.load(place, 1) >= 0) {
    writeSync(2, 'hangs: ' + lines[place[1]].replace('NUMBER', String(now)) + '\\n')
    process.kill(process.pid, 'SIGKILL')
  }
  last = now
}
`

export class Watchdog {
  readonly #place: Int32Array = new Int32Array(new SharedArrayBuffer(12))
  readonly #worker: Worker

  /** @param lines what to say for each target, with `NUMBER` where the number of the input goes */
  constructor(limitMs: number, lines: readonly string[]) {
    this.#place[1] = -1
    this.#worker = new Worker(SOURCE, { eval: true, workerData: { shared: this.#place.buffer, limitMs, lines } })
    this.#worker.unref()
  }

  /** An input of a target begins. */
  began(target: number, number: number): void {
    Atomics.store(this.#place, 0, number)
    this.#place[1] = target
  }

  /** Nothing is under way until the next `began`. */
  rest(): void {
    this.#place[1] = -1
  }

  async stop(): Promise<void> {
    Atomics.store(this.#place, 2, 1)
    Atomics.notify(this.#place, 2)
    await this.#worker.terminate()
  }
}
