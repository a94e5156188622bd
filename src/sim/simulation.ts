// One run: a clock that jumps, a network, hosts to run things on, a transcript, all from one seed. Knows nothing of members:
// whatever takes a `Host` runs here (cluster.ts puts members on it). Time passes only while somebody waits for `run`, `until` or
// `finish`: the first of them drives, whoever else waits meanwhile is woken in time, and one of them drives on when the first is done.
// Tasks and code under test take turns as turns.ts says.
import { NO_BYTES } from '../base/bytes.ts'
import { checkObject } from '../base/check.ts'
import { OptionsError, TimeoutError } from '../base/errors.ts'
import { Random } from '../base/random.ts'
import { parseIp } from '../wire/address.ts'
import { packetDescriber } from './describe.ts'
import { SimHost } from './host.ts'
import { Network, type NetworkOptions } from './network.ts'
import { Schedule } from './schedule.ts'
import type { Station } from './station.ts'
import { Transcript, type TranscriptDetail } from './transcript.ts'
import { takeTurns } from './turns.ts'

export interface SimulationOptions extends Omit<NetworkOptions, 'observer'> {
  /** A whole number of 32 bits, 0 to 4,294,967,295. All chance of the run comes from it. */
  readonly seed: number
  /** What the transcript holds; default `events`. */
  readonly transcript?: TranscriptDetail
  /** Reads packets for the transcript. Default: memberlist's, without label or keys. */
  readonly describe?: (packet: Uint8Array) => string
}

/** How long `until` and `finish` wait, in virtual time. */
export interface WaitOptions {
  /** Virtual milliseconds, finite, 0 or more, default 60,000. */
  readonly withinMs?: number
  /** What is waited for, for the error. */
  readonly what?: string
}

/** Something on the simulated hosts threw, or the simulation was used in a way that cannot work. The run is at `nowMs`. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError'
  readonly seed: number
  readonly nowMs: number

  constructor(message: string, seed: number, nowMs: number, cause?: unknown) {
    super(`${message} (seed ${seed}, at ${nowMs.toFixed(3)} ms)`, cause === undefined ? undefined : { cause })
    this.seed = seed
    this.nowMs = nowMs
  }
}

/** Somebody who waits while another lets time pass. */
interface Waiter {
  readonly deadline: number
  readonly isDone: () => boolean
  readonly wake: () => void
  readonly fail: (error: unknown) => void
}

const DEFAULT_WAIT_MS = 60_000
const DEFAULT_CHECK_EVERY_MS = 10
/** Finer steps may be lost in the clock's own, and time would stand still. */
const LEAST_CHECK_EVERY_MS = 0.001
const MAX_SEED = 0xffff_ffff
const DETAILS: readonly unknown[] = ['off', 'events', 'packets'] satisfies readonly TranscriptDetail[]
/** Characters of a condition in an error. */
const MAX_SOURCE = 200

export class Simulation {
  readonly seed: number
  readonly schedule: Schedule = new Schedule()
  readonly network: Network
  readonly transcript: Transcript
  /** What every host resolves beside literals. */
  readonly names: Map<string, readonly Uint8Array[]> = new Map()
  readonly #hosts = new Map<string, number>()
  readonly #waiters = new Set<Waiter>()
  #isRunning = false

  /** @throws OptionsError */
  constructor(options: SimulationOptions) {
    checkObject('options', options)
    const { seed, transcript = 'events' } = options
    if (!(Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED))
      throw new OptionsError('seed', seed, `a whole number of 32 bits, from 0 to ${MAX_SEED}`)
    if (!DETAILS.includes(transcript)) throw new OptionsError('transcript', transcript, `'off', 'events' or 'packets'`)
    this.seed = seed
    this.transcript = new Transcript(transcript, () => this.schedule.now)
    const observer = this.transcript.observer(options.describe ?? packetDescriber(NO_BYTES, undefined))
    this.network = new Network(this.schedule, this.random('network'), { ...options, observer })
  }

