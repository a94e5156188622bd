// Streams: one exchange each (wire-protocol §4). Dials, accepts, limits bytes and time, and matches replies to requests.
// Knows nothing of what the messages mean: what was read goes up, what comes back is sealed and written. How a stream is read is
// stream-reading.ts's, and who is read when reading-line.ts's.
//
//   ours:    dial ──opened──► write ──answer whole──► reply goes up, close
//   theirs:  accept ──request whole──► request goes up ──answer──► write, end ──flushed──► closed
//
// Every phase has a deadline; there is no timer here, only `nextDeadline` and `advance`.
import { unreachable } from '../base/assert.ts'
import { Deadlines } from '../base/deadlines.ts'
import type { DecodeError, DecryptError } from '../base/errors.ts'
import type { RequestPurpose } from '../swim/outbox.ts'
import type { Address } from '../wire/address.ts'
import { MAX_STREAM_BYTES } from '../wire/limits.ts'
import { shouldAnswer } from '../wire/stream.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import type { StreamMessage } from '../wire/types.ts'
import { HeldBytes } from './held-bytes.ts'
import type { Stream, StreamHandlers } from './host.ts'
import { READ_PAUSE_MS, ReadingLine } from './reading-line.ts'
import { type ReadOutcome, StreamReading } from './stream-reading.ts'
import { StreamSealing, type StreamSealingSetup } from './stream-sealing.ts'

/** Streams of others served at once: memberlist's own limit of exchanges. */
export const MAX_INBOUND_STREAMS = 127

/** Bytes of unfinished requests held at once, of all streams together: three of the largest that one may bring. An exchange of
 *  10,000 members takes 3.5 MB while it is read, one of 65,000 takes 25 MB; what comes above is strangers filling our memory. */
export const MAX_INBOUND_BYTES: number = 3 * MAX_STREAM_BYTES

/** What the exchanges need, and whom they tell. Handlers run inside the stream's turn. */
export interface ExchangesSetup extends StreamSealingSetup {
  /** Limit of each phase of an accepted stream. */
  readonly streamTimeoutMs: number
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

interface Limit {
  readonly key: string
  readonly timeoutMs: number
}

interface Exchange {
  readonly key: string
  readonly id: number
  readonly stream: Stream
  readonly reading: StreamReading
  /** Answered: only what is queued still has to go out. */
  isEnding: boolean
  /** Counts as one of the streams that others may have open. */
  hasPlace: boolean
}

export class Exchanges {
  readonly #setup: ExchangesSetup
  readonly #limits = new Deadlines<Limit>()
  readonly #line: ReadingLine<Exchange>
  readonly #sealing: StreamSealing
  /** Unfinished requests of theirs, and sealed answers to them. */
  readonly #held = new HeldBytes<Exchange>()
  readonly #open = new Map<string, Exchange>()
  #inbound = 0
  #lastInbound = 0
  #isClosed = false

  constructor(setup: ExchangesSetup) {
    this.#setup = setup
    this.#line = new ReadingLine(setup.now)
    this.#sealing = new StreamSealing(setup)
  }

  /** Streams open now, both ways. */
  get size(): number {
    return this.#open.size
  }

