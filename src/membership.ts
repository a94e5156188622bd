// The facade: one `Membership` is one member of a cluster. Wires host, driver and protocol, and turns notices into events
// and promises. Decides nothing about the protocol.
//
//   idle ──start, join──► running ──leave──► leaving ──► closed
//     └───────────────────────┴────────────close───────────┘      one way: to come back, make a new instance
import { acceptOf } from './accept.ts'
import { chooseAdvertised } from './advertise.ts'
import { checkBoolean, checkKeys, checkNumber, checkObject, checkSignal } from './base/check.ts'
import { ClosedError, OptionsError, TimeoutError } from './base/errors.ts'
import { Random } from './base/random.ts'
import { type Change, ChangeStream } from './changes.ts'
import { Driver, type DriverNotice, type DriverStats } from './driver/driver.ts'
import type { Host } from './driver/host.ts'
import type { ClosedEvent, MemberEvent, MembershipEvent } from './events.ts'
import { Joining } from './joining.ts'
import { GuardedEmitter } from './listeners.ts'
import { filterOf, type MemberFilter } from './member-filter.ts'
import { nodeHost } from './node/host.ts'
import { checkTags, defaultName, type MembershipOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import { checkSeeds, type JoinResult, type Seeds } from './seeds.ts'
import type { Member } from './serf/members.ts'
import { metaOf, Serf } from './serf/serf.ts'
import { Waiters } from './waiters.ts'
import { Address } from './wire/address.ts'
import { packetOverhead, type Sealing } from './wire/packet.ts'

export type Status = 'idle' | 'running' | 'leaving' | 'closed'

export interface JoinOptions {
  /** Gives up when aborted: `join` rejects with the signal's reason, nobody else is asked, and while nobody is known nothing is
   *  tried in the background. An exchange under way cannot be called back: where one succeeds, before or after, we are in as if
   *  `join` had resolved, and its seeds are kept unless those of another join are. Once among others it has no effect, so that a
   *  time limit for joining does not end what brings us back later. */
  readonly signal?: AbortSignal
  /** Reject with `JoinError` when nobody answers, instead of trying on in the background. Default false. */
  readonly required?: boolean
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

/** The longest goodbye one may ask for: a day. */
const MAX_LEAVE_MS = 86_400_000

/** A member of a cluster, in this process.
 *  @example
 *  const membership = new Membership({ bind: '127.0.0.1:0', tags: { role: 'log' } })
 *  membership.on('member-join', ({ member }) => console.log(member.name, member.tags.role))
 *  await membership.join(['127.0.0.1:7946']) */
export class Membership extends GuardedEmitter {
  readonly #options: ResolvedOptions
  readonly #host: Host
  readonly #sealing: Sealing
  readonly #driver: Driver
  readonly #random: Random
  readonly #streams = new Set<ChangeStream>()
  /** Broadcasts of ours that somebody waits for, by ticket. */
  readonly #tellings = new Waiters()
  #status: Status = 'idle'
  #serf: Serf | undefined
  #joining: Joining | undefined
  #tags: Readonly<Record<string, string>>
  #starting: Promise<void> | undefined
  #leaving: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #departed: (() => void) | undefined
  #lastLimit = 0

  /** Checks all options; opens nothing. @throws OptionsError naming the option, the value and the limit */
  constructor(options: MembershipOptions = {}) {
    const resolved = resolveOptions(options)
    const host = resolved.host ?? nodeHost()
    // With a port that is not known yet as with the longest.
    if (resolved.name === undefined) defaultName(host.hostname, resolved.bind.port || 0xffff)
    // What a listener throws surfaces as an uncaught exception in a turn of its own, after the drain.
    super((error) => {
      host.defer(() => {
        throw error
      })
    })
    this.#options = resolved
    this.#tags = resolved.tags
    this.#host = host
    this.#sealing = { label: this.#options.label, keyring: this.#options.keyring, cipher: this.#host.cipher }
    this.#random = new Random(seedOf(this.#host))
    this.#driver = new Driver({
      host: this.#host,
      sealing: this.#sealing,
      compress: this.#options.compression,
      allowedCidrs: this.#options.allowedCidrs,
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

  /** Frozen snapshots of all members, ourselves included, in the order we learnt of them. Empty before the start.
   *  @throws OptionsError for a filter that is none */
  members(filter: MemberFilter = {}): readonly Member[] {
    const isWanted = filterOf(filter)
    const all = this.#serf?.members() ?? []
    return isWanted === undefined ? all : all.filter(isWanted)
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
   *  member of a cluster has nobody to find. Then the seeds are asked again in the background as long as they are needed: while
   *  nobody is known, at first after a second, then ever less often; among others while none of them is a member that answers,
   *  about once a minute, since the cluster may be split. The latest join that did not reject is the one that is kept up.
   *  @throws OptionsError, TransportError, ClosedError; JoinError where `required`; the signal's reason where it is aborted */
  async join(seeds: Seeds, options: JoinOptions = {}): Promise<JoinResult> {
    checkSeeds(seeds, this.#options.allowedCidrs)
    checkObject('options', options)
    checkKeys(options, ['signal', 'required'])
    // A copy: what is asked, now and later, is what was given and checked.
    const given = typeof seeds === 'function' ? seeds : [...seeds]
    const { signal, required = false } = options
    checkBoolean('required', required)
    checkSignal(signal)
    signal?.throwIfAborted()
    await this.start()
    signal?.throwIfAborted()
    if (this.#status !== 'running') throw new ClosedError('closed while it joined')
    return (this.#joining as Joining).join(given, { signal, required })
  }

  /** Replaces our tags. Resolves when the cluster has been told, or at once where there is nobody to tell.
   *  @throws OptionsError, SizeError: nothing is changed. TimeoutError: the change stands, but was told too slowly. TransportError:
   *  a start under way failed; they stand for the next one. ClosedError */
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
    await this.#untilTold('the new tags are set', (serf, now) => serf.setTags(copy, now))
  }

  /** Declares, for an operator, that a member has left: one that is dead becomes left at once. One that lives denies it, and is alive again.
   *  Resolves when the cluster has been told, or at once where there is nobody to tell. A name that nobody knows is told too.
   *  @param options.prune erase it from every list, with `member-reap`; one that does not deny it is erased when it had time to. Default false
   *  @throws OptionsError, SizeError: nothing is changed. TimeoutError: it is declared, but was told too slowly. ClosedError */
  async forceLeave(name: string, options: { readonly prune?: boolean } = {}): Promise<void> {
    checkObject('options', options)
    checkKeys(options, ['prune'])
    const { prune = false } = options
    checkBoolean('prune', prune)
    if (typeof name !== 'string' || name === '') throw new OptionsError('name', name, 'must be the name of a member')
    if (this.#status === 'closed' || this.#status === 'leaving') throw new ClosedError()
    if (this.#serf === undefined) throw new ClosedError('not started yet: await start() or join() first')
    if (name === this.local.name) throw new OptionsError('name', name, 'is our own: use leave()')
    const what = `${name} is declared to have left`
    await this.#untilTold(what, (serf, now) => serf.forceLeave(name, prune, now))
  }

  /** The member list as a stream: a `view` first, then one item a change. Ends when the instance closes or the signal is aborted.
   *  @throws OptionsError */
  changes(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<Change> {
    checkObject('options', options)
    checkKeys(options, ['signal'])
    const { signal } = options
    checkSignal(signal)
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
   *  @param options.timeoutMs limit of the goodbye, and of waiting for a start under way, 0 to a day; default what its stages take at most: twice `broadcastTimeoutMs` and `leavePropagateDelayMs`, 11 s
   *  @throws OptionsError */
  async leave(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    checkObject('options', options)
    checkKeys(options, ['timeoutMs'])
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

  /** Gives a command that makes a broadcast, and waits until that has been told. */
  #untilTold(what: string, command: (serf: Serf, now: number) => number): Promise<void> {
    return new Promise((resolve, reject) => {
      const { broadcastTimeoutMs } = this.#options.serf
      let ticket = 0
      // The ticket may be told in the very call that makes it: the waiter must stand before.
      this.#driver.command((serf, now) => {
        ticket = command(serf, now)
        this.#tellings.set(ticket, { resolve, reject })
      })
      if (!this.#tellings.has(ticket)) return
      this.#driver.schedule(`telling:${ticket}`, broadcastTimeoutMs, () => {
        const error = new TimeoutError(`${what}, but that was not told to all within ${broadcastTimeoutMs} ms`)
        this.#tellings.reject(ticket, error)
      })
    })
  }

  async #start(): Promise<void> {
    const { bind, advertise, allowedCidrs, accept, swim, serf } = this.#options
    const { ip, warnings } = await chooseAdvertised(this.#options, this.#host)
    if (this.#closing !== undefined) throw new ClosedError('closed while it started')
    const bound = await this.#driver.open(bind)
    if (this.#closing !== undefined) throw new ClosedError('closed while it started')
    const address = new Address(ip, advertise?.port ?? bound.port)
    const name = this.#options.name ?? defaultName(this.#host.hostname, bound.port)
    const packetOverheadBytes = packetOverhead(this.#sealing, true)
    const machine = new Serf({
      name,
      address,
      tags: this.#tags,
      swim,
      serf,
      packetOverheadBytes,
      allowedCidrs,
      accept: accept && acceptOf(accept, this.#driver, this.#host),
      random: this.#random.fork(),
    })
    this.#serf = machine
    this.#joining = new Joining({
      host: this.#host,
      driver: this.#driver,
      serf: machine,
      random: this.#random,
      bound,
      allowedCidrs,
      isRunning: () => this.#status === 'running',
    })
    this.#status = 'running'
    this.#driver.run(machine)
    for (const { code, message } of warnings) this.#driver.warn(code, message)
  }

  async #leave(timeoutMs: number | undefined): Promise<void> {
    const departed = new Promise<void>((resolve) => {
      this.#departed = resolve
    })
    this.#limitLeave(timeoutMs)
    try {
      // A start under way is let finish: what has been announced must be taken back. Where the limit comes first, nothing has been.
      await Promise.race([this.#starting?.catch(() => {}), departed])
      if (this.#status !== 'running') return
      this.#status = 'leaving'
      this.#driver.command((serf, now) => serf.leave(now))
      await departed
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
    this.#tellings.rejectAll(() => new ClosedError())
    this.#joining?.close()
    for (const stream of [...this.#streams]) stream.end()
    await closed
    this.#emit(event)
  }

  #notified(notice: DriverNotice): void {
    switch (notice.type) {
      case 'exchange-done':
        this.#joining?.exchangeDone(notice.id, notice.error)
        return
      case 'told':
        this.#driver.unschedule(`telling:${notice.ticket}`)
        this.#tellings.resolve(notice.ticket)
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
        if (type === 'member-join') this.#joining?.met()
        for (const stream of this.#streams) stream.push(event)
        this.#emit(event)
      }
    }
  }

  #emit(event: MembershipEvent): void {
    // The pairing of type and payload holds by the union, which `emit`'s signature cannot see.
    const emit = this.emit as (type: MembershipEvent['type'], event: MembershipEvent) => boolean
    emit.call(this, event.type, Object.freeze(event))
  }
}

/** 32 bits of the host's entropy: the seed of all dice of this instance. */
function seedOf(host: Host): number {
  const bytes = new Uint8Array(4)
  host.entropy(bytes)
  return bytes.reduce((seed, byte) => ((seed << 8) | byte) >>> 0, 0)
}
