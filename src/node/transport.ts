// UDP and TCP on one port, as one transport. Knows how the two are bound together and closed together; each half is its own
// file. Source: serf-behaviour §3.3: TCP first; for port 0 TCP chooses and UDP takes the same number, up to ten times.
import type { Socket } from 'node:net'
import { TransportError } from '../base/errors.ts'
import type { StreamHandlers, Transport, TransportHandlers } from '../driver/host.ts'
import { Address, shortestIp } from '../wire/address.ts'
import { codeOf } from './socket-errors.ts'
import { TcpStream } from './stream.ts'
import { dialTcp, listenTcp, type TcpListener } from './tcp.ts'
import { bindUdp, type UdpSocket } from './udp.ts'

/** How often port 0 is tried: another program may hold the UDP port of the number that TCP found. */
const PORT_ATTEMPTS = 10

/** A half that may have to be given up again. */
interface Bound {
  readonly port: number
  close(): Promise<void>
}

/** Binds both halves. Rejects `TransportError` that names address, port and code, and leaves nothing open.
 *  @param maxAccepted accepted streams open at once; for tests */
export async function bindTransport(
  address: Address,
  handlers: TransportHandlers,
  now: () => number,
  maxAccepted?: number,
): Promise<NodeTransport> {
  const ip = shortestIp(address.ip)
  const [listener, udp] = await bindPair(
    address.port,
    (port) => listenTcp(new Address(ip, port), maxAccepted),
    (port) => bindUdp(new Address(ip, port)),
  ).catch(async (error: unknown) => {
    await handlesClosed()
    throw error
  })
  return new NodeTransport(new Address(ip, listener.port), handlers, now, listener, udp)
}

/** Binds `first` to `port`, then `second` to the number that gave. For port 0 a number that `second` finds in use is given up
 *  and another one tried. Whatever fails, nothing stays bound. */
export async function bindPair<First extends Bound, Second>(
  port: number,
  first: (port: number) => Promise<First>,
  second: (port: number) => Promise<Second>,
): Promise<[First, Second]> {
  for (let attempt = 1; ; attempt++) {
    const one = await first(port)
    try {
      return [one, await second(one.port)]
    } catch (error) {
      await one.close()
      const isWorthAnother = port === 0 && attempt < PORT_ATTEMPTS && isInUse(error)
      if (!isWorthAnother) throw error
    }
  }
}

/** Node says `close` when a socket's number is given back; the event loop lets go of it at the end of that round. An immediate
 *  runs before that end, so the second one runs after it. */
async function handlesClosed(): Promise<void> {
  for (let round = 0; round < 2; round++) await new Promise((resolve) => setImmediate(resolve))
}

function isInUse(error: unknown): boolean {
  return error instanceof TransportError && codeOf(error.cause) === 'EADDRINUSE'
}

/** A bound transport. Made by `bindTransport`. */
export class NodeTransport implements Transport {
  readonly local: Address
  readonly #handlers: TransportHandlers
  readonly #listener: TcpListener
  readonly #udp: UdpSocket
  readonly #streams = new Set<TcpStream>()
  #closed: Promise<void> | undefined
  #lastStreamGone: (() => void) | undefined

  constructor(local: Address, handlers: TransportHandlers, now: () => number, listener: TcpListener, udp: UdpSocket) {
    this.local = local
    this.#handlers = handlers
    this.#listener = listener
    this.#udp = udp
    const failed = (error: Error): void => this.#fail(error)
    listener.start({ accepted: (socket, peer) => this.#accept(socket, peer), failed })
    udp.start({ packet: handlers.packet.bind(handlers), sendFailed: handlers.sendFailed.bind(handlers), failed }, now)
  }

  /** Streams that were refused because too many were open. */
  get refusedStreams(): number {
    return this.#listener.refused
  }

  send(packet: Uint8Array, to: Address): void {
    this.#udp.send(packet, to)
  }

  dial(to: Address, handlers: StreamHandlers): TcpStream {
    const stream = dialTcp(to, handlers, (gone) => this.#forget(gone))
    this.#streams.add(stream)
    if (this.#closed !== undefined) stream.destroy()
    return stream
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll()
    return this.#closed
  }

  #accept(socket: Socket, peer: Address): void {
    const stream = new TcpStream(socket, peer, false, (gone) => this.#forget(gone))
    this.#streams.add(stream)
    const owner = this.#handlers.stream(stream)
    if (owner === undefined) stream.destroy()
    else stream.own(owner)
  }

  /** One half failed: the other is of no use alone, and nothing more arrives, not even a second failure. Open streams are
   *  left to end. */
  #fail(error: Error): void {
    void this.#listener.close()
    void this.#udp.close()
    this.#handlers.failed(error)
  }

  async #closeAll(): Promise<void> {
    const sockets = [this.#listener.close(), this.#udp.close()]
    for (const stream of this.#streams) stream.destroy()
    if (this.#streams.size > 0) {
      await new Promise<void>((resolve) => {
        this.#lastStreamGone = resolve
      })
    }
    await Promise.all(sockets)
    await handlesClosed()
  }

  #forget(stream: TcpStream): void {
    this.#streams.delete(stream)
    if (this.#streams.size === 0) this.#lastStreamGone?.()
  }
}
