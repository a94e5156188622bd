// One machine as the network sees it: an address, ports, a power switch, and a socket buffer that fills while it is paused.
// Knows nothing of latency (links.ts) or of what runs on it (host.ts). It outlives the processes on it: a crash empties its ports.

import type { TransportHandlers } from '../driver/host.ts'
import type { Address } from '../wire/address.ts'
import { SimDisk } from './disk.ts'
import { Traffic } from './traffic.ts'

/** What a socket must be able to do to its streams. */
export interface OpenStream {
  /** Closes it in good order. */
  destroy(): void
  /** Its process is gone. */
  abort(): void
}

/** A bound pair of UDP and TCP sockets. */
export interface Socket {
  readonly station: Station
  /** What was bound. */
  readonly local: Address
  /** What others see packets come from: the address of the machine where a wildcard is bound. */
  readonly outside: Address
  readonly handlers: TransportHandlers
  /** Streams that are dialled, being opened, or open. */
  readonly streams: Set<OpenStream>
  /** Once true, nothing is told to `handlers` any more. */
  isClosed: boolean
}

const FIRST_FREE_PORT = 49_152
/** Linux charges a datagram's bookkeeping to the buffer too. */
const BOOKKEEPING_BYTES = 512

export class Station {
  readonly name: string
  readonly ip: Uint8Array
  readonly sockets: Map<number, Socket> = new Map()
  readonly traffic: Traffic = new Traffic()
  readonly disk: SimDisk = new SimDisk()
  /** False: switched off or unplugged; nothing reaches it and nothing answers for it. */
  isUp = true
  readonly #bufferBytes: number
  #usedBytes = 0
  #nextPort = FIRST_FREE_PORT
  #held: (() => void)[] | undefined

  /** @param bufferBytes what the socket buffer holds while the machine is paused */
  constructor(name: string, ip: Uint8Array, bufferBytes: number) {
    this.name = name
    this.ip = ip
    this.#bufferBytes = bufferBytes
  }

  get isPaused(): boolean {
    return this.#held !== undefined
  }

  /** A port that nothing listens on, for the near end of a stream or a socket bound to port 0. */
  takePort(): number {
    for (;;) {
      const port = this.#nextPort
      this.#nextPort = port === 65_535 ? FIRST_FREE_PORT : port + 1
      if (!this.sockets.has(port)) return port
    }
  }

  /** From now on nothing is delivered to what runs here; it is held instead. */
  pause(): void {
    this.#held ??= []
  }

  /** Ends the pause and gives what was held, in the order of arrival. */
  resume(): readonly (() => void)[] {
    const held = this.#held ?? []
    this.#held = undefined
    this.#usedBytes = 0
    return held
  }

  /** Runs `deliver`, or holds it while paused. False where a packet of `packetBytes` finds the buffer full. Streams pass 0. */
  deliver(packetBytes: number, deliver: () => void): boolean {
    if (this.#held === undefined) {
      deliver()
      return true
    }
    if (packetBytes > 0) {
      if (this.#usedBytes + packetBytes + BOOKKEEPING_BYTES > this.#bufferBytes) return false
      this.#usedBytes += packetBytes + BOOKKEEPING_BYTES
    }
    this.#held.push(deliver)
    return true
  }
}
