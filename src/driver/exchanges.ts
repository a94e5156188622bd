// Streams: one exchange each (wire-protocol §4). Dials, accepts, limits bytes and time, and matches replies to requests.
// Knows nothing of what the messages mean: what was read goes up, what comes back is sealed and written.
//
//   ours:    dial ──opened──► write ──answer whole──► reply goes up, close
//   theirs:  accept ──request whole──► request goes up ──answer──► write, end ──flushed──► closed
//
// Every phase has a deadline; there is no timer here, only `nextDeadline` and `advance`.
import { Deadlines } from '../base/deadlines.ts'
import { DecodeError, DecryptError } from '../base/errors.ts'
import type { RequestPurpose } from '../swim/outbox.ts'
import type { Address } from '../wire/address.ts'
import { wrapCompressed } from '../wire/compress.ts'
import { MAX_STREAM_BYTES } from '../wire/limits.ts'
import type { Sealing } from '../wire/packet.ts'
import { encodeStream, StreamReader, type StreamRole, shouldAnswer } from '../wire/stream.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import type { StreamMessage } from '../wire/types.ts'
import type { Stream, StreamHandlers } from './host.ts'

/** Streams of others served at once: memberlist's own limit of exchanges. */
export const MAX_INBOUND_STREAMS = 127

/** Bytes of unfinished requests held at once, of all streams together: three of the largest that one may bring. An exchange of
 *  10,000 members takes 1 MiB; what comes above is strangers filling our memory. */
export const MAX_INBOUND_BYTES: number = 3 * MAX_STREAM_BYTES

/** What the exchanges need, and whom they tell. Handlers run inside the stream's turn. */
export interface ExchangesSetup {
  readonly sealing: Sealing
  /** Compress what we write; memberlist does so on every stream. */
  readonly compress: boolean
  /** Limit of each phase of an accepted stream. */
  readonly streamTimeoutMs: number
  /** A fresh nonce, or `undefined` without encryption. */
  nonce(): Uint8Array | undefined
  now(): number
  dial(to: Address, handlers: StreamHandlers): Stream
  /** A request is whole; `reply(id, …)` must come before this returns, or the stream is closed without an answer. */
  requested(id: number, message: StreamMessage, from: Address): void
  /** Our request was answered. */
  replied(id: number, message: StreamMessage): void
  /** Our request came to nothing. */
  failed(id: number, error: string): void
  /** A stream of theirs was not what it should be. */
  refused(code: 'stream-invalid' | 'stream-limit', message: string): void
}

/** A request of ours, as the machine put it into the outbox. */
export interface OutboundRequest {
  readonly id: number
  readonly purpose: RequestPurpose
  readonly to: Address
  readonly body: Uint8Array
  readonly timeoutMs: number
}

/** Members of a push/pull read in one turn: about three milliseconds (`npm run bench:merge`). */
const READ_PARTS = 2048
/** Until the next turn of reading; packets and timers come in between. */
const READ_PAUSE_MS = 1

type ExchangeDue =
  | { readonly kind: 'limit'; readonly key: string; readonly timeoutMs: number }
  /** More is to be read of what came. */
  | { readonly kind: 'read'; readonly key: string }

interface Exchange {
  readonly key: string
  readonly id: number
  readonly stream: Stream
  readonly reader: StreamReader
  /** Answered: only what is queued still has to go out. */
  isEnding: boolean
  /** Bytes of an unfinished message, as counted into the total. */
  heldBytes: number
}

export class Exchanges {
  readonly #setup: ExchangesSetup
  readonly #deadlines = new Deadlines<ExchangeDue>()
  /** What was compressed of a body that the machine tells again and again. */
  readonly #compressed = new WeakMap<Uint8Array, Uint8Array>()
  readonly #open = new Map<string, Exchange>()
  #inbound = 0
  #inboundBytes = 0
  #lastInbound = 0
  #isClosed = false

  constructor(setup: ExchangesSetup) {
    this.#setup = setup
  }

  /** Streams open now, both ways. */
  get size(): number {
    return this.#open.size
  }

  nextDeadline(): number | undefined {
    return this.#deadlines.next()
  }