  /** Virtual milliseconds since the beginning. */
  get now(): number {
    return this.schedule.now
  }

  /** Dice for one purpose: the same for the same seed and purpose, unrelated to all others, whatever else the run does. */
  random(purpose: string): Random {
    let mixed = this.seed >>> 0
    for (let at = 0; at < purpose.length; at++) mixed = Math.imul(mixed ^ purpose.charCodeAt(at), 0x01000193) // FNV-1a
    return new Random(mixed)
  }

  /** Adds a machine. Its name resolves to its address everywhere. */
  station(name: string, ip: string): Station {
    const bytes = parseIp(ip)
    if (bytes === undefined) throw this.error(`${ip} is not an IP address`)
    const station = this.network.attach(name, bytes)
    this.names.set(name, [bytes])
    return station
  }

  /** A fresh process on a machine, with dice of its own: the next one on the same machine throws others. */
  host(station: Station): SimHost {
    const generation = this.#hosts.get(station.name) ?? 0
    this.#hosts.set(station.name, generation + 1)
    const random = this.random(`${station.name}#${generation}`)
    return new SimHost({ network: this.network, station, random, names: this.names })
  }

  /** Lets virtual time pass. Rejects `SimulationError` with what a task threw, if one did. */
  async run(ms: number): Promise<void> {
    checkMs('ms', ms)
    await this.#pass(this.now + ms, () => false)
  }

  /** Lets time pass until `condition` holds; it is asked now and then every `everyMs`, 10 by default, at least 0.001, 0: after every task.
   *  Rejects `TimeoutError` with the seed when it does not hold within the time, `OptionsError` where it gives a promise. */
  async until(condition: () => boolean, options: WaitOptions & { readonly everyMs?: number } = {}): Promise<void> {
    const { withinMs = DEFAULT_WAIT_MS, everyMs = DEFAULT_CHECK_EVERY_MS, what = sourceOf(condition) } = options
    checkMs('withinMs', withinMs)
    if (everyMs !== 0 && !(everyMs >= LEAST_CHECK_EVERY_MS && everyMs < Number.POSITIVE_INFINITY))
      throw new OptionsError('everyMs', everyMs, `0, or from ${LEAST_CHECK_EVERY_MS}, and finite`)
    const deadline = this.now + withinMs
    let misuse: OptionsError | undefined
    const isOver = (): boolean => {
      const answer: unknown = condition()
      misuse ??= misuseOf(answer)
      return Boolean(answer)
    }
    if (everyMs === 0) {
      await this.#pass(deadline, isOver)
    } else {
      let holds = false
      let next = this.now
      const ask = (): void => {
        holds = isOver()
        next += everyMs
        if (!holds && next <= deadline) this.schedule.at(next, ask)
      }
      this.schedule.at(next, ask)
      await this.#pass(deadline, () => holds)
      if (holds && misuse === undefined) return
    }
    const isDone = misuse !== undefined || isOver()
    if (misuse !== undefined) throw misuse
    if (!isDone) throw this.timeout(what, withinMs)
  }

  /** Lets time pass until `promise` settles, and gives what it gives. Rejects `TimeoutError` where it does not within the time. */
  async finish<Value>(promise: Promise<Value>, options: WaitOptions = {}): Promise<Value> {
    const { withinMs = DEFAULT_WAIT_MS, what = 'a promise' } = options
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    checkMs('withinMs', withinMs)
    await this.#pass(this.now + withinMs, () => isSettled)
    if (!isSettled) throw this.timeout(what, withinMs)
    return promise
  }

  /** Resolves when virtual time has passed, for code that runs beside the one who lets it pass. Rejects `OptionsError`. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      checkMs('ms', ms)
      this.schedule.at(this.now + ms, resolve)
    })
  }

  /** Calls `action` at virtual time `atMs`, and gives a function that cancels that. What it throws or rejects with fails the run.
   *  It may wait for time to pass: somebody else lets it pass then. @throws OptionsError for a time that is past */
  at(atMs: number, action: () => unknown): () => void {
    if (!(atMs >= this.now && atMs < Number.POSITIVE_INFINITY))
      throw new OptionsError('atMs', atMs, `finite, not before ${this.now}, which is now`)
    const fail = (error: unknown): void => {
      this.schedule.at(this.now, () => {
        throw error
      })
    }
    const scheduled = this.schedule.at(atMs, () => {
      const result = action()
      if (result instanceof Promise) result.catch(fail)
    })
    return () => {
      this.schedule.cancel(scheduled)
    }
  }