  nextDeadline(): number | undefined {
    if (this.#open.size === 0) return undefined
    const limitAt = this.#limits.next()
    const readAt = this.#line.next()
    return limitAt === undefined || readAt === undefined ? (limitAt ?? readAt) : Math.min(limitAt, readAt)
  }

  /** Reads what one turn bears of what came, and ends what has taken too long. */
  advance(now: number): void {
    if (this.#open.size === 0) return // as nearly always
    for (let exchange = this.#line.take(); exchange; exchange = this.#line.take()) this.#read(exchange)
    for (let next = this.#limits.popDue(now); next; next = this.#limits.popDue(now)) {
      const exchange = this.#open.get(next.due.key)
      if (exchange === undefined) continue
      if (this.#line.has(exchange)) {
        // What it is to be judged by may have come: it waits for us, not we for it.
        this.#limits.set(exchange.key, now + READ_PAUSE_MS, next.due)
        continue
      }
      this.#drop(exchange)
      if (exchange.isEnding) continue
      if (isOurs(exchange)) this.#setup.failed(exchange.id, `no answer within ${Math.round(next.due.timeoutMs)} ms`)
      else
        this.#setup.refused('stream-invalid', `${exchange.stream.peer.key} took longer than ${next.due.timeoutMs} ms`)
    }
  }

  /** Every limit falls `lengthMs` later: we were not there, so nobody can have answered us. What came is still here: its reading is
   *  not put off. */
  postpone(lengthMs: number): void {
    this.#limits.postponeAll(lengthMs)
  }

  /** Opens a stream, sends the request, awaits one message. */
  request({ id, purpose, to, body, timeoutMs }: OutboundRequest): void {
    const key = `ours:${id}`
    const stream = this.#setup.dial(to, {
      opened: () => {
        stream.write(this.#sealing.seal(body, 'dialler'))
        // A probe has one deadline for all; an exchange has one a phase.
        if (purpose !== 'probe') this.#limit(key, timeoutMs)
      },
      data: (bytes) => this.#heard(key, bytes),
      closed: (error) => this.#closed(key, error),
    })
    this.#open.set(key, {
      key,
      id,
      stream,
      reading: new StreamReading(this.#setup.sealing, 'dialler'),
      isEnding: false,
      hasPlace: false,
    })
    this.#limit(key, timeoutMs)
  }

  /** Takes a stream of theirs, or refuses it. */
  accept(stream: Stream): StreamHandlers | undefined {
    if (this.#inbound >= MAX_INBOUND_STREAMS) {
      const victim = this.#whoGivesWay()
      this.#cutOff(victim, `${MAX_INBOUND_STREAMS} streams are open`)
      // Whoever was told of it may have closed everything.
      if (victim === undefined || this.#isClosed) return undefined
    }
    this.#inbound++
    const id = ++this.#lastInbound
    const key = `theirs:${id}`
    this.#open.set(key, {
      key,
      id,
      stream,
      reading: new StreamReading(this.#setup.sealing, 'listener'),
      isEnding: false,
      hasPlace: true,
    })
    this.#limit(key, this.#setup.streamTimeoutMs)
    return {
      data: (bytes) => this.#heard(key, bytes),
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
    for (const exchange of this.#open.values()) exchange.stream.destroy()
    this.#open.clear()
    this.#held.clear()
    this.#line.clear()
    this.#limits.clear()
    this.#inbound = 0
  }

  #heard(key: string, bytes: Uint8Array): void {
    const exchange = this.#open.get(key)
    if (exchange === undefined || exchange.isEnding) return
    this.#makeRoom(exchange, isOurs(exchange) ? 0 : bytes.length)
    if (!this.#open.has(key)) return
    exchange.reading.take(bytes)
    this.#weigh(exchange, exchange.reading.heldBytes)
    this.#readInTurn(exchange)
  }

  #readInTurn(exchange: Exchange): void {
    if (this.#line.isFree) this.#read(exchange)
    else this.#line.join(exchange, isOurs(exchange) ? 'ours' : 'fresh')
  }

  #read(exchange: Exchange): void {
    this.#line.spend(() => {
      const outcome = exchange.reading.read()
      this.#weigh(exchange, exchange.reading.heldBytes)
      this.#makeRoom(exchange, 0)
      if (this.#open.has(exchange.key)) this.#came(exchange, outcome)
      return outcome.kind !== 'more' && outcome.kind !== 'unfolding'
    })
  }

  #came(exchange: Exchange, outcome: ReadOutcome): void {
    switch (outcome.kind) {
      case 'awaiting':
        break
      case 'more':
        this.#line.join(exchange, isOurs(exchange) ? 'ours' : 'begun')
        break
      case 'unfolding':
        this.#line.join(exchange, isOurs(exchange) ? 'ours' : 'unfolding')
        break
      case 'message':
        this.#matched(exchange, outcome.message)
        break
      case 'unreadable':
        this.#unreadable(exchange, outcome.error)
        break
      case 'ended':
        this.#ended(exchange, outcome.isWithinMessage, outcome.error)
        break
      default:
        unreachable(outcome)
    }
  }

  #matched(exchange: Exchange, message: StreamMessage): void {
    if (isOurs(exchange)) {
      this.#drop(exchange)
      this.#setup.replied(exchange.id, message)
      return
    }
    this.#setup.requested(exchange.id, message, exchange.stream.peer)
    if (!exchange.isEnding) this.#end(exchange)
  }

  /** Whoever opens streams and says nothing must not keep the others out: of those we wait for, the one that has kept us longest.
   *  Where most wait for us, they may be the strangers: the oldest of all, or those who have just come would cut one another. */
  #whoGivesWay(): Exchange | undefined {
    const unanswered = [...this.#open.values()].filter((exchange) => !isOurs(exchange) && !exchange.isEnding)
    const silent = unanswered.filter((exchange) => !this.#line.has(exchange))
    return 2 * silent.length >= unanswered.length ? silent[0] : unanswered[0]
  }

  /** Cuts the largest streams of theirs until so many bytes more of `exchange` can be held. */
  #makeRoom(exchange: Exchange, bytes: number): void {
    while (this.#held.total + bytes > MAX_INBOUND_BYTES && this.#open.has(exchange.key)) {
      this.#cutOff(this.#held.most(exchange), `${MAX_INBOUND_BYTES} bytes of streams are held`)
    }
  }