  /** Ends what has taken too long. */
  advance(now: number): void {
    for (let next = this.#deadlines.popDue(now); next; next = this.#deadlines.popDue(now)) {
      const exchange = this.#open.get(next.due.key)
      if (exchange === undefined) continue
      if (next.due.kind === 'read') {
        this.#readOn(exchange, undefined)
        continue
      }
      this.#forget(exchange)
      exchange.stream.destroy()
      if (exchange.isEnding) continue
      if (isOurs(exchange)) this.#setup.failed(exchange.id, `no answer within ${Math.round(next.due.timeoutMs)} ms`)
      else
        this.#setup.refused('stream-invalid', `${exchange.stream.peer.key} took longer than ${next.due.timeoutMs} ms`)
    }
  }

  /** Every limit falls `lengthMs` later: we were not there, so nobody can have answered us. */
  postpone(lengthMs: number): void {
    // What was read is still here: `read` is not put off.
    for (const key of this.#open.keys()) this.#deadlines.postpone(key, lengthMs)
  }

  /** Opens a stream, sends the request, awaits one message. */
  request({ id, purpose, to, body, timeoutMs }: OutboundRequest): void {
    const key = `ours:${id}`
    const stream = this.#setup.dial(to, {
      opened: () => {
        stream.write(this.#seal(body, 'dialler'))
        // A probe has one deadline for all; an exchange has one a phase.
        if (purpose !== 'probe') this.#limit(key, timeoutMs)
      },
      data: (bytes) => this.#read(key, bytes),
      closed: (error) => this.#closed(key, error),
    })
    this.#open.set(key, { key, id, stream, reader: this.#reader('dialler'), isEnding: false, heldBytes: 0 })
    this.#limit(key, timeoutMs)
  }

