// The switchboard of SWIM: what comes in goes to the file that decides. No arithmetic and no rules here.
//
//   ping, indirect-ping ─► relays.ts        ack, nack ─► failure-detector.ts, relays.ts
//   alive, suspect, dead ─► claims.ts       push-pull ─► push-pull.ts         user ─► the delegate
//   probe-* ─► failure-detector.ts   relay-timeout ─► relays.ts   suspicion ─► claims.ts   gossip, push-pull ─► their files
//
// Four kinds of method: getters, `receive…` for what the network brings, commands, and `advance` for time. All answer through the outbox.
import { unreachable } from '../base/assert.ts'
import { textOf, utf8 } from '../base/bytes.ts'
import { Deadlines } from '../base/deadlines.ts'
import { printable } from '../base/printable.ts'
import type { Random } from '../base/random.ts'
import type { Address } from '../wire/address.ts'
import type { Cidr } from '../wire/cidr.ts'
import { PART_OVERHEAD_BYTES } from '../wire/compound.ts'
import type { Ack, PacketMessage, StreamMessage } from '../wire/types.ts'
import { Awareness } from './awareness.ts'
import {
  announceLeave,
  announceSelf,
  applyAlive,
  applySuspect,
  concludeSuspicion,
  extendSuspicions,
  newRecord,
} from './claims.ts'
import type { SwimDelegate } from './delegate.ts'
import { beginPing, pingAcked, pingSendFailed, pingsStalled, pingTimeout } from './direct-pings.ts'
import { DisseminationQueue } from './dissemination-queue.ts'
import {
  probeAcked,
  probeEnd,
  probeNacked,
  probeSendFailed,
  probeStalled,
  probeStreamAcked,
  probeStreamFailed,
  probeTick,
  probeTimeout,
} from './failure-detector.ts'
import { pushPullIntervalMs } from './formulas.ts'
import { gossipTick } from './gossip.ts'
import { sendLastPing } from './last-ping.ts'
import { isPresent, type MemberRecord } from './member.ts'
import { MemberTable } from './member-table.ts'
import { mergeDue } from './merge.ts'
import type { SwimOptions } from './options.ts'
import { OurState } from './our-state.ts'
import type { EffectSink } from './outbox.ts'
import { packetRoom, sendUser } from './piggyback.ts'
import { answerPushPull, answerStreamPing, completePushPull, pushPullTick, requestPushPull } from './push-pull.ts'
import { answerPing, beginRelay, isForUs, postponeRelays, relayAck, relayTimeout } from './relays.ts'
import type { SwimDue, SwimState } from './state.ts'
import { Trail } from './trail.ts'
import { checkAcked, checkEnd, heedVerdict, postponeChecks } from './verdict-checks.ts'

/** A decoded message, and its own bytes as they came; those of a claim are ours to keep. */
export interface Received {
  readonly message: PacketMessage
  readonly bytes: Uint8Array
}

export interface SwimSetup {
  readonly options: SwimOptions
  readonly name: string
  /** Where others reach us. */
  readonly address: Address
  /** Our six version bytes. */
  readonly vsn: Uint8Array
  /** See `SwimState`. */
  readonly packetOverheadBytes: number
  /** See `SwimState`. */
  readonly allowedCidrs?: readonly Cidr[] | undefined
  readonly random: Random
  readonly delegate: SwimDelegate
  readonly outbox: EffectSink
  /** The number to announce ourselves above: that of an earlier life. Default 0. */
  readonly incarnation?: number | undefined
}

/** Broadcasts waiting at once, each about another name. Only a cluster of this size, or a stranger inventing one, comes near. */
const MAX_QUEUED_CLAIMS = 65_536

/** SWIM with Lifeguard for one member. Deterministic: the same calls give the same effects. */
export class Swim {
  readonly #state: SwimState

