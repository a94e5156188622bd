// One machine as the network sees it: an address, ports, a power switch, a disk, a clock, and the thread that reads its sockets. Knows
// nothing of links or of what runs on it (host.ts). It outlives the processes on it: a crash empties its ports, and no more.
import type { Random } from '../base/random.ts'
import type { TransportHandlers } from '../driver/host.ts'
import type { Address } from '../wire/address.ts'
import { HostClock } from './clock.ts'
import { SimDisk } from './disk.ts'
import { EventLoop } from './event-loop.ts'
import type { Schedule } from './schedule.ts'
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

/** What machines of one network share. */
export interface StationSetup {
  readonly schedule: Schedule
  readonly random: Random
  /** Counts for all of them. */
  readonly traffic: Traffic
  /** What a socket buffer holds. */
  readonly bufferBytes: number
}

const FIRST_FREE_PORT = 49_152

export class Station {
  readonly name: string
  readonly ip: Uint8Array
  readonly sockets: Map<number, Socket> = new Map()
  readonly traffic: Traffic = new Traffic()
  readonly disk: SimDisk = new SimDisk()
  /** False: switched off or unplugged; nothing reaches it and nothing answers for it. */
  isUp = true
  readonly clock: HostClock
  readonly loop: EventLoop
  #nextPort = FIRST_FREE_PORT

  constructor(name: string, ip: Uint8Array, setup: StationSetup) {
    this.name = name
    this.ip = ip
    const felt = [setup.traffic.felt, this.traffic.felt]
    this.clock = new HostClock(setup.schedule, felt)
    this.loop = new EventLoop({ ...setup, felt })
  }

  get isPaused(): boolean {
    return this.loop.isPaused
  }

  /** A port that nothing listens on, for the near end of a stream or a socket bound to port 0. */
  takePort(): number {
    for (;;) {
      const port = this.#nextPort
      this.#nextPort = port === 65_535 ? FIRST_FREE_PORT : port + 1
      if (!this.sockets.has(port)) return port
    }
  }
}
