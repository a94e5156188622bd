// A pretended host: the clock is the schedule's, the sockets are the network's, the entropy comes from a seed (so the nonces of
// a run are foreseeable: never for real use), the cipher is the real one. Implements driver/host.ts to the letter: no handler
// and no task is called from inside a call to the host. It can be killed, which is silent for what runs on it, and paused.
import { TransportError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { Clock, Host, Reachable, Transport, TransportHandlers } from '../driver/host.ts'
import type { Storage } from '../driver/storage.ts'
import { nodeCipher } from '../node/cipher.ts'
import { type Address, isIpv4, parseIp } from '../wire/address.ts'
import type { Cipher } from '../wire/encrypt.ts'
import type { Network, SimTransport } from './network.ts'
import type { Station } from './station.ts'

export interface SimHostOptions {
  readonly network: Network
  /** The machine it runs on. One after the other, many hosts may run on one machine, each a process of its own. */
  readonly station: Station
  /** Where `entropy` comes from. */
  readonly random: Random
  /** What `resolve` knows beside literals. */
  readonly names: ReadonlyMap<string, readonly Uint8Array[]>
}

/** Milliseconds a name takes to resolve; a literal takes none. */
const RESOLVE_MS = 1

export class SimHost implements Host {
  readonly clock: Clock
  readonly cipher: Cipher = nodeCipher
  readonly hostname: string
  /** The disk of its machine. */
  readonly storage: Storage
  readonly station: Station
  readonly #network: Network
  readonly #random: Random
  readonly #names: ReadonlyMap<string, readonly Uint8Array[]>
  readonly #transports = new Set<SimTransport>()
  readonly #tenant = { isGone: false, logs: 0 }
  #isKilled = false
  #timers = 0

  constructor(options: SimHostOptions) {
    this.station = options.station
    this.hostname = options.station.name
    this.storage = options.station.disk.mount(this.#tenant)
    this.#network = options.network
    this.#random = options.random
    this.#names = options.names
    const { clock } = options.station
    this.clock = { now: () => clock.now(), wakeAt: (at, wake) => this.#wakeAt(at, wake) }
  }

  /** What is still open here, in words: empty once everything that ran here has closed. */
  get leftovers(): string {
    const open = [...this.#transports].filter((transport) => !transport.isClosed).length
    const said: string[] = []
    if (open > 0) said.push(`${open} bound`)
    if (this.#timers > 0) said.push(`${this.#timers} timers`)
    if (this.#tenant.logs > 0) said.push(`${this.#tenant.logs} files`)
    return said.join(', ')
  }

  entropy(into: Uint8Array): void {
    for (let at = 0; at < into.length; at++) into[at] = this.#random.uint32() >>> 24
  }

  async bind(address: Address, handlers: TransportHandlers): Promise<Transport> {
    if (this.#isKilled) return new Promise(() => {})
    const transport = this.#network.bind(this.station, address, handlers)
    this.#transports.add(transport)
    return transport
  }

  resolve(name: string, signal?: AbortSignal): Promise<readonly Uint8Array[]> {
    const literal = parseIp(name)
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (literal !== undefined) return Promise.resolve([literal])
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      this.#soon(RESOLVE_MS, () => {
        signal?.removeEventListener('abort', abort)
        const found = this.#names.get(name) ?? []
        if (found.length > 0) resolve(found)
        else reject(new TransportError(`no address for ${name}`))
      })
    })
  }

  ownAddresses(): readonly Uint8Array[] {
    return [this.station.ip]
  }

  async reachableAddress(wildcard: Uint8Array): Promise<Reachable | undefined> {
    const { ip } = this.station
    return isIpv4(wildcard) && !isIpv4(ip) ? undefined : { ip }
  }

  defer(task: () => void): void {
    this.#soon(0, task)
  }

  /** Ends the process at once: its streams are reset by its machine, nothing it waited for happens any more. */
  kill(): void {
    this.#isKilled = true
    this.#tenant.isGone = true
    for (const transport of this.#transports) transport.abort()
    this.station.loop.clear()
  }

  /** Stops the process: timers that come due and all that arrives wait, packets only as long as the socket buffer takes them. */
  pause(): void {
    this.station.loop.pause()
  }

  /** Lets it go on, the way an event loop does after a stall: first the timers that are late, then what has arrived, then the
   *  tasks those defer. */
  resume(): void {
    this.station.loop.resume()
  }

  #wakeAt(at: number, wake: () => void): () => void {
    let isOver = false
    this.#timers++
    const cancelTimer = this.station.clock.wakeAt(at, () => {
      this.#run(() => {
        if (isOver) return // cancelled while it was late
        isOver = true
        this.#timers--
        wake()
      })
    })
    return () => {
      if (isOver) return
      isOver = true
      this.#timers--
      cancelTimer()
    }
  }

  #soon(ms: number, task: () => void): void {
    const { schedule } = this.#network
    schedule.at(schedule.now + ms, () => this.#run(task))
  }

  #run(task: () => void): void {
    if (!this.#isKilled) this.station.loop.due(task)
  }
}
