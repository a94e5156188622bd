// The one thread of a process, as far as others feel it: whether it runs at all, how late it reads its sockets, and how long it works on
// what it has read. What waits lies in the bounded socket buffer. Knows nothing of what the tasks do. In good health it holds nothing.
//
// A turn of the loop of a slow process, as Node's: timers that are due; then, one after the other, up to 32 things that have arrived, each
// after its time of work; then timers again. So its timers are late by at most 32 times that, and only while there is work.
import type { Random } from '../base/random.ts'
import { drawLatency, type Latency } from './latency.ts'
import type { Schedule } from './schedule.ts'
import type { Felt } from './traffic.ts'

/** Linux charges a datagram's bookkeeping to the buffer too. */
const BOOKKEEPING_BYTES = 512
/** libuv reads so many datagrams before it looks at its timers. */
const READS_PER_TURN = 32

interface Arrival {
  /** What it takes of the buffer. */
  readonly charge: number
  readonly task: () => void
}

export interface EventLoopSetup {
  readonly schedule: Schedule
  /** Draws delays. */
  readonly random: Random
  /** What the socket buffer holds. */
  readonly bufferBytes: number
  /** Counters of what took effect. */
  readonly felt: readonly Felt[]
}

export class EventLoop {
  readonly #setup: EventLoopSetup
  /** Every arrival is handed over so much later, in the order of arrival. */
  lag: Latency = 0
  /** Each arrival is worked on for so long before anything comes of it. */
  slowMs = 0
  #isPaused = false
  #isBusy = false
  #usedBytes = 0
  #read = 0
  /** What comes late, in order, and when the last of it does. */
  #lagging: Arrival[] = []
  #lastReady = 0
  #waiting: Arrival[] = []
  /** Timers and deferred tasks whose time came while nothing could run. */
  #late: (() => void)[] = []
  /** Grows when a process ends: what was under way for it is nothing to the next. */
  #life = 0

  constructor(setup: EventLoopSetup) {
    this.#setup = setup
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** A timer or a deferred task is due. */
  due(task: () => void): void {
    if (!this.#isPaused && !this.#isBusy) {
      task()
      return
    }
    this.#count('late')
    this.#late.push(task)
  }

  /** Something came from the network. False where a packet of `packetBytes` finds the buffer full. Of streams that is 0: they wait
   *  at their senders, where there is room. */
  arrive(packetBytes: number, task: () => void): boolean {
    const { lag } = this
    const isFree = !this.#isPaused && !this.#isBusy && this.#waiting.length === 0
    if (isFree && lag === 0 && this.#lagging.length === 0 && this.slowMs === 0) {
      task()
      return true
    }
    const charge = packetBytes === 0 ? 0 : packetBytes + BOOKKEEPING_BYTES
    if (charge > 0 && this.#usedBytes + charge > this.#setup.bufferBytes) return false
    this.#usedBytes += charge
    const arrival = { charge, task }
    if (lag === 0 && this.#lagging.length === 0) this.#ready(arrival)
    else this.#later(arrival)
    return true
  }

  pause(): void {
    this.#isPaused = true
  }

  /** Goes on, the way an event loop does after a stall: first the timers that are late, then what has arrived, then the tasks those defer. */
  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#runLate()
    if (this.#isBusy) return
    if (this.slowMs > 0) this.#soon(() => this.#begin())
    else for (const arrival of this.#waiting.splice(0)) this.#soon(() => this.#ready(arrival))
  }

  /** The process is gone. What waited for it is run now, to find that nobody is there. */
  clear(): void {
    const arrivals = [...this.#waiting, ...this.#lagging]
    this.#life++
    this.#isPaused = false
    this.#isBusy = false
    this.#waiting = []
    this.#late = []
    this.#lagging = []
    this.#lastReady = 0
    this.#usedBytes = 0
    this.#read = 0
    for (const { task } of arrivals) task()
  }

  #later(arrival: Arrival): void {
    const { schedule, random } = this.#setup
    this.#count('lagged')
    this.#lagging.push(arrival)
    this.#lastReady = Math.max(this.#lastReady, schedule.now + drawLatency(this.lag, random))
    this.#at(this.#lastReady, () => {
      this.#lagging.shift()
      this.#ready(arrival)
    })
  }

  /** The process may read it, when it comes to it. */
  #ready(arrival: Arrival): void {
    if (this.#isPaused) {
      this.#count('held')
      this.#waiting.push(arrival)
    } else if (this.slowMs > 0 || this.#isBusy || this.#waiting.length > 0) {
      this.#waiting.push(arrival)
      if (!this.#isBusy && this.#waiting.length === 1) this.#begin()
    } else {
      this.#hand(arrival)
    }
  }

  /** Sets to work on what waits longest. */
  #begin(): void {
    if (this.#isPaused || this.#isBusy || this.#waiting.length === 0) return
    this.#isBusy = true
    if (this.slowMs > 0) this.#count('slowed')
    this.#at(this.#setup.schedule.now + this.slowMs, () => this.#finish())
  }

  /** The work on it is done, and now something comes of it; or, if we were stopped over it, it is begun anew. */
  #finish(): void {
    this.#isBusy = false
    if (this.#isPaused) return
    const arrival = this.#waiting.shift()
    if (arrival !== undefined) this.#hand(arrival)
    if (this.#waiting.length > 0 && ++this.#read < READS_PER_TURN) {
      this.#begin()
      return
    }
    this.#read = 0
    this.#runLate()
    if (this.#waiting.length > 0) this.#soon(() => this.#begin())
  }

  #hand({ charge, task }: Arrival): void {
    this.#usedBytes -= charge
    task()
  }

  #runLate(): void {
    for (const task of this.#late.splice(0)) this.#soon(() => this.due(task))
  }

  #soon(task: () => void): void {
    this.#at(this.#setup.schedule.now, task)
  }

  #at(at: number, task: () => void): void {
    const life = this.#life
    this.#setup.schedule.at(at, () => {
      if (life === this.#life) task()
    })
  }

  #count(what: keyof Felt): void {
    for (const felt of this.#setup.felt) felt[what]++
  }
}
