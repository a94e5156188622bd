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
  readonly #deadlines = new Deadlines<{ readonly key: string; readonly timeoutMs: number }>()
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
      this.#forget(exchange)
      exchange.stream.destroy()
      if (exchange.isEnding) continue
      if (isOurs(exchange)) this.#setup.failed(exchange.id, `no answer within ${Math.round(next.due.timeoutMs)} ms`)
      else
        this.#setup.refused('stream-invalid', `${exchange.stream.peer.key} took longer than ${next.due.timeoutMs} ms`)
    }
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
    if (!isOurs(exchange) && this.#inboundBytes + bytes.length > MAX_INBOUND_BYTES) {
      const largest = [...this.#open.values()].reduce(
        (most, one) => (one.heldBytes > most.heldBytes ? one : most),
        exchange,
      )
      this.#cutOff(largest, `${MAX_INBOUND_BYTES} bytes of streams are held`)
      if (!this.#open.has(key)) return
    }
    let message: StreamMessage | undefined
    try {
      message = exchange.reader.push(bytes)?.message
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof DecryptError)) throw error
      this.#unreadable(exchange, error)
      return
    } finally {
      this.#weigh(exchange, exchange.reader.bufferedBytes)
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
    exchange.stream.write(this.#seal(body, 'listener'))
    this.#end(exchange)
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
    this.#deadlines.set(key, this.#setup.now() + timeoutMs, { key, timeoutMs })
  }

  #reader(role: StreamRole): StreamReader {
    return new StreamReader({ sealing: this.#setup.sealing, role })
  }

  #seal(body: Uint8Array, role: StreamRole): Uint8Array {
    const { sealing, compress } = this.#setup
    return encodeStream(body, { sealing, role, nonce: this.#setup.nonce(), compress })
  }
}

function isOurs(exchange: Exchange): boolean {
  return exchange.key.startsWith('ours:')
}
