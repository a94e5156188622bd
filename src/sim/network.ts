// A network in memory: hosts with addresses, packets that take time, get lost or are refused, streams (streams.ts). What lies
// between hosts is in links.ts. Implements the transport of driver/host.ts; bytes are copied at the sender, so two members never
// share memory. Handlers are called from the schedule only.
import { copyOf } from '../base/bytes.ts'
import { OptionsError, TransportError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { Stream, StreamHandlers, Transport, TransportHandlers } from '../driver/host.ts'
import { Address, formatIp, isWildcard, shortestIp } from '../wire/address.ts'
import type { Fabric, NetworkObserver } from './fabric.ts'
import { type LinkOptions, Links, MAX_UDP_BYTES } from './links.ts'
import type { Schedule } from './schedule.ts'
import { type Socket, Station } from './station.ts'
import { dial } from './streams.ts'
import { count, type Felt, type PacketDrop, Traffic } from './traffic.ts'

export interface NetworkOptions extends LinkOptions {
  /** A packet to a closed port of a living host is answered by ICMP, told to the sender as `sendFailed`. Default false. */
  readonly refusesPackets?: boolean
  /** Socket buffer of a host, for what it does not read at once: 1 or more, default 212,992 (Linux). */
  readonly bufferBytes?: number
  readonly observer?: NetworkObserver | undefined
}

const DEFAULT_BUFFER_BYTES = 212_992

export class Network implements Fabric {
  readonly schedule: Schedule
  readonly links: Links
  readonly traffic: Traffic = new Traffic()
  readonly observer: NetworkObserver | undefined
  readonly #stations = new Map<string, Station>()
  readonly #refusesPackets: boolean
  readonly #random: Random
  readonly #bufferBytes: number

  constructor(schedule: Schedule, random: Random, options: NetworkOptions = {}) {
    this.schedule = schedule
    this.links = new Links(random, options)
    this.observer = options.observer
    this.#random = random
    this.#refusesPackets = options.refusesPackets ?? false
    const { bufferBytes = DEFAULT_BUFFER_BYTES } = options
    if (!(bufferBytes >= 1)) throw new OptionsError('bufferBytes', bufferBytes, '1 or more')
    this.#bufferBytes = bufferBytes
  }

  /** All machines, in the order in which they came. */
  get stations(): Iterable<Station> {
    return this.#stations.values()
  }

  stationAt(host: string): Station | undefined {
    return this.#stations.get(host)
  }

  /** Puts a machine on the network. Its address must be its own. */
  attach(name: string, ip: Uint8Array): Station {
    const key = formatIp(shortestIp(ip))
    if (this.#stations.has(key)) throw new OptionsError('ip', key, 'an address no other host has')
    const station = new Station(name, shortestIp(ip), {
      schedule: this.schedule,
      random: this.#random,
      traffic: this.traffic,
      bufferBytes: this.#bufferBytes,
    })
    this.#stations.set(key, station)
    return station
  }

  /** Opens both sockets of a station on one port. Throws `TransportError` where the port is taken or the address is not its own. */
  bind(station: Station, address: Address, handlers: TransportHandlers): SimTransport {
    const isOwn = isWildcard(address.ip) || address.host === formatIp(station.ip)
    if (!isOwn) throw new TransportError(`cannot bind ${address}: ${station.name} does not have this address`)
    const port = address.port === 0 ? station.takePort() : address.port
    if (station.sockets.has(port)) throw new TransportError(`cannot bind ${address}: the port is in use`)
    const socket: Socket = {
      station,
      local: new Address(address.ip, port),
      outside: new Address(station.ip, port),
      handlers,
      streams: new Set(),
      isClosed: false,
    }
    station.sockets.set(port, socket)
    return new SimTransport(this, socket)
  }

  send(socket: Socket, packet: Uint8Array, to: Address): void {
    const { schedule, observer } = this
    const from = socket.station
    const target = this.#stations.get(to.host)
    const toName = target?.name ?? to.key
    if (packet.length > MAX_UDP_BYTES) {
      const error = new TransportError(`a packet of ${packet.length} bytes is too long for UDP`)
      schedule.at(schedule.now, () => this.#tellFailed(socket, to, error, false))
      return
    }
    count(this.traffic.sent, from.traffic.sent, packet.length)
    observer?.packet('sent', from.name, toName, packet)
    const verdict = this.#judge(from, target, packet.length)
    if (target === undefined || typeof verdict === 'string') {
      this.#drop(verdict as PacketDrop, from, from.name, toName, packet)
      return
    }
    if (verdict > this.links.usualMs) {
      this.traffic.delayed++
      from.traffic.delayed++
    }
    const bytes = copyOf(packet)
    const heldMs = this.links.isUnruly ? this.#disturb(socket, target, to, bytes) : 0
    this.#travel(verdict + heldMs, socket, target, to, bytes)
  }

  /** The process that bound the socket is gone: nobody is told here, the others' streams are reset. */
  abort(socket: Socket): void {
    for (const stream of [...socket.streams]) stream.abort()
    this.#unbind(socket)
  }

  /** Closes the sockets and destroys their streams. Idempotent. */
  close(socket: Socket): void {
    for (const stream of [...socket.streams]) stream.destroy()
    this.#unbind(socket)
  }

  #unbind(socket: Socket): void {
    if (socket.isClosed) return
    socket.isClosed = true
    socket.station.sockets.delete(socket.local.port)
  }

  #judge(from: Station, target: Station | undefined, bytes: number): number | PacketDrop {
    if (!from.isUp) return 'host-down'
    if (target === undefined) return 'no-host'
    return this.links.judge(from.name, target.name, 'packet', bytes)
  }

  /** Sends a copy where the link makes one, and gives how long it holds the packet back. */
  #disturb(sender: Socket, target: Station, to: Address, bytes: Uint8Array): number {
    const from = sender.station
    const heldMs = this.links.holdBack(from.name, target.name)
    if (heldMs > 0) this.#feel('reordered', from)
    const copyMs = this.links.copy(from.name, target.name)
    if (copyMs !== undefined) {
      this.#feel('duplicated', from)
      this.observer?.packet('duplicated', from.name, target.name, bytes)
      this.#travel(copyMs, sender, target, to, bytes)
    }
    return heldMs
  }

  #travel(ms: number, sender: Socket, target: Station, to: Address, bytes: Uint8Array): void {
    const { schedule } = this
    schedule.at(schedule.now + ms, () => this.#arrive(sender, target, to, bytes))
  }

  #arrive(sender: Socket, target: Station, to: Address, bytes: Uint8Array): void {
    const from = sender.station
    const socket = target.sockets.get(to.port)
    if (!target.isUp || socket === undefined) {
      this.#drop(target.isUp ? 'no-listener' : 'host-down', target, from.name, target.name, bytes)
      if (target.isUp && this.#refusesPackets) this.#refuse(sender, target, to)
      return
    }
    const isTaken = target.loop.arrive(bytes.length, () => {
      if (socket.isClosed) {
        this.#drop('no-listener', target, from.name, target.name, bytes)
        return
      }
      count(this.traffic.delivered, target.traffic.delivered, bytes.length)
      this.observer?.packet('delivered', from.name, target.name, bytes)
      socket.handlers.packet(bytes, sender.outside, target.clock.now())
    })
    if (!isTaken) this.#drop('buffer-full', target, from.name, target.name, bytes)
  }

  /** ICMP: port unreachable. */
  #refuse(sender: Socket, target: Station, to: Address): void {
    const verdict = this.links.judge(target.name, sender.station.name, 'packet', 0)
    if (typeof verdict === 'string') return
    const error = new TransportError(`${to} refused a packet`)
    this.schedule.at(this.schedule.now + verdict, () => this.#tellFailed(sender, to, error, true))
  }

  #tellFailed(socket: Socket, to: Address, error: Error, isRemote: boolean): void {
    socket.station.loop.arrive(0, () => {
      if (socket.isClosed) return
      if (isRemote) this.#feel('refused', socket.station)
      socket.handlers.sendFailed(to, error, isRemote)
    })
  }

  #feel(what: keyof Felt, where: Station): void {
    this.traffic.felt[what]++
    where.traffic.felt[what]++
  }

  #drop(cause: PacketDrop, where: Station, from: string, to: string, bytes: Uint8Array): void {
    count(this.traffic.dropped[cause], where.traffic.dropped[cause], bytes.length)
    this.observer?.packet(cause, from, to, bytes)
  }
}

