// The TCP half of a transport: a listener for one port, and dialling. Knows streams only by their birth and their end.
import net from 'node:net'
import { TransportError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import type { StreamHandlers } from '../driver/host.ts'
import type { Address } from '../wire/address.ts'
import { addressOf } from './peer-address.ts'
import { bindError, isPassing } from './socket-errors.ts'
import { TcpStream } from './stream.ts'

/** Accepted connections open at once; a flood beyond it is closed unread, so that file descriptors are left for ourselves.
 *  memberlist itself answers 128 push/pulls at a time. */
const MAX_ACCEPTED = 1024
/** Connections that the system completes and holds while we are busy: those of a join storm. */
const BACKLOG = 511

const trace = tracer('node:tcp')

/** What the listener tells. */
export interface ListenerHandlers {
  /** A connection was accepted. Runs to its end before anything comes of it. */
  accepted(socket: net.Socket, peer: Address): void
  /** The listener failed for good and has closed itself. */
  failed(error: Error): void
}

/** Binds `local` and its port (0: any free), for ourselves alone. Refuses connections until `start`. Rejects
 *  `TransportError`, leaving nothing open. */
export function listenTcp(local: Address, maxAccepted: number = MAX_ACCEPTED): Promise<TcpListener> {
  return new Promise((resolve, reject) => {
    // A peer may half-close after its request and still wait for our answer.
    const server = net.createServer({ allowHalfOpen: true })
    server.maxConnections = maxAccepted
    const fail = (cause: unknown): void => reject(bindError('TCP', local, cause))
    server.once('error', fail)
    const listening = { host: local.host, port: local.port, exclusive: true, ipv6Only: false, backlog: BACKLOG }
    try {
      server.listen(listening, () => {
        server.off('error', fail)
        resolve(new TcpListener(server))
      })
    } catch (cause) {
      fail(cause) // not a port number
    }
  })
}

/** A bound listener. Made by `listenTcp`. */
export class TcpListener {
  /** The port that was found. */
  readonly port: number
  readonly #server: net.Server
  #handlers: ListenerHandlers | undefined
  #refused = 0
  #closed: Promise<void> | undefined

  constructor(server: net.Server) {
    this.#server = server
    this.port = (server.address() as net.AddressInfo).port
    server.on('connection', (socket) => {
      const peer = addressOf(socket.remoteAddress, socket.remotePort)
      if (this.#handlers === undefined || peer === undefined) discard(socket)
      else this.#handlers.accepted(socket, peer)
    })
    server.on('drop', (who) => {
      this.#refused++
      trace('refused %s, the %dth beyond %d open', who?.remoteAddress, this.#refused, server.maxConnections)
    })
    server.on('error', (error) => {
      const handlers = this.#handlers
      trace('accept: %s', error.message)
      if (handlers === undefined || isPassing(error)) return
      void this.close()
      handlers.failed(new TransportError(`TCP port ${this.port} failed: ${error.message}`, error))
    })
  }

  /** Accepts connections from now on. */
  start(handlers: ListenerHandlers): void {
    this.#handlers = handlers
  }

  /** Connections that were closed unread because too many were open. */
  get refused(): number {
    return this.#refused
  }

  /** Accepts no more; resolves when every accepted connection is closed too. Idempotent. */
  close(): Promise<void> {
    this.#handlers = undefined
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()))
    return this.#closed
  }
}

/** Opens a stream to `to`. Never throws; every failure is `closed(error)`, in a later turn. */
export function dialTcp(to: Address, handlers: StreamHandlers, onGone: (stream: TcpStream) => void): TcpStream {
  const socket = new net.Socket({ allowHalfOpen: true })
  const stream = new TcpStream(socket, to, true, onGone)
  stream.own(handlers)
  try {
    socket.connect({ host: to.host, port: to.port })
  } catch (error) {
    socket.destroy(error instanceof Error ? error : new Error(String(error)))
  }
  return stream
}

/** Closes a connection that nobody owns. */
function discard(socket: net.Socket): void {
  socket.on('error', () => {}) // a reset of what we do not want is no news
  socket.destroy()
}
