// One bound UDP socket: datagrams in, stamped on arrival, datagrams out, best effort. Knows no protocol and keeps no peer.
// Nothing it meets is thrown: a failed send is told, a passing error of the socket is traced, a final one ends it.
import dgram from 'node:dgram'
import { TransportError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import type { TransportHandlers } from '../driver/host.ts'
import type { Address } from '../wire/address.ts'
import { addressOf, sendableHost } from './peer-address.ts'
import { bindError, isPassing, isRemote, peerError } from './socket-errors.ts'

/** memberlist's wish: a thousand members may answer at once. Systems grant less; we halve until one is accepted. */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024
/** Below this, what the system chose by itself is better. */
const LEAST_RECEIVE_BUFFER_BYTES = 64 * 1024
/** What may wait for a system that takes no more for the moment: two seconds of a 16 Mbit/s link. Beyond it packets are
 *  dropped, and the drop is told. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024

const trace = tracer('node:udp')

/** What the socket tells; the datagram part of what a transport does. */
export type UdpHandlers = Pick<TransportHandlers, 'packet' | 'sendFailed' | 'failed'>

/** Binds `local` and its port (0: any free), for ourselves alone. Drops what arrives until `start`. Rejects `TransportError`,
 *  leaving nothing open. */
export function bindUdp(local: Address): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const isIpv6 = local.ip.length === 16
    const socket = dgram.createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: false, lookup: lookupLiteral })
    const fail = (cause: unknown): void => {
      const error = bindError('UDP', local, cause)
      socket.close(() => reject(error))
    }
    socket.once('error', fail)
    try {
      socket.bind({ address: local.host, port: local.port, exclusive: true }, () => {
        socket.off('error', fail)
        growReceiveBuffer(socket)
        resolve(new UdpSocket(socket, local))
      })
    } catch (cause) {
      fail(cause) // not a port number
    }
  })
}

/** A bound socket. Made by `bindUdp`. */
export class UdpSocket {
  /** The port that was found. */
  readonly port: number
  readonly #socket: dgram.Socket
  readonly #local: Address
  #handlers: UdpHandlers | undefined
  #closed: Promise<void> | undefined

  constructor(socket: dgram.Socket, local: Address) {
    this.#socket = socket
    this.#local = local
    this.port = socket.address().port
    socket.on('error', (error) => this.#meet(error))
  }

  /** Tells of packets from now on, stamped with `now`. */
  start(handlers: UdpHandlers, now: () => number): void {
    this.#handlers = handlers
    this.#socket.on('message', (bytes, { address, port }) => {
      const at = now()
      const from = addressOf(address, port)
      // Not Node's Buffer: its `slice` shares memory where Uint8Array's copies.
      if (from !== undefined) this.#handlers?.packet(plainBytes(bytes), from, at)
    })
  }

  /** Sends one datagram. `packet` is not changed afterwards. What goes wrong is told by `sendFailed`, in a later turn. */
  send(packet: Uint8Array, to: Address): void {
    if (this.#handlers === undefined) return
    const host = sendableHost(this.#local.ip, to)
    if (host === undefined) {
      const error = new TransportError(`packet to ${to.key}: not of the address family of ${this.#local.host}`)
      setImmediate(() => this.#handlers?.sendFailed(to, error, true))
      return
    }
    try {
      if (this.#socket.getSendQueueSize() > MAX_QUEUED_BYTES) {
        throw new TransportError(`packet to ${to.key}: ${MAX_QUEUED_BYTES} bytes already wait to be sent`)
      }
      // Without a callback Node says nothing of a send that failed at once.
      this.#socket.send(packet, to.port, host, (error) => {
        if (error !== null) this.#tell(to, error)
      })
    } catch (error) {
      setImmediate(() => this.#tell(to, error)) // also port 0, which Node refuses itself
    }
  }

  /** Resolves when the socket is closed. Nothing is told from now on. Idempotent. */
  close(): Promise<void> {
    this.#handlers = undefined
    this.#closed ??= new Promise((resolve) => this.#socket.close(() => resolve()))
    return this.#closed
  }

  #tell(to: Address, error: unknown): void {
    const told = error instanceof TransportError ? error : peerError('packet to', to, error)
    this.#handlers?.sendFailed(to, told, isRemote(error))
  }

  /** An error of the socket names no peer: what some peer's ICMP said is left to whoever waits for that peer. */
  #meet(error: Error): void {
    const handlers = this.#handlers
    trace('%s: %s', this.#local, error.message)
    if (handlers === undefined || isPassing(error)) return
    void this.close()
    handlers.failed(new TransportError(`UDP ${this.#local.host} port ${this.port} failed: ${error.message}`, error))
  }
}

/** Asks for 2 MiB of receive buffer and halves until the system accepts. Linux accepts all and grants what it may. */
export function growReceiveBuffer(socket: Pick<dgram.Socket, 'setRecvBufferSize'>): number | undefined {
  for (let bytes = RECEIVE_BUFFER_BYTES; bytes >= LEAST_RECEIVE_BUFFER_BYTES; bytes /= 2) {
    try {
      socket.setRecvBufferSize(bytes)
      return bytes
    } catch (error) {
      trace('receive buffer of %d bytes: %s', bytes, error)
    }
  }
  return undefined
}

/** All hosts here are IP literals; dns.lookup would put each packet off by a tick to find that out. */
function lookupLiteral(
  host: string,
  family: unknown,
  callback: (error: null, ip: string, family: number) => void,
): void {
  callback(null, host, family === 6 ? 6 : 4)
}

function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}