  /** Ends a stream of theirs without an answer, to make room. */
  #cutOff(exchange: Exchange | undefined, why: string): void {
    if (exchange !== undefined) this.#drop(exchange)
    this.#setup.refused(
      'stream-limit',
      exchange === undefined ? why : `${why}: that of ${exchange.stream.peer.key} is cut`,
    )
  }

  /** What they sent is no message: our request fails; theirs is told why where memberlist tells it. */
  #unreadable(exchange: Exchange, error: DecodeError | DecryptError): void {
    if (isOurs(exchange)) {
      this.#drop(exchange)
      this.#setup.failed(exchange.id, error.message)
      return
    }
    this.#setup.refused('stream-invalid', `stream of ${exchange.stream.peer.key}: ${error.message}`)
    if (shouldAnswer(error)) this.#answer(exchange, encodeSwimMessage({ type: 'error', error: error.message }))
    else this.#end(exchange)
  }

  #answer(exchange: Exchange, body: Uint8Array): void {
    const bytes = this.#sealing.seal(body, 'listener')
    exchange.stream.write(bytes)
    // Unsealed answers are one and the same bytes for all; each sealed one is held for itself until it is gone.
    this.#end(exchange, this.#sealing.isSealing ? bytes.length : 0)
    if (this.#sealing.isSealing) this.#makeRoom(exchange, 0)
  }

  /** Nothing more is read or written; what is queued has one more phase to go out. */
  #end(exchange: Exchange, heldBytes = 0): void {
    // Whoever was told of the request may have closed everything.
    if (!this.#open.has(exchange.key)) return
    exchange.isEnding = true
    exchange.stream.end()
    this.#weigh(exchange, exchange.reading.heldBytes + heldBytes)
    // Where their end was told before, nobody tells us when all is out: others may have its place at once, but what it makes us hold
    // counts until nobody can still be reading it.
    if (exchange.reading.hasEnded) this.#giveBack(exchange)
    if (exchange.reading.hasEnded && heldBytes === 0) this.#forget(exchange)
    else this.#limit(exchange.key, this.#setup.streamTimeoutMs)
  }

  /** They will say no more. What they said before may still wait to be read. */
  #closed(key: string, error: Error | undefined): void {
    const exchange = this.#open.get(key)
    if (exchange === undefined) return
    if (exchange.isEnding) {
      this.#forget(exchange)
    } else if (error !== undefined && !isOurs(exchange)) {
      // Nobody is left whom we could answer, and so a request is not read to its end. An answer to us is, whatever came after it.
      this.#ended(exchange, exchange.reading.heldBytes > 0, error)
    } else {
      exchange.reading.end(error)
      this.#readInTurn(exchange)
    }
  }

  /** All that they said is no message. */
  #ended(exchange: Exchange, isWithinMessage: boolean, error: Error | undefined): void {
    // Also where the other side has only half closed: an answer that will not come is not waited for.
    this.#drop(exchange)
    const { key } = exchange.stream.peer
    if (isOurs(exchange)) this.#setup.failed(exchange.id, error?.message ?? 'closed without an answer')
    else if (error !== undefined && isWithinMessage) {
      this.#setup.refused('stream-invalid', `stream of ${key} broke before its message was read: ${error.message}`)
    } else if (isWithinMessage) this.#setup.refused('stream-invalid', `stream of ${key} ended within a message`)
  }

  #drop(exchange: Exchange): void {
    this.#forget(exchange)
    exchange.stream.destroy()
  }

  #forget(exchange: Exchange): void {
    if (!this.#open.delete(exchange.key)) return
    this.#limits.delete(exchange.key)
    this.#line.leave(exchange)
    this.#weigh(exchange, 0)
    this.#giveBack(exchange)
  }

  /** Its place among the streams of theirs. */
  #giveBack(exchange: Exchange): void {
    if (exchange.hasPlace) this.#inbound--
    exchange.hasPlace = false
  }

  /** Keeps the total of what strangers make us hold. */
  #weigh(exchange: Exchange, bytes: number): void {
    if (!isOurs(exchange)) this.#held.set(exchange, this.#open.has(exchange.key) ? bytes : 0)
  }

  #limit(key: string, timeoutMs: number): void {
    this.#limits.set(key, this.#setup.now() + timeoutMs, { key, timeoutMs })
  }
}

function isOurs(exchange: Exchange): boolean {
  return exchange.key.startsWith('ours:')
}