  /** Takes a stream of theirs, or refuses it. */
  accept(stream: Stream): StreamHandlers | undefined {
    if (this.#inbound >= MAX_INBOUND_STREAMS) {
      // Whoever opens streams and says nothing must not keep the others out: the one that waits longest gives way.
      const idle = [...this.#open.values()].find((exchange) => !isOurs(exchange) && !exchange.isEnding)
      this.#cutOff(idle, `${MAX_INBOUND_STREAMS} streams are open`)
      // Whoever was told of it may have closed everything.
      if (idle === undefined || this.#isClosed) return undefined
    }
    this.#inbound++
    const id = ++this.#lastInbound
    const key = `theirs:${id}`
    this.#open.set(key, { key, id, stream, reader: this.#reader('listener'), isEnding: false, heldBytes: 0 })
    this.#limit(key, this.#setup.streamTimeoutMs)
    return {
      data: (bytes) => this.#read(key, bytes),
      closed: (error) => this.#closed(key, error),
    }
  }

  /** Answers a stream of theirs, and ends it. */
  reply(id: number, body: Uint8Array): void {
    const exchange = this.#open.get(`theirs:${id}`)
    if (exchange !== undefined) this.#answer(exchange, body)
  }

  /** Destroys every stream; tells nobody. */
  close(): void {
    this.#isClosed = true
    for (const exchange of this.#open.values()) {
      exchange.stream.destroy()
      exchange.heldBytes = 0
    }
    this.#open.clear()
    this.#deadlines.clear()
    this.#inbound = 0
    this.#inboundBytes = 0
  }

  #read(key: string, bytes: Uint8Array): void {
    const exchange = this.#open.get(key)
    if (exchange === undefined || exchange.isEnding) return
    this.#makeRoom(exchange, isOurs(exchange) ? 0 : bytes.length)
    if (this.#open.has(key)) this.#readOn(exchange, bytes)
  }

  /** Reads what came, or what is left of what came before, as much as one turn bears. */
  #readOn(exchange: Exchange, bytes: Uint8Array | undefined): void {
    const { reader } = exchange
    let message: StreamMessage | undefined
    try {
      message = (bytes === undefined ? reader.resume() : reader.push(bytes))?.message
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof DecryptError)) throw error
      this.#unreadable(exchange, error)
      return
    } finally {
      this.#weigh(exchange, exchange.reader.heldBytes)
    }
    this.#makeRoom(exchange, 0)
    if (!this.#open.has(exchange.key)) return
    if (reader.isPaused) {
      this.#deadlines.set(`read:${exchange.key}`, this.#setup.now() + READ_PAUSE_MS, {
        kind: 'read',
        key: exchange.key,
      })
    }
    if (message === undefined) return
    if (isOurs(exchange)) {
      this.#forget(exchange)
      exchange.stream.destroy()
      this.#setup.replied(exchange.id, message)
      return
    }
    this.#setup.requested(exchange.id, message, exchange.stream.peer)
    if (!exchange.isEnding) this.#end(exchange)
  }

  /** Cuts the largest streams of theirs until so many bytes more of `exchange` can be held. */
  #makeRoom(exchange: Exchange, bytes: number): void {
    while (this.#inboundBytes + bytes > MAX_INBOUND_BYTES && this.#open.has(exchange.key)) {
      const largest = [...this.#open.values()].reduce(
        (most, one) => (one.heldBytes > most.heldBytes ? one : most),
        exchange,
      )
      this.#cutOff(largest, `${MAX_INBOUND_BYTES} bytes of streams are held`)
    }
  }

  /** Ends a stream of theirs without an answer, to make room. */
  #cutOff(exchange: Exchange | undefined, why: string): void {
    if (exchange !== undefined) {
      this.#forget(exchange)
      exchange.stream.destroy()
    }
    this.#setup.refused(
      'stream-limit',
      exchange === undefined ? why : `${why}: that of ${exchange.stream.peer.key} is cut`,
    )
  }

  /** What they sent is no message: our request fails; theirs is told why where memberlist tells it. */
  #unreadable(exchange: Exchange, error: DecodeError | DecryptError): void {
    if (isOurs(exchange)) {
      this.#forget(exchange)
      exchange.stream.destroy()
      this.#setup.failed(exchange.id, error.message)
      return
    }
    this.#setup.refused('stream-invalid', `stream of ${exchange.stream.peer.key}: ${error.message}`)
    if (shouldAnswer(error)) this.#answer(exchange, encodeSwimMessage({ type: 'error', error: error.message }))
    else this.#end(exchange)
  }

  #answer(exchange: Exchange, body: Uint8Array): void {
    const bytes = this.#seal(body, 'listener')
    exchange.stream.write(bytes)
    this.#end(exchange)
    // Unsealed answers are one and the same bytes for all; each sealed one is held for itself until it is gone.
    if (this.#setup.sealing.keyring === undefined) return
    this.#weigh(exchange, bytes.length)
    this.#makeRoom(exchange, 0)
  }

  /** Nothing more is read or written; what is queued has one more phase to go out. */
  #end(exchange: Exchange): void {
    // Whoever was told of the request may have closed everything.
    if (!this.#open.has(exchange.key)) return
    exchange.isEnding = true
    this.#limit(exchange.key, this.#setup.streamTimeoutMs)
    exchange.stream.end()
  }

  #closed(key: string, error: Error | undefined): void {
    const exchange = this.#open.get(key)
    if (exchange === undefined) return
    this.#forget(exchange)
    if (exchange.isEnding) return
    // Also where the other side has only half closed: an answer that will not come is not waited for.
    exchange.stream.destroy()
    if (isOurs(exchange)) this.#setup.failed(exchange.id, error?.message ?? 'closed without an answer')
    else if (exchange.reader.bufferedBytes > 0) {
      this.#setup.refused('stream-invalid', `stream of ${exchange.stream.peer.key} ended within a message`)
    }
  }

  #forget(exchange: Exchange): void {
    if (!this.#open.delete(exchange.key)) return
    this.#deadlines.delete(exchange.key)
    this.#deadlines.delete(`read:${exchange.key}`)
    this.#weigh(exchange, 0)
    if (!isOurs(exchange)) this.#inbound--
  }

  /** Keeps the total of what strangers make us hold. */
  #weigh(exchange: Exchange, bytes: number): void {
    const held = isOurs(exchange) || !this.#open.has(exchange.key) ? 0 : bytes
    this.#inboundBytes += held - exchange.heldBytes
    exchange.heldBytes = held
  }

  #limit(key: string, timeoutMs: number): void {
    this.#deadlines.set(key, this.#setup.now() + timeoutMs, { kind: 'limit', key, timeoutMs })
  }

  #reader(role: StreamRole): StreamReader {
    return new StreamReader({ sealing: this.#setup.sealing, role, maxParts: READ_PARTS })
  }

  #seal(body: Uint8Array, role: StreamRole): Uint8Array {
    const { sealing, compress } = this.#setup
    const message = compress ? this.#compress(body) : body
    return encodeStream(message, { sealing, role, nonce: this.#setup.nonce(), compress: false })
  }

  /** Also where that is larger: so does memberlist on streams. */
  #compress(body: Uint8Array): Uint8Array {
    const kept = this.#compressed.get(body)
    if (kept !== undefined) return kept
    const compressed = wrapCompressed(body)
    this.#compressed.set(body, compressed)
    return compressed
  }
}

function isOurs(exchange: Exchange): boolean {
  return exchange.key.startsWith('ours:')
}