/** Both sockets of one port, as a member sees them. */
export class SimTransport implements Transport {
  readonly local: Address
  readonly #network: Network
  readonly #socket: Socket

  constructor(network: Network, socket: Socket) {
    this.#network = network
    this.#socket = socket
    this.local = socket.local
  }

  send(packet: Uint8Array, to: Address): void {
    if (!this.#socket.isClosed) this.#network.send(this.#socket, packet, to)
  }

  dial(to: Address, handlers: StreamHandlers): Stream {
    if (this.#socket.isClosed) return this.#refused(to, handlers)
    return dial(this.#network, this.#socket, to, handlers)
  }

  close(): Promise<void> {
    this.#network.close(this.#socket)
    return Promise.resolve()
  }

  /** The end of the process that bound it. */
  abort(): void {
    this.#network.abort(this.#socket)
  }

  get isClosed(): boolean {
    return this.#socket.isClosed
  }

  #refused(to: Address, handlers: StreamHandlers): Stream {
    let isDestroyed = false
    const { schedule } = this.#network
    schedule.at(schedule.now, () => {
      if (!isDestroyed) handlers.closed(new TransportError(`cannot dial ${to}: the transport is closed`))
    })
    const destroy = (): void => {
      isDestroyed = true
    }
    return { peer: to, write() {}, end() {}, destroy }
  }
}
