// The switchboard of Serf, above SWIM's: the same verbs, the same outbox, one more table of deadlines. No rules here.
//
//   packets, streams ─► swim/swim.ts ─► swim-delegate.ts ─► intents.ts, push-pull.ts
//   departure ─► departure.ts     reap ─► reaper.ts     prune ─► prune.ts     goodbye, return ─► overdue.ts     reconnect ─► reconnect.ts
//   coalesced ─► news.ts     queue-check ─► broadcasts.ts     tickets told ─► departure.ts, or a notice
import { assert, unreachable } from '../base/assert.ts'
import { Deadlines } from '../base/deadlines.ts'
import { SizeError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { SwimOptions } from '../swim/options.ts'
import { type Effect, Outbox } from '../swim/outbox.ts'
import { type Received, Swim } from '../swim/swim.ts'
import type { Trail } from '../swim/trail.ts'
import type { Address } from '../wire/address.ts'
import type { Cidr } from '../wire/cidr.ts'
import type { Keyring } from '../wire/keyring.ts'
import { MAX_META_BYTES } from '../wire/limits.ts'
import { encodeTags } from '../wire/tags.ts'
import type { StreamMessage } from '../wire/types.ts'
import { Acceptance } from './acceptance.ts'
import { askByNotices, defaultTimeoutMs, type QueryRequest } from './asking.ts'
import { type BroadcastDepths, Broadcasts } from './broadcasts.ts'
import { Coalescing } from './coalesce.ts'
import { cancelQuery, postponeQueries, queryDue } from './collecting.ts'
import { conflictVoteDue } from './conflict-vote.ts'
import { Coordinates } from './coordinates.ts'
import { beginDeparture, departureDue, departureTold } from './departure.ts'
import { UserEvents } from './event-state.ts'
import { announceJoin, forceLeave } from './intents.ts'
import { askKeys } from './key-asking.ts'
import { keysStored } from './key-manager.ts'
import type { KeyOperation } from './key-state.ts'
import { LamportClock } from './lamport-clock.ts'
import { type AnyMember, type ReadTags, SerfMembers } from './members.ts'
import { newsDue, settleNews, tellNews } from './news.ts'
import type { ReceivedQuery, SerfNotice, SnapshotNotice } from './notices.ts'
import type { SerfOptions } from './options.ts'
import { goodbyeDue, returnDue } from './overdue.ts'
import { pruneDue } from './prune.ts'
import { newQueries } from './query-state.ts'
import { reap } from './reaper.ts'
import { RecentIntents } from './recent-intents.ts'
import { reconnectDue, reconnectSoon, startReconnecting } from './reconnect.ts'
import {
  endSnapshot,
  restoreClocks,
  settleSnapshot,
  snapshotDue,
  snapshotFailed,
  snapshotForget,
  startSnapshot,
} from './recording.ts'
import { respond } from './responding.ts'
import { Snapshot, type SnapshotSetup } from './snapshot.ts'
import { checkDepths } from './spread.ts'
import { nextTicket, type SerfDue, type SerfState, warn } from './state.ts'
import { SerfDelegate } from './swim-delegate.ts'
import { sendEvent } from './user-events.ts'

/** memberlist 1 to 5, speaking 2; Serf 2 to 5, speaking 5: what a current agent says (wire-protocol §2, §5). */
const VERSIONS: Uint8Array = Uint8Array.of(1, 5, 2, 2, 5, 5)

export interface SerfSetup {
  readonly name: string
  /** Where others reach us. */
  readonly address: Address
  readonly tags: Readonly<Record<string, string>>
  readonly swim: SwimOptions
  readonly serf: SerfOptions
  /** Bytes of a datagram that are not ours to fill: label, encryption, checksum. */
  readonly packetOverheadBytes: number
  /** Where members may live; absent: anywhere. */
  readonly allowedCidrs?: readonly Cidr[] | undefined
  /** The user's veto over whoever comes in, moves or changes its tags: true takes the member. Must not throw. */
  readonly accept?: ((member: AnyMember) => boolean) | undefined
  /** The user's word on how long one that is gone stays in the list, in place of `defaultMs`. Must not throw. */
  readonly reconnectTimeoutFor?: ((member: AnyMember, defaultMs: number) => number) | undefined
  /** What a host sees as a member's tags. Absent: the tags as they came. */
  readonly readTags?: ReadTags | undefined
  /** What outlives us, as we found it; absent: nothing is to be written. */
  readonly snapshot?: SnapshotSetup | undefined
  /** The very keyring that the driver seals with; absent: nothing is encrypted. */
  readonly keyring?: Keyring | undefined
  /** Plain bytes are taken, or sent, though there is a keyring: keys are neither told nor changed. */
  readonly isStaged?: boolean
  /** The keys are kept in a file too: it is to be rewritten before they change. */
  readonly keepsKeys?: boolean
  /** Deliver no user event that the first exchange tells us of; see `UserEvents`. */
  readonly ignoreOldEvents?: boolean | undefined
  readonly random: Random
}

/** Serf for one member. Deterministic: the same calls give the same effects. */
export class Serf {
  readonly #state: SerfState
  #tags: Readonly<Record<string, string>>

  /** @throws SizeError where the tags do not fit */
  constructor(setup: SerfSetup) {
    const { name, address, random, packetOverheadBytes, readTags } = setup
    metaOf(setup.tags)
    this.#tags = setup.tags
    const snapshot = setup.snapshot && new Snapshot(setup.snapshot, name)
    const coalescing = new Coalescing(setup.serf)
    const outbox = new Outbox<SerfNotice>(
      (notice) => snapshot?.note(notice),
      (notice) => coalescing.holds(notice),
    )
    const acceptance = setup.accept && new Acceptance(setup.accept, readTags)
    const delegate = new SerfDelegate(() => this.#state, setup.swim.retransmitMult, acceptance)
    const swim = new Swim({
      options: setup.swim,
      name,
      address,
      vsn: VERSIONS,
      packetOverheadBytes,
      allowedCidrs: setup.allowedCidrs,
      random,
      delegate,
      outbox,
      incarnation: snapshot?.incarnation,
    })
    this.#state = {
      name,
      options: setup.serf,
      swim,
      random,
      outbox,
      deadlines: new Deadlines<SerfDue>(),
      members: new SerfMembers(name, readTags),
      coordinates: setup.serf.coordinates ? new Coordinates(name, random) : undefined,
      clock: new LamportClock(),
      broadcasts: new Broadcasts(setup.serf, swim.largestBroadcastBytes),
      coalescing,
      events: new UserEvents(setup.ignoreOldEvents),
      queries: newQueries(),
      recentIntents: new RecentIntents(),
      reconnect: { exchange: undefined, pauseMs: 0 },
      reconnectTimeoutFor: setup.reconnectTimeoutFor,
      keys: {
        keyring: setup.keyring,
        isStaged: setup.keyring !== undefined && (setup.isStaged ?? false),
        hasFile: setup.keepsKeys ?? false,
        waiting: [],
        isWriting: false,
      },
      snapshot,
      departure: undefined,
      isVoting: false,
      lastTicket: 0,
      prunedTold: 0,
    }
    restoreClocks(this.#state)
  }

  /** Ourselves. */
  get local(): AnyMember {
    return this.#state.members.view(this.#state.name) as AnyMember
  }

  /** Where others reach us. */
  get address(): Address {
    return this.#state.swim.self.address
  }

  /** Lifeguard's local health: 0 is healthy. */
  get health(): number {
    return this.#state.swim.health
  }

  /** Where members are on the network; absent where that is off. */
  get coordinates(): Coordinates | undefined {
    return this.#state.coordinates
  }

  /** What led to verdicts. */
  get trail(): Trail {
    return this.#state.swim.trail
  }

  /** Broadcasts still to be told. */
  get queued(): number {
    return this.#state.swim.queued + this.#state.broadcasts.size
  }

  /** The same by what they are; `claims` are SWIM's. */
  get queues(): BroadcastDepths & { readonly claims: number } {
    return { claims: this.#state.swim.queued, ...this.#state.broadcasts.depths }
  }

  /** The Lamport times that our next messages will carry. */
  get ltimes(): { readonly members: number; readonly events: number; readonly queries: number } {
    const { clock, events, queries } = this.#state
    return { members: clock.time, events: events.clock.time, queries: queries.clock.time }
  }

  /** The Lamport time our next user event will carry. */
  get sendsEventsAt(): number {
    return this.#state.events.clock.time
  }

  /** Members of every state, ourselves included. */
  get size(): number {
    return this.#state.members.size
  }

  member(name: string): AnyMember | undefined {
    return this.#state.members.view(name)
  }

  members(): readonly AnyMember[] {
    return this.#state.members.views()
  }

  /** True if anyone else is there. */
  hasPeers(): boolean {
    return this.#state.swim.hasPeers()
  }

  /** When `advance` is next needed. */
  nextDeadline(): number | undefined {
    const ours = this.#state.deadlines.next()
    const theirs = this.#state.swim.nextDeadline()
    if (ours === undefined || theirs === undefined) return ours ?? theirs
    return Math.min(ours, theirs)
  }

  /** Others are to do something by a time, for which they are judged. */
  get isAwaiting(): boolean {
    return this.#state.swim.isAwaiting
  }

  /** All effects since the last call, in order. */
  take(): readonly Effect<SerfNotice>[] {
    return this.#state.outbox.take()
  }

  /** Announces ourselves and starts all schedules. */
  start(now: number): void {
    const { deadlines, options, swim } = this.#state
    swim.start(encodeTags(this.#tags), now)
    deadlines.set('reap', now + options.reapIntervalMs, { kind: 'reap' })
    deadlines.set('queue-check', now + options.queueCheckIntervalMs, { kind: 'queue-check' })
    startReconnecting(this.#state, now)
    startSnapshot(this.#state, now)
    this.#settle(now)
  }

  receivePacket(received: readonly Received[], from: Address, now: number): void {
    this.#state.swim.receivePacket(received, from, now)
    this.#settle(now)
  }

  receiveRequest(id: number, message: StreamMessage, from: Address, now: number): void {
    this.#state.swim.receiveRequest(id, message, from, now)
    this.#settle(now)
  }

  receiveReply(id: number, message: StreamMessage, now: number): void {
    this.#state.swim.receiveReply(id, message, now)
    this.#settle(now)
  }

  requestFailed(id: number, error: string, now: number): void {
    this.#state.swim.requestFailed(id, error, now)
    this.#settle(now)
  }

  sendFailed(to: Address, isRemote: boolean, now: number): void {
    this.#state.swim.sendFailed(to, isRemote, now)
    this.#settle(now)
  }

  /** Does what has come due. */
  advance(now: number): void {
    const { deadlines, swim } = this.#state
    swim.advance(now)
    for (let next = deadlines.popDue(now); next; next = deadlines.popDue(now)) this.#due(next.due, now)
    this.#settle(now)
  }

  /** Begins a full exchange with an address in order to join; its end is an `exchange-done` notice with the number returned.
   *  @param ignoreOldEvents deliver no user event that was sent before it */
  contact(to: Address, ignoreOldEvents = false): number {
    const id = this.#state.swim.pushPull(to, true)
    if (ignoreOldEvents) this.#state.events.ignoring.add(id)
    return id
  }

  /** Pings a member of the list, whatever its state; its end is a `pinged` notice with the number returned. `undefined` for a name that is
   *  not in the list. */
  ping(name: string, now: number): number | undefined {
    const record = this.#state.members.get(name)
    if (record === undefined) return undefined
    const id = nextTicket(this.#state)
    this.#state.swim.ping(name, record.swim.address, id, now)
    this.#settle(now)
    return id
  }

  /** We were not there for `lengthMs`, which end now: a stopped process, a blocked event loop. To be told before anything else. */
  stalled(lengthMs: number, now: number): void {
    this.#state.swim.stalled(lengthMs, now)
    postponeQueries(this.#state, lengthMs)
    this.#settle(now)
  }

  /** Tells the cluster we have just joined that we meant to. */
  announceJoin(now: number): void {
    announceJoin(this.#state)
    this.#settle(now)
  }

  /** Replaces our tags; a `told` notice with the number returned follows. @throws SizeError where they do not fit */
  setTags(tags: Readonly<Record<string, string>>, now: number): number {
    const meta = metaOf(tags)
    this.#tags = tags
    const ticket = nextTicket(this.#state)
    const { swim, outbox } = this.#state
    const isAlone = !swim.hasPeers()
    swim.setMeta(meta, now, isAlone ? undefined : ticket)
    if (isAlone) outbox.notify({ type: 'told', ticket })
    this.#settle(now)
    return ticket
  }

  /** Declares that a member has left, and erases it too where `isPruned`. One that lives denies it. A `told` notice with the number
   *  returned follows. @throws SizeError where the name fits no packet: nothing is changed */
  forceLeave(name: string, isPruned: boolean, now: number): number {
    assert(name !== this.#state.name, 'one leaves oneself by `leave`')
    const ticket = nextTicket(this.#state)
    forceLeave(this.#state, name, isPruned, ticket, now)
    this.#settle(now)
    return ticket
  }

  /** Asks every member about keys; a `key-answers` notice with the number returned follows. @throws SizeError, QueryError: nothing is asked */
  askKeys(operation: KeyOperation, payload: Uint8Array, relayFactor: number, now: number): number {
    const ticket = askKeys(this.#state, operation, payload, relayFactor, now)
    this.#settle(now)
    return ticket
  }

  /** The file that `store-keys` asked for is written, or could not be. */
  keysStored(error: string | undefined, now: number): void {
    keysStored(this.#state, error, now)
    this.#settle(now)
  }

  /** Sends a user event; delivered to ourselves too, by a notice. @throws SizeError: nothing is changed */
  sendEvent(name: string, payload: Uint8Array, coalesce: boolean, now: number): void {
    sendEvent(this.#state, name, payload, coalesce, now)
    this.#settle(now)
  }

  /** Asks the cluster. Answers come as `query-ack` and `query-response` notices with the number returned, and then one `query-done`.
   *  @throws SizeError, QueryError: nothing is asked */
  query(request: QueryRequest, now: number): number {
    const ltime = askByNotices(this.#state, request, now)
    this.#settle(now)
    return ltime
  }

  /** Takes no more answers to a query of ours; nothing is told of it. */
  cancelQuery(ltime: number): void {
    cancelQuery(this.#state, ltime)
  }

  /** How long a query lasts where it says nothing itself. */
  get defaultQueryTimeoutMs(): number {
    return defaultTimeoutMs(this.#state)
  }

  /** Answers a query. @throws QueryError, TimeoutError, SizeError: nothing is sent */
  respond(query: ReceivedQuery, payload: Uint8Array, now: number): void {
    respond(this.#state, query, payload, now)
    this.#settle(now)
  }

  /** Leaves with grace; a `departed` notice follows. */
  leave(now: number): void {
    beginDeparture(this.#state, now)
    this.#settle(now)
  }

  /** What was to be written could not be: it is tried anew, all of it. */
  snapshotFailed(now: number): void {
    snapshotFailed(this.#state, now)
    this.#settle(now)
  }

  /** True if news waits to be told together. */
  get isHoldingNews(): boolean {
    return this.#state.coalescing.isHolding
  }

  /** What waits is told now. */
  tellNews(): void {
    tellNews(this.#state)
  }

  /** What is to be written before we close. */
  lastSnapshot(): SnapshotNotice | undefined {
    return endSnapshot(this.#state)
  }

  #due(due: SerfDue, now: number): void {
    switch (due.kind) {
      case 'departure':
        departureDue(this.#state, now)
        return
      case 'reap':
        this.#state.deadlines.set('reap', now + this.#state.options.reapIntervalMs, due)
        reap(this.#state, now)
        return
      case 'prune':
        pruneDue(this.#state, due.name, now)
        return
      case 'goodbye':
        goodbyeDue(this.#state, due.name, due.since, now)
        return
      case 'return':
        returnDue(this.#state, due.name)
        return
      case 'reconnect':
        reconnectDue(this.#state, now)
        return
      case 'reconnect-soon':
        reconnectSoon(this.#state, now)
        return
      case 'conflict-vote':
        conflictVoteDue(this.#state, due.rival, now)
        return
      case 'query':
        queryDue(this.#state, due.ltime)
        return
      case 'coalesced':
        newsDue(this.#state, due.layer)
        return
      case 'queue-check':
        this.#state.deadlines.set('queue-check', now + this.#state.options.queueCheckIntervalMs, due)
        checkDepths(this.#state)
        return
      case 'snapshot':
        snapshotDue(this.#state, now)
        return
      case 'snapshot-forget':
        snapshotForget(this.#state, now)
        return
      default:
        unreachable(due)
    }
  }

  /** After every input: broadcasts that have been told go to whoever waits for them. */
  #settle(now: number): void {
    const { swim, broadcasts } = this.#state
    const [claims, others] = [swim.takeTold(), broadcasts.takeFinished()]
    this.#tellTold(claims, now)
    this.#tellTold(others, now)
    const pruned = swim.pruned + broadcasts.pruned
    if (pruned > this.#state.prunedTold) {
      this.#state.prunedTold = pruned
      const message = `${pruned} broadcasts were dropped untold so far: more is waiting than a queue holds`
      warn(this.#state, 'queue-full', message)
    }
    settleSnapshot(this.#state, now)
    settleNews(this.#state, now)
    swim.settle(now)
  }

  #tellTold(tickets: readonly number[], now: number): void {
    for (const ticket of tickets) {
      if (!departureTold(this.#state, ticket, now)) this.#state.outbox.notify({ type: 'told', ticket })
    }
  }
}

/** What others are told of us for these tags. @throws SizeError where they do not fit */
export function metaOf(tags: Readonly<Record<string, string>>): Uint8Array {
  const meta = encodeTags(tags)
  if (meta.length > MAX_META_BYTES) throw new SizeError('tags', meta.length, MAX_META_BYTES)
  return meta
}