  error(message: string, cause?: unknown): SimulationError {
    return new SimulationError(message, this.seed, this.now, cause)
  }

  timeout(what: string, withinMs: number): TimeoutError {
    return new TimeoutError(
      `not within ${withinMs} virtual ms: ${what} (seed ${this.seed}, at ${this.now.toFixed(3)} ms)`,
    )
  }

  /** Waits until `isDone` or until the deadline; lets the time pass for it unless somebody does already. */
  async #pass(deadline: number, isDone: () => boolean): Promise<void> {
    while (this.#isRunning) {
      await this.#beside(deadline, isDone)
      if (isDone() || (this.now >= deadline && !this.#isDue(deadline))) return
    }
    await this.#drive(deadline, isDone)
  }

  async #drive(deadline: number, isDone: () => boolean): Promise<void> {
    this.#isRunning = true
    try {
      await takeTurns(() => {
        if (isDone()) return false
        if (this.#wakeWaiters()) return true // their code takes its turn before anything else happens
        const next = this.schedule.next()
        if (next !== undefined && next <= deadline) return this.#step()
        this.schedule.skipTo(deadline)
        return false
      })
    } catch (error) {
      for (const waiter of this.#waiters) waiter.fail(error)
      throw error
    } finally {
      this.#isRunning = false
      for (const waiter of this.#waiters) waiter.wake()
      this.#waiters.clear()
    }
  }

  /** Resolves when it is done, when its deadline has come, or when nobody lets time pass any more. */
  async #beside(deadline: number, isDone: () => boolean): Promise<void> {
    // Something must happen at the deadline, or whoever drives would jump over it.
    const alarm = this.schedule.at(deadline, () => {})
    try {
      await new Promise<void>((wake, fail) => this.#waiters.add({ deadline, isDone, wake, fail }))
    } finally {
      this.schedule.cancel(alarm)
    }
  }

  #wakeWaiters(): boolean {
    if (this.#waiters.size === 0) return false
    let hasWoken = false
    for (const waiter of this.#waiters) {
      if (!waiter.isDone() && (this.now < waiter.deadline || this.#isDue(waiter.deadline))) continue
      this.#waiters.delete(waiter)
      waiter.wake()
      hasWoken = true
    }
    return hasWoken
  }

  /** Something is still to happen at that time or before. */
  #isDue(deadline: number): boolean {
    const next = this.schedule.next()
    return next !== undefined && next <= deadline
  }

  #step(): boolean {
    try {
      return this.schedule.step()
    } catch (error) {
      throw this.error(`a task threw: ${error instanceof Error ? error.message : String(error)}`, error)
    }
  }
}

function checkMs(option: string, ms: unknown): void {
  if (!(typeof ms === 'number' && ms >= 0 && ms < Number.POSITIVE_INFINITY))
    throw new OptionsError(option, ms, 'finite, 0 or more')
}

/** A promise is neither true nor false: whoever gives one would be told that it holds. */
function misuseOf(answer: unknown): OptionsError | undefined {
  if (typeof answer !== 'object' || answer === null || !('then' in answer)) return undefined
  Promise.resolve(answer).catch(() => {}) // what it would reject with is told by nobody
  return new OptionsError('condition', 'a promise', 'a function that says at once whether it holds')
}

/** A condition as its author wrote it, on one line. */
function sourceOf(condition: () => boolean): string {
  const source = String(condition).replaceAll(/\s+/g, ' ')
  return source.length > MAX_SOURCE ? `${source.slice(0, MAX_SOURCE)} ...` : source
}
