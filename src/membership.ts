// The facade: one `Membership` is one member of a cluster. Turns calls into commands, and notices into events and promises. Decides
// nothing: how it begins and ends is lifecycle.ts's, what a start puts together preparing.ts's, and the protocol is serf/serf.ts's.
import { checkBoolean, checkKeys, checkName, checkNumber, checkObject, checkSignal } from './base/check.ts'
import { ClosedError, OptionsError } from './base/errors.ts'
import { Random } from './base/random.ts'
import { type Change, ChangeStreams } from './changes.ts'
import { Driver, type DriverNotice, type DriverStats } from './driver/driver.ts'
import type { Host } from './driver/host.ts'
import type { MemberEvent, MembershipEvent } from './events.ts'
import { type Explanation, explain } from './explain.ts'
import type { Joining } from './joining.ts'
import { KeyQuestions } from './key-questions.ts'
import { Keys } from './keys.ts'
import { Lifecycle, type Status } from './lifecycle.ts'
import { GuardedEmitter } from './listeners.ts'
import { filterOf, type MemberFilter } from './member-filter.ts'
import { nodeHost } from './node/host.ts'
import { keyringStore } from './open-keyring.ts'
import { checkTags, defaultName, type MembershipOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import type { Payload } from './pack.ts'
import { Pinging } from './pinging.ts'
import { type Preparing, prepare } from './preparing.ts'
import type { Query } from './query.ts'
import { Querying, type QueryOptions } from './querying.ts'
import { checkSeeds, type JoinResult, type Seeds } from './seeds.ts'
import { type SendEventOptions, sendEvent, userEventOf } from './sending.ts'
import type { BroadcastDepths } from './serf/broadcasts.ts'
import type { CoordinateStats } from './serf/coordinates.ts'
import type { Member, RawTags } from './serf/members.ts'
import type { MemberNotice } from './serf/notices.ts'
import { metaOf, type Serf } from './serf/serf.ts'
import { Tellings } from './tellings.ts'
import { checkOwnTags } from './validate-tags.ts'
import type { Coordinate } from './wire/types.ts'

export interface JoinOptions {
  /** Gives up when aborted: `join` rejects with the signal's reason, nobody else is asked, and while nobody is known nothing is
   *  tried in the background. An exchange under way cannot be called back: where one succeeds, before or after, we are in as if
   *  `join` had resolved, and its seeds are kept unless those of another join are. Once among others it has no effect, so that a
   *  time limit for joining does not end what brings us back later. */
  readonly signal?: AbortSignal
  /** Reject with `JoinError` when nobody answers, instead of trying on in the background. Default false. */
  readonly required?: boolean
  /** Deliver no user event that was sent before we were in: else those of late that its members still know come first. Default false. */
  readonly ignoreOldEvents?: boolean
}

/** Counters since the start, and gauges as of now. */
export interface MembershipStats extends DriverStats {
  /** Members of every state, ourselves included. */
  readonly members: number
  /** Local health, 0 is best (Lifeguard §IV-A). */
  readonly health: number
  /** Broadcasts that are still being told. */
  readonly queued: number
  /** Of network coordinates; absent where they are off, and before the start. */
  readonly coordinates: CoordinateStats | undefined
  /** The same by kind: claims about members, intents, queries, user events. */
  readonly queues: BroadcastDepths & { readonly claims: number }
  /** The Lamport times that our next messages of each kind will carry; they never fall. 0 before the start. */
  readonly ltimes: { readonly members: number; readonly events: number; readonly queries: number }
}

/** Without a type of tags all is optional. */
type OptionalOptions<Tags> = [Tags] extends [undefined]
  ? [options?: MembershipOptions<Tags>]
  : [options: MembershipOptions<Tags>]

const NO_QUEUES: MembershipStats['queues'] = Object.freeze({ claims: 0, intents: 0, queries: 0, events: 0 })

const NO_LTIMES: MembershipStats['ltimes'] = Object.freeze({ members: 0, events: 0, queries: 0 })

/** The longest goodbye one may ask for: a day. */
const MAX_LEAVE_MS = 86_400_000

/** A member of a cluster, in this process.
 *  @example
 *  const membership = new Membership({ bind: '127.0.0.1:0', tags: { role: 'log' } })
 *  membership.on('member-join', ({ member }) => console.log(member.name, member.tags.role))
 *  await membership.join(['127.0.0.1:7946'])
 *  @typeParam Tags what `validateTags` gives: `member.tags` is that, or `undefined` where they do not fit; without it, texts by name */
export class Membership<Tags = undefined> extends GuardedEmitter<Tags> {
  readonly #options: ResolvedOptions
  readonly #host: Host
  readonly #sealing: Preparing['sealing']
  readonly #driver: Driver
  readonly #random: Random
  readonly #lifecycle: Lifecycle
  readonly #tellings: Tellings
  readonly #pinging: Pinging
  readonly #keyQuestions: KeyQuestions
  readonly #querying: Querying
  readonly #streams = new ChangeStreams(() => this.#view())
  /** The operator's verbs for keys: install, use, remove, list. */
  readonly keys: Keys
  #serf: Serf | undefined
  #joining: Joining | undefined
  #tags: RawTags

  /** Checks all options; opens nothing. @throws OptionsError naming the option, the value and the limit */
  constructor(...[options]: OptionalOptions<Tags>) {
    const resolved = resolveOptions(options ?? ({} as MembershipOptions<Tags>))
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
    const { label, keyring, keyringPath, verifyIncoming, verifyOutgoing } = resolved
    this.#sealing = { label, keyring, verifyIncoming, verifyOutgoing, cipher: host.cipher }
    this.#random = new Random(seedOf(this.#host))
    this.#driver = new Driver({
      host: this.#host,
      sealing: this.#sealing,
      compress: this.#options.compression,
      allowedCidrs: this.#options.allowedCidrs,
      streamTimeoutMs: this.#options.swim.streamTimeoutMs,
      stallRule: this.#options.swim.stallRule,
      storeKeys: keyringStore(host.storage, keyringPath),
      notified: (notice) => this.#notified(notice),
    })
    this.#querying = new Querying(this.#driver, () => this.listenerCount('query') > 0)
    this.#pinging = new Pinging(this.#driver, this.#options.swim.probeTimeoutMs)
    this.#tellings = new Tellings(this.#driver, this.#options.serf.broadcastTimeoutMs)
    this.#keyQuestions = new KeyQuestions(this.#driver, () => this.#throwUnlessKeys())
    this.keys = new Keys(this.#keyQuestions)
    this.#lifecycle = new Lifecycle({
      driver: this.#driver,
      begin: () => this.#begin(),
      closing: () => this.#letGo(),
      closed: (event) => this.#emit(event),
    })
  }

  get status(): Status {
    return this.#lifecycle.status
  }

  /** Ourselves, as others are told. @throws ClosedError before the start */
  get local(): Member<Tags> {
    return this.#running().local as Member<Tags>
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
  members(filter: MemberFilter = {}): readonly Member<Tags>[] {
    const isWanted = filterOf(filter)
    const all = (this.#serf?.members() ?? []) as readonly Member<Tags>[]
    return isWanted === undefined ? all : all.filter(isWanted)
  }

  /** The member of that name, whatever its state. */
  member(name: string): Member<Tags> | undefined {
    return this.#serf?.member(name) as Member<Tags> | undefined
  }

  stats(): MembershipStats {
    return {
      ...this.#driver.stats(),
      members: this.size,
      health: this.health,
      queued: this.#serf?.queued ?? 0,
      coordinates: this.#serf?.coordinates?.stats,
      queues: this.#serf?.queues ?? NO_QUEUES,
      ltimes: this.#serf?.ltimes ?? NO_LTIMES,
    }
  }

  /** Binds, announces ourselves and begins to listen. Idempotent; `join` does it by itself.
   *  @throws TransportError where the address cannot be bound, StorageError where a file of ours cannot be used: nothing is left open, and
   *  `start` may be tried again */
  start(): Promise<void> {
    return this.#lifecycle.start()
  }

  /** Asks every seed once, all in parallel, ourselves left out, and resolves with who answered, also when nobody did: the first
   *  member of a cluster has nobody to find. Then the seeds are asked again in the background as long as they are needed: while
   *  nobody is known, at first after a second, then ever less often; among others while none of them is a member that answers,
   *  about once a minute, since the cluster may be split. The latest join that did not reject is the one that is kept up.
   *  @throws OptionsError, TransportError, ClosedError; JoinError where `required`; the signal's reason where it is aborted */
  async join(seeds: Seeds, options: JoinOptions = {}): Promise<JoinResult> {
    checkSeeds(seeds, this.#options.allowedCidrs)
    checkObject('options', options)
    checkKeys(options, ['signal', 'required', 'ignoreOldEvents'])
    // A copy: what is asked, now and later, is what was given and checked.
    const given = typeof seeds === 'function' ? seeds : [...seeds]
    const { signal, required = false, ignoreOldEvents = false } = options
    checkBoolean('required', required)
    checkBoolean('ignoreOldEvents', ignoreOldEvents)
    checkSignal(signal)
    signal?.throwIfAborted()
    await this.start()
    signal?.throwIfAborted()
    if (this.status !== 'running') throw new ClosedError('closed while it joined')
    return (this.#joining as Joining).join(given, { signal, required, ignoreOldEvents })
  }

  /** Replaces our tags: texts, also where `validateTags` makes something else of them, which must fit. Resolves when the cluster has been
   *  told, or at once where there is nobody to tell.
   *  @throws OptionsError, SizeError, what `validateTags` throws: nothing is changed. TimeoutError: the change stands, but was told too
   *  slowly. TransportError: a start under way failed; they stand for the next one. ClosedError */
  async setTags(tags: RawTags): Promise<void> {
    checkTags(tags)
    metaOf(tags)
    checkOwnTags(this.#options.validateTags, tags)
    const copy = Object.freeze({ ...tags })
    this.#lifecycle.throwIfOver()
    if (this.#serf === undefined) {
      this.#tags = copy
      const { starting } = this.#lifecycle
      if (starting === undefined) return
      await starting
    }
    await this.#tellings.until('the new tags are set', (serf, now) => serf.setTags(copy, now))
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
    this.#lifecycle.throwIfOver()
    if (name === this.#running().local.name) throw new OptionsError('name', name, 'is our own: use leave()')
    const what = `${name} is declared to have left`
    await this.#tellings.until(what, (serf, now) => serf.forceLeave(name, prune, now))
  }

  /** Tells all members of an event, ourselves too: each delivers it once, as `user-event`, and so does who joins soon. Returns at once, and
   *  nothing says who has heard of it: ask by a query where that matters.
   *  @param payload bytes and texts go as they are; anything else as MessagePack, which `unpack()` of the event reads. Default none
   *  @throws OptionsError, SizeError where it takes more than `userEventSizeLimit`, ClosedError: nothing is sent */
  sendEvent(name: string, payload?: Payload, options: SendEventOptions = {}): void {
    this.#lifecycle.throwIfOver()
    this.#running()
    sendEvent(this.#driver, name, payload, options)
  }

  /** Asks all members, or those that the filters mean, ourselves too: each gets a `query` event, and may answer it once. The answers are read
   *  from what is returned, as they come or all together, until everybody who was meant has answered, or the time is up.
   *  @param payload bytes and texts go as they are; anything else as MessagePack, which `unpack()` of the event reads. Default none
   *  @throws OptionsError, SizeError where it takes more than `querySizeLimit`, QueryError where too many are open, ClosedError, the reason of a
   *  signal that is aborted: nothing is asked */
  query(name: string, payload?: Payload, options: QueryOptions = {}): Query {
    this.#lifecycle.throwIfOver()
    this.#running()
    return this.#querying.ask(name, payload, options)
  }

  /** Pings a member, whatever its state, over UDP, and gives the round trip in milliseconds. Nobody else is asked, and nothing follows
   *  from it. Asked again while one is under way, it gives the answer of that one.
   *  @throws OptionsError for a name that no member bears, or is ours. TimeoutError: no answer came within `probeTimeoutMs`, which begin anew
   *  once where our own event loop stood still; or it stood still again. TransportError: the ping could not be sent. ClosedError */
  async ping(name: string): Promise<number> {
    if (this.status === 'idle') this.#running()
    return this.#pinging.ping(name)
  }

  /** Where a member is on the network, by default ourselves: the distance between two coordinates is their round trip. `undefined` of a
   *  member that has not answered a probe of ours yet, or tells no coordinates; of all where `coordinates` is false. Frozen. @throws OptionsError */
  coordinate(name?: string): Coordinate | undefined {
    if (name !== undefined) checkName('name', name)
    return this.#serf?.coordinates?.of(name ?? this.#serf.local.name)
  }

  /** The round trip between two members in milliseconds, the second by default ourselves, as their coordinates tell it: no packet is sent.
   *  `undefined` where the coordinate of one is not known. @throws OptionsError */
  rtt(one: string, other?: string): number | undefined {
    checkName('one', one)
    if (other !== undefined) checkName('other', other)
    return this.#serf?.coordinates?.rttMs(one, other ?? this.#serf.local.name)
  }

  /** What led to what we hold of a member, or of ourselves, also of one that is in the list no more: who did not answer whom, who accused
   *  and confirmed, what was denied. `String(...)` of it is for a person. @throws OptionsError, ClosedError before the start */
  explain(name: string): Explanation {
    checkName('name', name)
    return explain(this.#running(), name, this.#driver.now())
  }

  /** The member list as a stream: a `view` first, then one item a change. Ends when the instance closes or the signal is aborted.
   *  @throws OptionsError */
  changes(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<Change<Tags>> {
    checkObject('options', options)
    checkKeys(options, ['signal'])
    const { signal } = options
    checkSignal(signal)
    return this.#streams.open(signal, this.status === 'closed')
  }

  /** Says goodbye, waits until it is told, closes. Idempotent. Never rejects for want of peers: they then see us fail, not leave.
   *  @param options.timeoutMs limit of the goodbye, and of waiting for a start under way, 0 to a day; default what its stages take at most: twice `broadcastTimeoutMs` and `leavePropagateDelayMs`, 11 s
   *  @throws OptionsError */
  async leave(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    checkObject('options', options)
    checkKeys(options, ['timeoutMs'])
    const { timeoutMs } = options
    if (timeoutMs !== undefined) checkNumber('timeoutMs', timeoutMs, { least: 0, most: MAX_LEAVE_MS })
    return this.#lifecycle.leave(timeoutMs)
  }

  /** Stops at once, without goodbye: others will find us dead. Resolves when no socket and no timer is left. Idempotent. */
  close(): Promise<void> {
    return this.#lifecycle.close({ type: 'closed', reason: 'closed' })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  /** @throws ClosedError before the start */
  #running(): Serf {
    if (this.#serf === undefined) throw new ClosedError('not started yet: await start() or join() first')
    return this.#serf
  }

  async #begin(): Promise<void> {
    const { serf, joining, rejoining, warnings } = await prepare({
      options: this.#options,
      host: this.#host,
      driver: this.#driver,
      sealing: this.#sealing,
      random: this.#random,
      lifecycle: this.#lifecycle,
      tags: () => this.#tags,
    })
    this.#lifecycle.throwIfClosing()
    this.#serf = serf
    this.#joining = joining
    this.#lifecycle.running()
    this.#driver.run(serf)
    for (const { code, message } of warnings) this.#driver.warn(code, message)
    rejoining?.begin()
  }

  /** Everyone as of now: what waits to be told is in it, and must not come after it. */
  #view(): readonly Member<Tags>[] {
    this.#driver.tellNews()
    return this.members()
  }

  /** @throws ClosedError; OptionsError where plain bytes are taken or sent: every member would refuse */
  #throwUnlessKeys(): void {
    this.#running()
    const { keyring, verifyIncoming, verifyOutgoing } = this.#sealing
    if (keyring === undefined || (verifyIncoming && verifyOutgoing)) return
    const option = verifyOutgoing ? 'verifyIncoming' : 'verifyOutgoing'
    throw new OptionsError(
      option,
      false,
      'must be true where keys are to be told or changed: anybody could ask, or hear them',
    )
  }

  #letGo(): void {
    this.#tellings.close()
    this.#pinging.close()
    this.#querying.close()
    this.#keyQuestions.close()
    this.#joining?.close()
    this.#streams.end()
  }

  #notified(notice: DriverNotice): void {
    switch (notice.type) {
      case 'exchange-done':
        this.#joining?.exchangeDone(notice.id, notice.error)
        return
      case 'pinged':
        this.#pinging.pinged(notice.id, notice.end)
        return
      case 'told':
        this.#tellings.told(notice.ticket)
        return
      case 'key-answers':
        this.#keyQuestions.answered(notice)
        return
      case 'departed':
        this.#lifecycle.departed()
        return
      case 'failed':
        void this.#lifecycle.close({ type: 'closed', reason: 'failed', error: notice.error })
        return
      case 'user-event':
        this.#emit(userEventOf(notice))
        return
      case 'query':
        this.#emit(this.#querying.eventOf(notice.query))
        return
      case 'query-ack':
      case 'query-response':
      case 'query-done':
        this.#querying.told(notice)
        return
      case 'conflict-lost':
        void this.#lifecycle.close({ type: 'closed', reason: 'conflict' })
        return
      case 'conflict':
      case 'warning':
        this.#emit(notice)
        return
      default:
        if ('member' in notice) this.#changed(notice)
    }
  }

  #changed({ type, member, previous }: MemberNotice): void {
    if (type === 'member-join') this.#joining?.met()
    // Which tags there are is ours to know: `validateTags` gives them.
    const event = Object.freeze(
      previous === undefined ? { type, member } : { type, member, previous },
    ) as MemberEvent<Tags>
    this.#streams.push(event)
    this.#emit(event)
  }

  #emit(event: MembershipEvent<Tags>): void {
    // The pairing of type and payload holds by the union, which `emit`'s signature cannot see.
    const emit = this.emit as (type: MembershipEvent['type'], event: MembershipEvent<Tags>) => boolean
    emit.call(this, event.type, Object.freeze(event))
  }
}

/** 32 bits of the host's entropy: the seed of all dice of this instance. */
function seedOf(host: Host): number {
  const bytes = new Uint8Array(4)
  host.entropy(bytes)
  return bytes.reduce((seed, byte) => ((seed << 8) | byte) >>> 0, 0)
}