  constructor(setup: SwimSetup) {
    const { options, name, address, vsn, packetOverheadBytes, allowedCidrs, random, delegate, outbox } = setup
    const self = newRecord(name, address, 0)
    self.vsn = vsn
    self.incarnation = setup.incarnation ?? 0
    const largestBytes = packetRoom({ options, packetOverheadBytes }) - PART_OVERHEAD_BYTES
    const members = new MemberTable(random)
    const trail = new Trail({
      selfName: name,
      probeIntervalMs: options.probeIntervalMs,
      hasAnswered: (other) => members.get(other)?.hasAnswered === true,
    })
    this.#state = {
      options,
      packetOverheadBytes,
      allowedCidrs,
      random,
      delegate,
      outbox,
      self,
      deadlines: new Deadlines<SwimDue>(),
      members,
      queue: new DisseminationQueue(MAX_QUEUED_CLAIMS, largestBytes),
      awareness: new Awareness(options.awarenessMaxMultiplier),
      relays: new Map(),
      pings: new Map(),
      checks: new Map(),
      trail,
      requests: new Map(),
      merges: [],
      ourState: new OurState(),
      probe: undefined,
      probeTickMissed: false,
      reminders: { since: Number.NEGATIVE_INFINITY, count: 0 },
      gossip: { at: undefined, isAwaited: false },
      creditAbove: 0,
      seqNo: 0,
      requestId: 0,
      isLeaving: false,
    }
  }

  /** Our own record. */
  get self(): MemberRecord {
    return this.#state.self
  }

  /** Local health (Lifeguard §IV-A): 0 is healthy. */
  get health(): number {
    return this.#state.awareness.score
  }

  /** Members in the table, all states, ourselves included. */
  get size(): number {
    return this.#state.members.size
  }

  /** Members alive or accused, ourselves included. */
  get presentCount(): number {
    return this.#state.members.all().reduce((count, member) => count + (isPresent(member) ? 1 : 0), 0)
  }

  /** Time between two rounds of gossip; 0 where there are none. */
  get gossipIntervalMs(): number {
    return this.#state.options.gossipIntervalMs
  }

  /** Claims still to be told. */
  get queued(): number {
    return this.#state.queue.size
  }

  /** Claims dropped untold because too many were waiting, since the start. */
  get pruned(): number {
    return this.#state.queue.pruned
  }

  /** The longest broadcast a packet can hold; a longer one would wait for ever. */
  get largestBroadcastBytes(): number {
    return packetRoom(this.#state) - PART_OVERHEAD_BYTES
  }

  member(name: string): MemberRecord | undefined {
    return this.#state.members.get(name)
  }

  /** True if there is anyone to tell. */
  hasPeers(): boolean {
    const { members, self } = this.#state
    return members.all().some((member) => member !== self && isPresent(member))
  }

  /** When `advance` is next needed. */
  nextDeadline(): number | undefined {
    return this.#state.deadlines.next()
  }

  /** Others are to do something by a time: to answer us, or to deny. All else that comes due are rounds of our own. */
  get isAwaiting(): boolean {
    const { deadlines, gossip, merges, options } = this.#state
    const probing = 1
    const exchanging = options.pushPullIntervalMs > 0 ? 1 : 0
    const gossiping = gossip.isAwaited ? 1 : 0
    const merging = merges.length > 0 ? 1 : 0
    return deadlines.size > probing + exchanging + gossiping + merging
  }

  /** Tickets of our own claims that have been told, since the last call. */
  takeTold(): readonly number[] {
    return this.#state.queue.takeFinished()
  }

  /** To be called at the end of every transition, also where only the layer above has something to tell: rounds of gossip are held only while
   *  there is something to tell and somebody to tell it, at the times of a round that never ends; what comes at such a time waits for the
   *  next. memberlist wakes for every round, and sends the same. */
  settle(now: number): void {
    const { gossip, options, delegate, queue, members } = this.#state
    if (gossip.isAwaited || gossip.at === undefined || members.size < 2) return
    if (queue.size === 0 && delegate.broadcastsWaiting(PART_OVERHEAD_BYTES).allBytes === 0) return
    gossip.isAwaited = true
    if (gossip.at <= now) gossip.at = nextTick(gossip.at, options.gossipIntervalMs, now)
    this.#tick('gossip', gossip.at)
  }

  /** Announces ourselves and begins to probe, gossip and exchange, each at a random phase. */
  start(meta: Uint8Array, now: number): void {
    const { options, random, gossip } = this.#state
    announceSelf(this.#state, meta, now)
    this.#tick('probe-tick', now + options.probeIntervalMs * (1 + random.fraction()))
    if (options.gossipIntervalMs > 0) gossip.at = now + options.gossipIntervalMs * (1 + random.fraction())
    if (options.pushPullIntervalMs > 0) this.#tick('push-pull', now + options.pushPullIntervalMs * random.fraction())
  }

  /** What led to verdicts. */
  get trail(): Trail {
    return this.#state.trail
  }

  /** Pings `name` at an address; the delegate hears of the end under `id`. */
  ping(name: string, address: Address, id: number, now: number): void {
    beginPing(this.#state, name, address, id, now)
  }

  /** Replaces our metadata; `ticket` is reported by `takeTold` when it has been told. */
  setMeta(meta: Uint8Array, now: number, ticket?: number): void {
    announceSelf(this.#state, meta, now, ticket)
  }

  /** Begins a full exchange with an address; the delegate hears of its end under the number returned. */
  pushPull(to: Address, join: boolean): number {
    return requestPushPull(this.#state, to, join)
  }

  /** Sends bytes of the layer above to one address, alone and without a checksum, as memberlist does. Not out of the allowed ranges. */
  sendUser(to: Address, payload: Uint8Array): void {
    sendUser(this.#state, to, payload)
  }

  /** Says goodbye; `ticket` is reported when it has been told. We answer and gossip on until closed. */
  leave(now: number, ticket: number): void {
    announceLeave(this.#state, now, ticket)
  }

  /** All messages of one datagram. Pings go last: what the packet says of us is then refuted with the ack. */
  receivePacket(received: readonly Received[], from: Address, now: number): void {
    let questions = 0
    for (const one of received) {
      if (isQuestion(one.message)) questions++
      else this.#receiveMessage(one, from, now)
    }
    if (questions === 0) return
    // Differs: memberlist answers every ping of a packet, so one packet can make it send hundreds to whatever address it says.
    // No member puts more than one into a packet.
    const asked = new Set<PacketMessage['type']>()
    for (const one of received) {
      const { type } = one.message
      if (!isQuestion(one.message)) continue
      if (asked.has(type)) this.#state.delegate.warn('ping-limit', `more than one ${type} in a packet of ${from.key}`)
      else this.#receiveMessage(one, from, now)
      asked.add(type)
    }
  }

  /** The message of a stream they opened; what we answer is a `reply` with `id`, or nothing. */
  receiveRequest(id: number, message: StreamMessage, from: Address, now: number): void {
    switch (message.type) {
      case 'ping':
        if (isForUs(this.#state, message)) answerStreamPing(this.#state, id, message.seqNo)
        return
      case 'push-pull':
        answerPushPull(this.#state, id, message, from, now)
        return
      case 'user':
        this.#state.delegate.userMessage(message.payload, from, now)
        return
      case 'ack':
      case 'error':
        return // an answer where a request belongs
      default:
        unreachable(message)
    }
  }

  /** The answer on a stream we opened. */
  receiveReply(id: number, message: StreamMessage, now: number): void {
    const request = this.#state.requests.get(id)
    if (request === undefined) return
    this.#state.requests.delete(id)
    if (request.purpose === 'probe') {
      const isAnswer = message.type === 'ack' && message.seqNo === request.seqNo
      if (isAnswer) probeStreamAcked(this.#state, request.seqNo, now)
      else probeStreamFailed(this.#state, request.seqNo, describe(message), now)
      return
    }
    if (message.type === 'push-pull') completePushPull(this.#state, id, request, message, now)
    else this.#state.delegate.exchangeDone(id, describe(message), now)
  }

  /** A stream we opened came to nothing. */
  requestFailed(id: number, error: string, now: number): void {
    const request = this.#state.requests.get(id)
    if (request === undefined) return
    this.#state.requests.delete(id)
    if (request.purpose === 'push-pull') this.#state.delegate.exchangeDone(id, error, now)
    else probeStreamFailed(this.#state, request.seqNo, error, now)
  }

  /** A packet could not be sent; `isRemote` where the network said so. */
  sendFailed(to: Address, isRemote: boolean, now: number): void {
    probeSendFailed(this.#state, to, isRemote, now)
    pingSendFailed(this.#state, to, isRemote)
  }

  /** We were not there for `lengthMs`: what waits for others waits so much longer, and longer than a probe timeout it is a sign of
   *  bad health. Differs: memberlist holds the time in which it was stopped against whoever it was waiting for. */
  stalled(lengthMs: number, now: number): void {
    const { options, awareness, delegate, trail } = this.#state
    probeStalled(this.#state, lengthMs)
    pingsStalled(this.#state, now)
    postponeRelays(this.#state, lengthMs)
    postponeChecks(this.#state, lengthMs)
    extendSuspicions(this.#state, lengthMs, now)
    if (lengthMs > options.probeTimeoutMs) awareness.apply(1)
    if (lengthMs > options.probeTimeoutMs / 4) trail.stalled(lengthMs, awareness.score, now)
    if (lengthMs <= options.probeTimeoutMs) return
    delegate.warn('stall', `the event loop stood still for ${Math.round(lengthMs)} ms`)
  }

  /** Does what has come due, in order of time. */
  advance(now: number): void {
    for (let next = this.#state.deadlines.popDue(now); next; next = this.#state.deadlines.popDue(now)) {
      this.#due(next.due, next.at, now)
    }
  }

  #receiveMessage({ message, bytes }: Received, from: Address, now: number): void {
    const state = this.#state
    switch (message.type) {
      case 'ping':
        answerPing(state, message, from)
        return
      case 'indirect-ping':
        beginRelay(state, message, from, now)
        return
      case 'ack':
        takeAck(state, message, from, now)
        return
      case 'nack':
        probeNacked(state, message.seqNo, from, now)
        return
      case 'alive':
        applyAlive(state, message, now, { received: bytes, from })
        return
      case 'suspect':
        applySuspect(state, message, now, { received: bytes, from })
        return
      case 'dead':
        heedVerdict(state, message, now, { received: bytes, from })
        return
      case 'user':
        state.delegate.userMessage(message.payload, from, now)
        return
      default:
        unreachable(message)
    }
  }

  #due(due: SwimDue, at: number, now: number): void {
    const state = this.#state
    const { options } = state
    switch (due.kind) {
      case 'probe-tick':
        this.#tick(due.kind, nextTick(at, options.probeIntervalMs, now))
        probeTick(state, now)
        return
      case 'probe-timeout':
        probeTimeout(state, due.seqNo, at, now)
        return
      case 'probe-end':
        probeEnd(state, due.seqNo, now)
        return
      case 'ping-timeout':
        pingTimeout(state, due.seqNo)
        return
      case 'relay-timeout':
        relayTimeout(state, due.seqNo)
        return
      case 'suspicion':
        concludeSuspicion(state, due.name, now)
        return
      case 'last-ping':
        sendLastPing(state, due.name, now)
        return
      case 'verdict-check':
        checkEnd(state, due.name, now)
        return
      case 'gossip':
        state.gossip.isAwaited = false
        state.gossip.at = nextTick(at, options.gossipIntervalMs, now)
        gossipTick(state, now)
        return
      case 'push-pull':
        this.#tick(due.kind, now + pushPullIntervalMs(options.pushPullIntervalMs, state.members.size))
        pushPullTick(state)
        return
      case 'merge':
        mergeDue(state, now)
        return
      default:
        unreachable(due)
    }
  }

  #tick(kind: 'probe-tick' | 'gossip' | 'push-pull', at: number): void {
    this.#state.deadlines.set(kind, at, { kind })
  }
}

/** Gives an ack to whoever asked; one that nobody asked for goes to nobody. */
function takeAck(state: SwimState, ack: Ack, from: Address, now: number): void {
  const { seqNo } = ack
  if (probeAcked(state, ack, from, now) || pingAcked(state, seqNo, now) || checkAcked(state, seqNo, now)) return
  relayAck(state, seqNo)
}

function isQuestion(message: PacketMessage): boolean {
  return message.type === 'ping' || message.type === 'indirect-ping'
}

/** Ticks keep their phase; those that were missed are not made up for. */
function nextTick(at: number, intervalMs: number, now: number): number {
  const next = at + intervalMs
  return next > now ? next : now + intervalMs - ((now - at) % intervalMs)
}

/** A wrong answer, in words; what a peer wrote is cut short, and copied: a slice would keep the whole of it in memory. */
function describe(message: StreamMessage): string {
  if (message.type !== 'error') return `answered with ${message.type}`
  return `the other side says: ${printable(textOf(utf8(message.error.slice(0, 200))) ?? '')}`
}
