// The loop around the protocol: open, hand in, drain, seal, arm one timer. Every input, be it a packet, a stream, the
// clock or a call, ends in one drain of the outbox; notices are told when the drain is over, so a listener may call back in.
// Every input first looks whether we come late: then nothing falls due before all that arrived is read (catch-up.ts).
// Knows no rules of membership; owns the sockets through its host, and nothing of the host's kind.
import { assert, unreachable } from '../base/assert.ts'
import { Deadlines } from '../base/deadlines.ts'
import { ClosedError, OptionsError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import type { SerfNotice } from '../serf/notices.ts'
import type { Serf } from '../serf/serf.ts'
import type { Address } from '../wire/address.ts'
import { type Cidr, isWithin } from '../wire/cidr.ts'
import { NONCE_BYTES } from '../wire/encrypt.ts'
import { keysToSeal, type Sealing } from '../wire/packet.ts'
import { CatchUp, LOOK_MS } from './catch-up.ts'
import { Exchanges } from './exchanges.ts'
import type { Host, Stream, StreamHandlers, Transport } from './host.ts'
import { type PacketStats, Packets } from './packets.ts'
import type { FoundSnapshot } from './snapshot-file.ts'
import { CLOSE_LIMIT_MS, SnapshotWriter } from './snapshot-writer.ts'
import { type WarningCode, type WarningNotice, Warnings } from './warnings.ts'
import { within } from './within.ts'

const trace = tracer('driver')

/** What the driver tells: the protocol's notices, with warnings bounded in rate, and the end. */
export type DriverNotice =
  | Exclude<SerfNotice, { type: 'warning' | 'snapshot' | 'store-keys' }>
  | WarningNotice
  /** The sockets failed for good. */
  | { readonly type: 'failed'; readonly error: Error }

export interface DriverSetup {
  readonly host: Host
  readonly sealing: Sealing
  /** Compress what gets smaller by it. */
  readonly compress: boolean
  /** Whoever is outside is not listened to; absent: everyone is. */
  readonly allowedCidrs?: readonly Cidr[] | undefined
  /** Limit of each phase of an accepted stream. */
  readonly streamTimeoutMs: number
  /** Hold time in which we stood still against nobody (catch-up.ts). Default true. */
  readonly stallRule?: boolean
  /** Puts what the keyring file is to hold in its place; absent where there is no such file. */
  readonly storeKeys?: ((bytes: Uint8Array) => Promise<void>) | undefined
  /** Hears of everything, in order, never in the middle of a transition. Must not throw. */
  notified(notice: DriverNotice): void
}

/** Counts since the start. */
export interface DriverStats extends PacketStats {
  readonly streamsOpen: number
  /** Warnings by code, told or held back. */
  readonly warnings: Readonly<Record<string, number>>
}

/** Runs one `Serf` on one host. */
export class Driver {
  readonly #setup: DriverSetup
  readonly #exchanges: Exchanges
  readonly #snapshots: SnapshotWriter
  readonly #packets: Packets
  readonly #catchUp: CatchUp
  readonly #warnings = new Warnings()
  readonly #tasks = new Deadlines<() => void>()
  #notices: DriverNotice[] = []
  #opening: Promise<Transport> | undefined
  #transport: Transport | undefined
  #serf: Serf | undefined
  /** Ends when the keyring file stands. One is written at a time. */
  #keysStored: Promise<void> | undefined
  #armedAt: number | undefined
  #disarm: (() => void) | undefined
  /** The user's function that is being asked, and the option it was given as. */
  #asking: { readonly option: string; readonly asked: unknown } | undefined
  /** Calls that wait for the end of the transition in which it is asked. */
  #kept: ((serf: Serf, now: number) => void)[] = []
  #isTelling = false
  #isClosed = false

  constructor(setup: DriverSetup) {
    this.#setup = setup
    const { sealing, compress } = setup
    const nonce = (): Uint8Array | undefined => this.#nonce()
    this.#packets = new Packets({ sealing, compress, nonce, warn: (code, message) => this.warn(code, message) })
    this.#exchanges = new Exchanges({
      sealing,
      compress,
      nonce,
      streamTimeoutMs: setup.streamTimeoutMs,
      now: () => this.now(),
      dial: (to, handlers) => this.#dial(to, handlers),
      requested: (id, message, from) => this.#input((serf, now) => serf.receiveRequest(id, message, from, now)),
      replied: (id, message) => this.#input((serf, now) => serf.receiveReply(id, message, now)),
      failed: (id, error) => this.#input((serf, now) => serf.requestFailed(id, error, now)),
      refused: (code, message) => this.warn(code, message),
    })
    this.#snapshots = new SnapshotWriter(setup.host, (message) => {
      this.warn('snapshot-failed', message)
      this.#input((serf, now) => serf.snapshotFailed(now))
    })
    this.#catchUp = new CatchUp({
      isOn: setup.stallRule ?? true,
      defer: (task) => setup.host.defer(task),
      now: () => this.now(),
      stalled: (lengthMs, now) => this.#stalled(lengthMs, now),
      caughtUp: (now) => this.#judge(now),
    })
  }

  /** Monotonic milliseconds of the host. */
  now(): number {
    return this.#setup.host.clock.now()
  }

  /** Binds; nothing is sent or answered before `run`. @throws TransportError, ClosedError; nothing is left open then */
  async open(bind: Address): Promise<Address> {
    this.#opening = this.#setup.host.bind(bind, {
      packet: (bytes, from, at) => this.#packet(bytes, from, at),
      stream: (stream) => this.#stream(stream),
      sendFailed: (to, error, isRemote) => this.#sendFailed(to, error, isRemote),
      failed: (error) => this.#failed(error),
    })
    const transport = await this.#opening
    this.#transport = transport
    if (this.#isClosed) {
      await transport.close()
      throw new ClosedError('closed while it started')
    }
    return transport.local
  }

  /** Where the snapshot goes, as soon as it is open; ours to close from now on. Gives what was found. @throws what the opening throws */
  recordTo(opening: Promise<FoundSnapshot>): Promise<FoundSnapshot> {
    return this.#snapshots.recordTo(opening)
  }

  /** Gives up what was opened, before `run`: the start came to nothing, and may be tried again. */
  async unbind(): Promise<void> {
    assert(this.#serf === undefined, 'what runs is closed')
    await Promise.all([this.#transport?.close(), this.#snapshots.giveUp()])
    this.#transport = undefined
  }

  /** Starts the protocol on what was opened. */
  run(serf: Serf): void {
    assert(this.#transport !== undefined && this.#serf === undefined, 'run comes once, after open')
    this.#serf = serf
    this.command((running, now) => running.start(now))
  }

  /** Hands a call to the protocol, drains what follows, and gives what the call gave. @throws what the call throws */
  command<Result>(call: (serf: Serf, now: number) => Result): Result {
    if (this.#serf === undefined || this.#isClosed) throw new ClosedError()
    if (this.#asking !== undefined) {
      const { option, asked } = this.#asking
      throw new OptionsError(option, asked, 'must not change the instance that asks it')
    }
    this.#look()
    const result = call(this.#serf, this.now())
    this.#drain()
    return result
  }

  /** The same for a call that nobody waits for, and that must not fail: while the user's function is asked it is kept until the transition is
   *  over, and what is closed needs it no more. */
  commandSoon(call: (serf: Serf, now: number) => void): void {
    if (this.#asking === undefined) this.#input(call)
    else this.#kept.push(call)
  }

  /** Asks the user's function, given as `option`, about something in the middle of a transition. No command is taken meanwhile. */
  ask<About extends readonly unknown[], Answer>(
    option: string,
    asked: (...about: About) => Answer,
    ...about: About
  ): Answer {
    const outer = this.#asking
    this.#asking = { option, asked }
    try {
      return asked(...about)
    } finally {
      this.#asking = outer
    }
  }

  /** Tells at once what waits to be told together, also where a listener asks for it, who is about to close. Nothing where nothing waits. */
  tellNews(): void {
    if (this.#isClosed || this.#asking !== undefined || this.#serf?.isHoldingNews !== true) return
    this.#serf.tellNews()
    this.#drain()
    if (this.#isTelling) this.#tellBatch()
  }

  /** Runs `task` once, `delayMs` from now, in place of one set under the same key before. Time in which we stood still does not
   *  count: the most of them are limits of what others are to do. */
  schedule(key: string, delayMs: number, task: () => void): void {
    if (this.#isClosed) return
    this.#look()
    this.#tasks.set(key, this.now() + delayMs, task)
    this.#arm()
  }

  unschedule(key: string): void {
    this.#look()
    if (this.#tasks.delete(key)) this.#arm()
  }

  /** Tells a warning, unless its kind was told lately. */
  warn(code: WarningCode, message: string): void {
    const notice = this.#warnings.offer(code, message, this.now())
    if (notice === undefined) return
    trace('warning %s: %s', code, message)
    this.#notices.push(notice)
    this.#tell()
  }

  /** The same with the next news, for the middle of a transition: a listener may call back in. */
  warnLater(code: WarningCode, message: string): void {
    const notice = this.#warnings.offer(code, message, this.now())
    if (notice !== undefined) this.#notices.push(notice)
  }

  stats(): DriverStats {
    return {
      ...this.#packets.stats(),
      streamsOpen: this.#exchanges.size,
      warnings: this.#warnings.totals(),
    }
  }

  /** Stops at once, without goodbye. Resolves when no socket and no timer is left; nothing is told from now on. Idempotent. */
  async close(): Promise<void> {
    const last = this.#isClosed ? undefined : this.#serf?.lastSnapshot()
    this.#isClosed = true
    const { clock } = this.#setup.host
    const stored = this.#keysStored && within(clock, CLOSE_LIMIT_MS, this.#keysStored, () => {})
    const written = this.#snapshots.close(last)
    this.#catchUp.stop()
    this.#disarmTimer()
    this.#tasks.clear()
    this.#notices = []
    this.#exchanges.close()
    // What is being bound at this moment is open soon, and `open` leaves it to be closed here as well.
    if (this.#transport === undefined) await this.#opening?.catch(() => {})
    await this.#transport?.close()
    await Promise.all([written, stored])
  }

  /** Rewrites the keyring file, and tells the protocol how that ended. */
  async #storeKeys(bytes: Uint8Array): Promise<void> {
    const { storeKeys } = this.#setup
    assert(storeKeys !== undefined, 'keys are kept where there is a file for them')
    const problem = await problemOf(() => storeKeys(bytes))
    if (this.#isClosed) return
    this.#look()
    this.#input((serf, now) => serf.keysStored(problem, now))
  }

  #packet(bytes: Uint8Array, from: Address, at: number): void {
    if (this.#isClosed) return
    this.#heard()
    this.#packets.count(bytes)
    if (!this.#listensTo(from, 'packet')) return
    const messages = this.#packets.open(bytes, from)
    // A listener that was warned may have closed.
    if (messages.length === 0 || this.#isClosed) return
    this.#serf?.receivePacket(messages, from, at)
    this.#drain()
  }

  #stream(stream: Stream): StreamHandlers | undefined {
    if (this.#isClosed || this.#serf === undefined) return undefined
    this.#heard()
    if (!this.#listensTo(stream.peer, 'stream') || this.#isClosed) return undefined
    const handlers = this.#exchanges.accept(stream)
    this.#arm()
    return handlers && this.#arming(handlers)
  }

  /** False for whoever is outside the allowed ranges: what comes from there stays unread.
   *  Differs: memberlist reads streams from anywhere, and takes an empty list of ranges for none. */
  #listensTo({ ip, key }: Address, what: string): boolean {
    const { allowedCidrs } = this.#setup
    if (allowedCidrs === undefined || isWithin(allowedCidrs, ip)) return true
    this.warn('source-refused', `${what} of ${key}, which is outside allowedCidrs`)
    return false
  }

  #sendFailed(to: Address, error: Error, isRemote: boolean): void {
    if (this.#isClosed) return
    this.#look()
    this.warn('packet-unsent', `packet to ${to.key}: ${error.message}`)
    this.#input((serf, now) => serf.sendFailed(to, isRemote, now))
  }

  #failed(error: Error): void {
    if (this.#isClosed) return
    this.#notices.push({ type: 'failed', error })
    this.#tell()
  }

  #input(receive: (serf: Serf, now: number) => void): void {
    if (this.#isClosed || this.#serf === undefined) return
    receive(this.#serf, this.now())
    this.#drain()
  }

  /** First thing on every input. Not in the middle of a transition, where the user's code is asked: the next input sees it as well. */
  #look(): void {
    if (this.#asking === undefined) this.#catchUp.look()
  }

  /** Something came from outside. */
  #heard(): void {
    this.#look()
    this.#catchUp.brought()
  }

  #wake(): void {
    this.#disarm = undefined
    this.#armedAt = undefined
    if (this.#isClosed) return
    this.#look()
    if (!this.#catchUp.isReading) this.#judge(this.now())
  }

  /** We were not there: that time is held against nobody. */
  #stalled(lengthMs: number, now: number): void {
    trace('the event loop stood still for %d ms', lengthMs)
    this.#exchanges.postpone(lengthMs)
    this.#tasks.postponeAll(lengthMs)
    this.#serf?.stalled(lengthMs, now)
  }

  /** Does what has come due. */
  #judge(now: number): void {
    this.#exchanges.advance(now)
    if (this.#isClosed) return
    this.#serf?.advance(now)
    for (let next = this.#tasks.popDue(now); next; next = this.#tasks.popDue(now)) next.due()
    this.#drain()
    this.#arm()
  }

  #drain(): void {
    if (this.#isClosed || this.#serf === undefined) return
    if (this.#kept.length > 0) for (const call of this.#kept.splice(0)) call(this.#serf, this.now())
    for (const effect of this.#serf.take()) {
      switch (effect.kind) {
        case 'packet':
          this.#transport?.send(this.#packets.seal(effect.parts, effect.crc), effect.to)
          break
        case 'request':
          this.#exchanges.request(effect)
          break
        case 'reply':
          this.#exchanges.reply(effect.id, effect.body)
          break
        case 'notify':
          this.#note(effect.notice)
          break
        default:
          unreachable(effect)
      }
    }
    this.#arm()
    this.#tell()
  }

  #dial(to: Address, handlers: StreamHandlers): Stream {
    assert(this.#transport !== undefined, 'streams are dialled while the transport is open')
    return this.#transport.dial(to, this.#arming(handlers))
  }

  /** The same handlers; what they do to deadlines is seen by the timer. */
  #arming(handlers: StreamHandlers): StreamHandlers {
    return {
      opened: () => {
        this.#heard()
        handlers.opened?.()
        this.#arm()
      },
      data: (bytes) => {
        this.#heard()
        handlers.data(bytes)
        this.#arm()
      },
      closed: (error) => {
        this.#heard()
        handlers.closed(error)
        this.#arm()
      },
    }
  }

  #nonce(): Uint8Array | undefined {
    if (keysToSeal(this.#setup.sealing) === undefined) return undefined
    const nonce = new Uint8Array(NONCE_BYTES)
    this.#setup.host.entropy(nonce)
    return nonce
  }

  /** One timer, for the earliest of all deadlines, or for a look at the clock before that; none while we read what a stall has left unread. */
  #arm(): void {
    if (this.#isClosed) return
    if (this.#catchUp.isReading) {
      this.#disarmTimer()
      return
    }
    let next = Math.min(
      this.#serf?.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.#exchanges.nextDeadline() ?? Number.POSITIVE_INFINITY,
      this.#tasks.next() ?? Number.POSITIVE_INFINITY,
    )
    if (this.#serf?.isAwaiting === true) {
      next = Math.min(next, this.now() + LOOK_MS)
      // Soon enough, and set anew when it comes: not at every input.
      if (this.#armedAt !== undefined && this.#armedAt <= next) return
    }
    if (next === this.#armedAt) return
    this.#disarmTimer()
    if (next === Number.POSITIVE_INFINITY) return
    this.#armedAt = next
    // A deadline may be set for a time that is past; that is no lateness of ours.
    this.#catchUp.expect(Math.max(next, this.now()))
    this.#disarm = this.#setup.host.clock.wakeAt(next, () => this.#wake())
  }

  #disarmTimer(): void {
    this.#disarm?.()
    this.#disarm = undefined
    this.#armedAt = undefined
    if (!this.#catchUp.isReading) this.#catchUp.expect(undefined)
  }

  #note(notice: SerfNotice): void {
    if (notice.type === 'snapshot') {
      this.#snapshots.take(notice)
      return
    }
    if (notice.type === 'store-keys') {
      this.#keysStored = this.#storeKeys(notice.bytes)
      return
    }
    if (notice.type !== 'warning') {
      this.#notices.push(notice)
      return
    }
    this.warnLater(notice.code, notice.message)
  }

  /** Tells what is waiting, in order. A listener that calls back in adds to the end of the list. */
  #tell(): void {
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      while (this.#notices.length > 0) this.#tellBatch()
    } finally {
      this.#isTelling = false
    }
  }

  #tellBatch(): void {
    const batch = this.#notices
    this.#notices = []
    for (const notice of batch) if (!this.#isClosed) this.#setup.notified(notice)
  }
}

/** What the task fails with, now or later; absent: it does not. */
async function problemOf(task: () => Promise<void>): Promise<string | undefined> {
  try {
    await task()
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
