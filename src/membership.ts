// The facade: one `Membership` is one member of a cluster. Wires host, driver and protocol, and turns notices into events
// and promises. Decides nothing about the protocol.
//
//   idle ──start, join──► running ──leave──► leaving ──► closed
//     └───────────────────────┴────────────close───────────┘      one way: to come back, make a new instance
import { EventEmitter } from 'eventemitter3'
import { checkNumber } from './base/check.ts'
import { ClosedError, TimeoutError, TransportError } from './base/errors.ts'
import { Random } from './base/random.ts'
import { type Change, ChangeStream } from './changes.ts'
import { Driver, type DriverNotice, type DriverStats } from './driver/driver.ts'
import type { Host } from './driver/host.ts'
import type { ClosedEvent, EventMap, MemberEvent, MembershipEvent } from './events.ts'
import { nodeHost } from './node/host.ts'
import { checkTags, type MembershipOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import { checkSeeds, contactSeeds, type JoinResult, joinError, type Seeds } from './seeds.ts'
import type { Member, MemberState } from './serf/members.ts'
import { metaOf, Serf } from './serf/serf.ts'
import { Address, isWildcard } from './wire/address.ts'
import { packetOverhead, type Sealing } from './wire/packet.ts'

export type Status = 'idle' | 'running' | 'leaving' | 'closed'

export interface JoinOptions {
  /** Gives up when aborted: `join` rejects with the signal's reason, and nothing is tried in the background. */
  readonly signal?: AbortSignal
  /** Reject with `JoinError` when nobody answers, instead of trying on in the background. Default false. */
  readonly required?: boolean
}

/** Which members to list; all conditions must hold. */
export interface MemberFilter {
  /** One state, or any of several. */
  readonly state?: MemberState | readonly MemberState[]
  /** Tags that must have exactly these values. */
  readonly tags?: Readonly<Record<string, string>>
}

/** Counters since the start, and gauges as of now. */
export interface MembershipStats extends DriverStats {
  /** Members of every state, ourselves included. */
  readonly members: number
  /** Local health, 0 is best (Lifeguard §IV-A). */
  readonly health: number
  /** Broadcasts that are still being told. */
  readonly queued: number
}

/** First pause before seeds are asked again; doubled each time, up to the last. */
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 30_000

/** The longest goodbye one may ask for: a day. */
const MAX_LEAVE_MS = 86_400_000

interface Waiter {
  resolve(): void
  reject(error: Error): void
}

/** A member of a cluster, in this process.
 *  @example
 *  const membership = new Membership({ bind: '127.0.0.1:0', tags: { role: 'log' } })
 *  membership.on('member-join', ({ member }) => console.log(member.name, member.tags.role))
 *  await membership.join(['127.0.0.1:7946']) */
export class Membership extends EventEmitter<EventMap> {
  readonly #options: ResolvedOptions
  readonly #host: Host
  readonly #sealing: Sealing
  readonly #driver: Driver
  readonly #random: Random
  readonly #streams = new Set<ChangeStream>()
  /** Rounds of asking seeds that are under way; aborted when we close. */
  readonly #rounds = new Set<AbortController>()
  /** Exchanges we began, by number. */
  readonly #contacts = new Map<number, Waiter>()
  /** Broadcasts of ours that somebody waits for, by ticket. */
  readonly #tellings = new Map<number, Waiter>()
  #status: Status = 'idle'
  #serf: Serf | undefined
  #bound: Address | undefined
  #tags: Readonly<Record<string, string>>
  #starting: Promise<void> | undefined
  #leaving: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #departed: (() => void) | undefined
  #lastJoin = 0
  #lastLimit = 0

  /** Checks all options; opens nothing. @throws OptionsError naming the option, the value and the limit */
  constructor(options: MembershipOptions = {}) {
    super()
    this.#options = resolveOptions(options)
    this.#tags = this.#options.tags
    this.#host = this.#options.host ?? nodeHost()
    this.#sealing = { label: this.#options.label, keyring: this.#options.keyring, cipher: this.#host.cipher }
    this.#random = new Random(seedOf(this.#host))
    this.#driver = new Driver({
      host: this.#host,
      sealing: this.#sealing,
      compress: this.#options.compression,
      streamTimeoutMs: this.#options.swim.streamTimeoutMs,
      notified: (notice) => this.#notified(notice),
    })
  }

  get status(): Status {
    return this.#status
  }

  /** Ourselves, as others are told. @throws ClosedError before the start */
  get local(): Member {
    if (this.#serf === undefined) throw new ClosedError('not started yet: await start() or join() first')
    return this.#serf.local
  }

  /** Members of every state, ourselves included; 0 before the start. */
  get size(): number {
    return this.#serf?.size ?? 0
  }

  /** Local health (Lifeguard §IV-A): 0 is healthy; above, our own timing is in doubt and we are slower to accuse others. */
  get health(): number {
    return this.#serf?.health ?? 0
  }

  /** Frozen snapshots of all members, ourselves included, in the order we learnt of them. Empty before the start. */
  members(filter: MemberFilter = {}): readonly Member[] {
    const all = this.#serf?.members() ?? []
    const { state, tags = {} } = filter
    const states = state === undefined ? undefined : [state].flat()
    const wanted = Object.entries(tags)
    if (states === undefined && wanted.length === 0) return all
    return all.filter(
      (member) =>
        (states === undefined || states.includes(member.state)) &&
        wanted.every(([key, value]) => Object.hasOwn(member.tags, key) && member.tags[key] === value),
    )
  }

  /** The member of that name, whatever its state. */
  member(name: string): Member | undefined {
    return this.#serf?.member(name)
  }

  stats(): MembershipStats {
    return { ...this.#driver.stats(), members: this.size, health: this.health, queued: this.#serf?.queued ?? 0 }
  }

  /** Binds, announces ourselves and begins to listen. Idempotent; `join` does it by itself.
   *  @throws TransportError where the address cannot be bound: nothing is left open, and `start` may be tried again */
  start(): Promise<void> {
    if (this.#status === 'closed' || this.#status === 'leaving') return Promise.reject(new ClosedError())
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined
      throw error
    })
    return this.#starting
  }

  /** Asks every seed once, all in parallel, ourselves left out, and resolves with who answered, also when nobody did: the first
   *  member of a cluster has nobody to find. Then, whenever nobody is known, the seeds are asked again in the background: at first
   *  after a second, then ever less often; after a time among others within 45 seconds of being alone.
   *  @throws OptionsError, TransportError, ClosedError; JoinError where `required`; the signal's reason where it is aborted */
  async join(seeds: Seeds, options: JoinOptions = {}): Promise<JoinResult> {
    checkSeeds(seeds)
    // A copy: what is asked, now and later, is what was given and checked.
    const given = typeof seeds === 'function' ? seeds : [...seeds]
    const { signal, required = false } = options
    signal?.throwIfAborted()
    await this.start()
    signal?.throwIfAborted()
    if (this.#status !== 'running') throw new ClosedError('closed while it joined')
    const attempt = ++this.#lastJoin
    const result = await this.#contactAll(given, signal)
    if (this.#status !== 'running') throw new ClosedError('closed while it joined')
    if (required && result.joined.length === 0) throw joinError(result)
    // Also where nobody failed: a name or a function that gave only ourselves may give others later.
    if (typeof given === 'function' || given.length > 0) this.#keepTrying(attempt, given, signal, FIRST_RETRY_MS)
    return result
  }

  /** Replaces our tags. Resolves when the cluster has been told, or at once where there is nobody to tell.
   *  @throws OptionsError, SizeError: nothing is changed. TimeoutError: the change stands, but was told too slowly. ClosedError */
  async setTags(tags: Readonly<Record<string, string>>): Promise<void> {
    checkTags(tags)
    metaOf(tags)
    const copy = Object.freeze({ ...tags })
    if (this.#status === 'closed' || this.#status === 'leaving') throw new ClosedError()
    if (this.#serf === undefined) {
      this.#tags = copy
      if (this.#starting === undefined) return
      await this.#starting
    }
    await new Promise<void>((resolve, reject) => {
      const { broadcastTimeoutMs } = this.#options.serf
      let ticket = 0
      // The ticket may be told in the very call that makes it: the waiter must stand before.
      const waiter: Waiter = { resolve, reject }
      this.#driver.command((serf, now) => {
        ticket = serf.setTags(copy, now)
        this.#tellings.set(ticket, waiter)
      })
      if (!this.#tellings.has(ticket)) return
      this.#driver.schedule(`telling:${ticket}`, broadcastTimeoutMs, () => {
        this.#tellings.delete(ticket)
        reject(new TimeoutError(`the new tags are set, but were not told to all within ${broadcastTimeoutMs} ms`))
      })
    })
  }

  /** The member list as a stream: a `view` first, then one item a change. Ends when the instance closes or the signal is aborted. */
  changes(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<Change> {
    const { signal } = options
    const abort = (): void => stream.end()
    const stream = new ChangeStream(
      () => this.members(),
      (ended) => {
        this.#streams.delete(ended)
        signal?.removeEventListener('abort', abort)
      },
    )
    this.#streams.add(stream)
    if (this.#status === 'closed' || signal?.aborted === true) stream.end()
    else signal?.addEventListener('abort', abort, { once: true })
    return stream
  }

  /** Says goodbye, waits until it is told, closes. Idempotent. Never rejects for want of peers: they then see us fail, not leave.
   *  @param options.timeoutMs limit of the goodbye, 0 to a day; default what its stages take at most: twice `broadcastTimeoutMs` and `leavePropagateDelayMs`, 11 s
   *  @throws OptionsError */
  async leave(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs } = options
    if (timeoutMs !== undefined) checkNumber('timeoutMs', timeoutMs, { least: 0, most: MAX_LEAVE_MS })
    if (this.#status === 'closed') return this.#closing
    if (this.#leaving === undefined) this.#leaving = this.#leave(timeoutMs)
    else this.#limitLeave(timeoutMs)
    return this.#leaving
  }

  /** Stops at once, without goodbye: others will find us dead. Resolves when no socket and no timer is left. Idempotent. */
  close(): Promise<void> {
    return this.#close({ type: 'closed', reason: 'closed' })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  async #start(): Promise<void> {
    const { bind, advertise, swim, serf } = this.#options
    const ip = advertise?.ip ?? (isWildcard(bind.ip) ? this.#host.reachableAddress(bind.ip) : bind.ip)
    if (ip === undefined) {
      throw new TransportError(`no interface has an address others could reach at ${bind.key}: give 'advertise'`)
    }
    const bound = await this.#driver.open(bind)
    if (this.#closing !== undefined) throw new ClosedError('closed while it started')
    const address = new Address(ip, advertise?.port ?? bound.port)
    const name = this.#options.name ?? `${this.#host.hostname}-${bound.port}`
    const packetOverheadBytes = packetOverhead(this.#sealing, true)
    const machine = new Serf({
      name,
      address,
      tags: this.#tags,
      swim,
      serf,
      packetOverheadBytes,
      random: this.#random.fork(),
    })
    this.#bound = bound
    this.#serf = machine
    this.#status = 'running'
    this.#driver.run(machine)
  }

  async #contactAll(seeds: Seeds, signal: AbortSignal | undefined): Promise<JoinResult> {
    const bound = this.#bound as Address
    const round = new AbortController()
    const abort = (): void => round.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    this.#rounds.add(round)
    const setup = {
      host: this.#host,
      defaultPort: bound.port,
      ownAddresses: [bound, (this.#serf as Serf).address],
      contact: (to: Address) => this.#contact(to),
    }
    const result = await contactSeeds(seeds, setup, round.signal).finally(() => {
      this.#rounds.delete(round)
      signal?.removeEventListener('abort', abort)
    })
    if (result.joined.length === 0 || this.#status !== 'running') return result
    if (this.#serf?.hasPeers() === true) {
      this.#driver.command((serf, now) => serf.announceJoin(now))
      return result
    }
    // Whoever answered has told us of nobody else: through a virtual address we have met ourselves.
    const error = new TransportError('answered, but it is ourselves, or it knows of nobody')
    return { joined: [], failed: [...result.failed, ...result.joined.map((address) => ({ address, error }))] }
  }

  /** One full exchange. */
  #contact(to: Address): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#status !== 'running') throw new ClosedError()
      this.#driver.command((serf) => {
        this.#contacts.set(serf.contact(to), { resolve, reject })
      })
    })
  }

  /** Looks again later, as long as this is the latest `join`: where nobody is known, asks the seeds, ever less often. */
  #keepTrying(attempt: number, seeds: Seeds, signal: AbortSignal | undefined, retryMs: number): void {
    const isAlone = this.#serf?.hasPeers() !== true
    const pauseMs = isAlone ? retryMs : LAST_RETRY_MS
    // Members that lost each other at once must not all come back at once.
    this.#driver.schedule('join', pauseMs * (0.5 + this.#random.fraction()), () => {
      const isOver = (): boolean => signal?.aborted === true || this.#status !== 'running' || attempt !== this.#lastJoin
      if (isOver()) return
      if (this.#serf?.hasPeers() === true) {
        this.#keepTrying(attempt, seeds, signal, FIRST_RETRY_MS)
        return
      }
      this.#contactAll(seeds, signal).then(
        (result) => {
          if (isOver()) return
          if (result.failed.length > 0 && result.joined.length === 0) {
            this.#driver.warn('join-failed', joinError(result).message)
          }
          this.#keepTrying(attempt, seeds, signal, Math.min(2 * retryMs, LAST_RETRY_MS))
        },
        (error: unknown) => {
          // The signal was aborted, or we closed meanwhile; anything else is our bug and must be seen.
          if (signal?.aborted === true || this.#status !== 'running') return
          this.#host.defer(() => {
            throw error
          })
        },
      )
    })
  }

  async #leave(timeoutMs: number | undefined): Promise<void> {
    // A start under way is let finish: what has been announced must be taken back.
    await this.#starting?.catch(() => {})
    try {
      if (this.#status !== 'running') return
      this.#status = 'leaving'
      await new Promise<void>((resolve) => {
        this.#departed = resolve
        this.#limitLeave(timeoutMs)
        this.#driver.command((serf, now) => serf.leave(now))
      })
    } finally {
      await this.#close({ type: 'closed', reason: 'left' })
    }
  }

  /** Of the limits of several calls the earliest holds. */
  #limitLeave(timeoutMs: number | undefined): void {
    if (timeoutMs === undefined) return
    this.#lastLimit++
    this.#driver.schedule(`leave:${this.#lastLimit}`, timeoutMs, () => this.#departed?.())
  }

  #close(event: ClosedEvent): Promise<void> {
    this.#closing ??= this.#shutDown(event)
    return this.#closing
  }

  async #shutDown(event: ClosedEvent): Promise<void> {
    this.#status = 'closed'
    const closed = this.#driver.close()
    this.#departed?.()
    for (const waiter of [...this.#contacts.values(), ...this.#tellings.values()]) waiter.reject(new ClosedError())
    this.#contacts.clear()
    this.#tellings.clear()
    for (const round of this.#rounds) round.abort(new ClosedError('closed while it joined'))
    for (const stream of [...this.#streams]) stream.end()
    await closed
    this.#emit(event)
  }

  #notified(notice: DriverNotice): void {
    switch (notice.type) {
      case 'exchange-done':
        settle(this.#contacts, notice.id, notice.error)
        return
      case 'told':
        this.#driver.unschedule(`telling:${notice.ticket}`)
        settle(this.#tellings, notice.ticket, undefined)
        return
      case 'departed':
        this.#departed?.()
        return
      case 'failed':
        void this.#close({ type: 'closed', reason: 'failed', error: notice.error })
        return
      case 'conflict':
      case 'warning':
        this.#emit(notice)
        return
      default: {
        const { type, member, previous } = notice
        const event: MemberEvent = Object.freeze(previous === undefined ? { type, member } : { type, member, previous })
        for (const stream of this.#streams) stream.push(event)
        this.#emit(event)
      }
    }
  }

  /** Tells listeners. What one throws surfaces as an uncaught exception in a turn of its own, after the drain. */
  #emit(event: MembershipEvent): void {
    try {
      // Through the prototype: the pairing of type and payload holds by the union, which `emit`'s signature cannot see.
      EventEmitter.prototype.emit.call(this, event.type, Object.freeze(event))
    } catch (error) {
      this.#host.defer(() => {
        throw error
      })
    }
  }
}

function settle(waiters: Map<number, Waiter>, id: number, error: string | undefined): void {
  const waiter = waiters.get(id)
  if (waiter === undefined) return
  waiters.delete(id)
  if (error === undefined) waiter.resolve()
  else waiter.reject(new TransportError(error))
}

/** 32 bits of the host's entropy: the seed of all dice of this instance. */
function seedOf(host: Host): number {
  const bytes = new Uint8Array(4)
  host.entropy(bytes)
  return bytes.reduce((seed, byte) => ((seed << 8) | byte) >>> 0, 0)
}
