// A host for a member under fire: a clock moved by hand, packets written down, streams whose other end is the fuzzer. All in one turn,
// so that what follows from an input is seen at once. Keeps the contract of driver/host.ts.
import type { Random } from '../../src/base/random.ts'
import type { Host, Stream, StreamHandlers, Transport, TransportHandlers } from '../../src/driver/host.ts'
import { nodeCipher } from '../../src/node/cipher.ts'
import { Address, parseIp } from '../../src/wire/address.ts'

/** A stream whose other end is the fuzzer. After `destroy` its owner hears nothing more. */
export class FuzzStream implements Stream {
  readonly peer: Address
  readonly written: Uint8Array[] = []
  handlers: StreamHandlers | undefined
  isEnded = false

  constructor(peer: Address, handlers?: StreamHandlers) {
    this.peer = peer
    this.handlers = handlers
  }

  /** True until its owner destroyed it or was told that it closed. */
  get isOpen(): boolean {
    return this.handlers !== undefined
  }

  write(bytes: Uint8Array): void {
    if (!this.isEnded && this.isOpen) this.written.push(bytes)
  }

  end(): void {
    this.isEnded = true
  }

  destroy(): void {
    this.isEnded = true
    this.handlers = undefined
  }

  close(error?: Error): void {
    const { handlers } = this
    this.handlers = undefined
    handlers?.closed(error)
  }
}

export interface SentPacket {
  readonly bytes: Uint8Array
  readonly to: Address
}

export class FuzzHost implements Host {
  readonly cipher = nodeCipher
  readonly hostname = 'fuzz'
  readonly clock = { now: () => this.now, wakeAt: (at: number, wake: () => void) => this.#wakeAt(at, wake) }
  now = 1000
  sent: SentPacket[] = []
  /** Streams the member opened that nobody has answered. */
  readonly dialled: FuzzStream[] = []
  handlers: TransportHandlers | undefined
  readonly #timers = new Set<{ readonly at: number; readonly wake: () => void }>()
  readonly #tasks: (() => void)[] = []
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  get timers(): number {
    return this.#timers.size
  }

  entropy(into: Uint8Array): void {
    for (let at = 0; at < into.length; at++) into[at] = this.#random.uint32() >>> 24
  }

  bind(address: Address, handlers: TransportHandlers): Promise<Transport> {
    this.handlers = handlers
    return Promise.resolve({
      local: address,
      send: (bytes, to) => void this.sent.push({ bytes, to }),
      dial: (to, streamHandlers) => {
        const stream = new FuzzStream(to, streamHandlers)
        this.dialled.push(stream)
        return stream
      },
      close: async () => {
        this.handlers = undefined
      },
    })
  }

  resolve(name: string): Promise<readonly Uint8Array[]> {
    const literal = parseIp(name)
    return literal === undefined ? Promise.reject(new Error(`no address for ${name}`)) : Promise.resolve([literal])
  }

  ownAddresses(): readonly Uint8Array[] {
    return []
  }

  async reachableAddress(): Promise<undefined> {
    return undefined
  }

  defer(task: () => void): void {
    this.#tasks.push(task)
  }

  packet(bytes: Uint8Array, from: Address): void {
    this.handlers?.packet(bytes, from, this.now)
  }

  /** Someone opens a stream to the member; `undefined` where it is refused. */
  accept(from: Address): FuzzStream | undefined {
    const stream = new FuzzStream(from)
    stream.handlers = this.handlers?.stream(stream)
    return stream.handlers === undefined ? undefined : stream
  }

  /** Lets time pass: whoever is due wakes, deferred tasks run. */
  run(ms: number): void {
    const end = this.now + ms
    for (;;) {
      for (let task = this.#tasks.shift(); task; task = this.#tasks.shift()) task()
      let next: { readonly at: number; readonly wake: () => void } | undefined
      for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer
      if (next === undefined || next.at > end) break
      this.#timers.delete(next)
      this.now = Math.max(this.now, next.at)
      next.wake()
    }
    this.now = end
  }

  #wakeAt(at: number, wake: () => void): () => void {
    const timer = { at, wake }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }
}

export function addressOf(ip: string, port = 7946): Address {
  return new Address(parseIp(ip) as Uint8Array, port)
}
