// One TCP connection as the driver sees it: bytes in, bytes out, one last word. Knows no messages; time limits of an exchange
// are the driver's, here stands only what keeps a forgotten connection from living for ever.
//
//   open ── end() ──────────► ending ── all sent, their FIN or 30 s ──► gone, `closed` told
//    │ └─── their FIN ──────► heard: `closed` told; an accepted one may still write and end
//    │                          └── end() and all sent, destroy(), or 30 s ──► gone
//    ├───── error ──────────► gone, `closed(error)` told, unless it was told before
//    └───── destroy() ──────► gone, nothing told
import type { Socket } from 'node:net'
import { TransportError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import type { Stream, StreamHandlers } from '../driver/host.ts'
import type { Address } from '../wire/address.ts'
import { peerError } from './socket-errors.ts'

/** What may wait to be sent on one stream: three times the largest message of the protocol (20 MiB). A peer that makes us
 *  keep more does not read, and is cut off. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024
/** How long a stream lives once one side has finished: the longest exchange that memberlist allows (WAN). */
const LINGER_MS = 30_000

const trace = tracer('node:tcp')

/** A stream over `socket`, from the moment it exists: also while it is still connecting. */
export class TcpStream implements Stream {
  readonly peer: Address
  readonly #socket: Socket
  readonly #isDialled: boolean
  #handlers: StreamHandlers | undefined
  #isEnding = false
  #isDestroyed = false
  #error: Error | undefined
  #linger: NodeJS.Timeout | undefined

  /** @param onGone called once, when the socket is really closed */
  constructor(socket: Socket, peer: Address, isDialled: boolean, onGone: (stream: TcpStream) => void) {
    this.peer = peer
    this.#socket = socket
    this.#isDialled = isDialled
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => {
      // What comes after `end` is read and dropped: unread bytes would make the system reset what we have just sent.
      if (!this.#isEnding) this.#handlers?.data(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))
    })
    socket.on('end', () => this.#heardAll())
    socket.on('error', (error) => {
      this.#error ??= error instanceof TransportError ? error : peerError('stream with', peer, error)
    })
    socket.on('close', () => {
      clearTimeout(this.#linger)
      onGone(this)
      this.#tellClosed(this.#error)
    })
  }

  /** Names the owner, before any event can come: in the turn that made the stream. */
  own(handlers: StreamHandlers): void {
    if (this.#isDestroyed) return
    this.#handlers = handlers
    if (this.#isDialled) this.#socket.once('connect', () => this.#handlers?.opened?.())
  }

  write(bytes: Uint8Array): void {
    if (this.#isEnding || this.#socket.destroyed) return
    if (this.#socket.writableLength + bytes.length > MAX_QUEUED_BYTES) {
      this.#socket.destroy(
        new TransportError(`stream with ${this.peer.key}: ${MAX_QUEUED_BYTES} bytes already wait to be sent`),
      )
      return
    }
    this.#socket.write(bytes)
  }

  end(): void {
    if (this.#isEnding || this.#socket.destroyed) return
    this.#isEnding = true
    this.#socket.end()
    this.#startLinger()
  }

  destroy(): void {
    this.#isDestroyed = true
    this.#handlers = undefined
    this.#socket.destroy()
  }

  /** Their FIN. A peer may half-close after its request, so an accepted stream stays open for the answer. */
  #heardAll(): void {
    if (this.#isEnding) return // `close` follows when all is sent
    this.#startLinger()
    this.#tellClosed(undefined)
    if (this.#isDialled) this.end()
  }

  #tellClosed(error: Error | undefined): void {
    const handlers = this.#handlers
    this.#handlers = undefined
    if (error !== undefined) trace('%s', error.message)
    handlers?.closed(error)
  }

  #startLinger(): void {
    this.#linger ??= setTimeout(() => {
      this.#socket.destroy(new TransportError(`stream with ${this.peer.key}: not closed within ${LINGER_MS} ms`))
    }, LINGER_MS)
  }
}
