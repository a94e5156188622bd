// One SWIM machine on the bench, and several of them in a loop: a delegate that writes down what it hears, a seeded
// stream of chance, messages fed as objects and read back as objects. No sockets and no timers; time is a number.
import assert from 'node:assert/strict'
import { NO_BYTES, utf8 } from '../../../src/base/bytes.ts'
import { Random } from '../../../src/base/random.ts'
import type { Slices } from '../../../src/base/slices.ts'
import type { BroadcastsWaiting, PingEnd, SwimDelegate, SwimWarning } from '../../../src/swim/delegate.ts'
import { isPresent, type MemberRecord } from '../../../src/swim/member.ts'
import { resolveSwimOptions, type SwimOptions } from '../../../src/swim/options.ts'
import { type Effect, Outbox } from '../../../src/swim/outbox.ts'
import { Swim } from '../../../src/swim/swim.ts'
import { Address } from '../../../src/wire/address.ts'
import { parseCidr } from '../../../src/wire/cidr.ts'
import { decodePacketMessage, encodeSwimMessage, StreamMessageReader } from '../../../src/wire/swim-messages.ts'
import type {
  Alive,
  Dead,
  IndirectPing,
  PacketMessage,
  Ping,
  PushPull,
  PushPullMember,
  StreamMessage,
  Suspect,
  WireState,
} from '../../../src/wire/types.ts'

export const VERSIONS: Uint8Array = Uint8Array.of(1, 5, 2, 2, 5, 5)

/** Where `m<number>` lives. */
export function at(number: number, port = 7946): Address {
  return new Address(Uint8Array.of(10, 0, number >> 8, number & 0xff), port)
}

function homeOf(name: string): Address {
  return at(Number(name.slice(1)))
}

export function alive(node: string, incarnation: number, more: Partial<Alive> = {}): Alive {
  const { ip, port } = homeOf(node)
  return { type: 'alive', node, incarnation, addr: ip, port, meta: NO_BYTES, vsn: VERSIONS, ...more }
}

export function suspect(node: string, incarnation: number, from = 'm9'): Suspect {
  return { type: 'suspect', node, incarnation, from }
}

export function dead(node: string, incarnation: number, from = 'm9'): Dead {
  return { type: 'dead', node, incarnation, from }
}

/** A goodbye. */
export function left(node: string, incarnation: number): Dead {
  return dead(node, incarnation, node)
}

export function ping(node: string, seqNo: number, more: Partial<Ping> = {}): Ping {
  return { type: 'ping', seqNo, node, sourceAddr: null, sourcePort: 0, sourceNode: '', ...more }
}

export function indirectPing(node: string, seqNo: number, more: Partial<IndirectPing> = {}): IndirectPing {
  const { ip, port } = homeOf(node)
  const source = { sourceAddr: null, sourcePort: 0, sourceNode: '' }
  return { type: 'indirect-ping', seqNo, node, target: ip, port, nack: true, ...source, ...more }
}

/** Who asks, where it lives: for a ping or an indirect ping of `m<number>`. */
export function source(name: string): Pick<Ping, 'sourceAddr' | 'sourcePort' | 'sourceNode'> {
  const { ip, port } = homeOf(name)
  return { sourceAddr: ip, sourcePort: port, sourceNode: name }
}

/** One line of a push/pull. */
export function row(
  name: string,
  state: (typeof WireState)[keyof typeof WireState] | number,
  incarnation: number,
  more: Partial<PushPullMember> = {},
): PushPullMember {
  const { ip, port } = homeOf(name)
  return { name, addr: ip, port, meta: NO_BYTES, incarnation, state, vsn: VERSIONS, ...more }
}

export function pushPull(members: readonly PushPullMember[], more: Partial<PushPull> = {}): PushPull {
  return { type: 'push-pull', join: false, members, userState: NO_BYTES, ...more }
}

/** The message of a stream's bytes. */
export function decodeStream(body: Uint8Array): StreamMessage {
  const message = new StreamMessageReader().read(body, body.length, body.length)
  assert.ok(message, 'the stream holds a whole message')
  return message
}

/** Writes down what SWIM tells, one line a call. */
export class Recorder implements SwimDelegate {
  /** `joined m2`, `gone m2 dead`, ... in order. */
  readonly told: string[] = []
  readonly warnings: { readonly code: SwimWarning; readonly message: string }[] = []
  readonly pings: { readonly name: string; readonly rttMs: number; readonly payload: Uint8Array | null }[] = []
  /** Who answered a probe, in order. */
  readonly answered: string[] = []
  /** Pings that were asked for, and are over. */
  readonly pingsDone: ({ readonly id: number } & PingEnd)[] = []
  readonly exchanges: { readonly id: number; readonly error: string | undefined }[] = []
  readonly userMessages: Uint8Array[] = []
  readonly merged: { readonly state: Uint8Array; readonly join: boolean }[] = []
  /** What the layer above has to tell. */
  broadcasts: Uint8Array[] = []
  /** The same, but each is told once. */
  once: Uint8Array[] = []
  /** Names that the layer above does not want, and those it was asked about. */
  readonly unwanted = new Set<string>()
  readonly asked: string[] = []
  /** Arguments of every draw that counts. */
  readonly draws: { readonly overheadBytes: number; readonly budgetBytes: number; readonly maxParts: number }[] = []
  payload: Uint8Array | null = null
  state: Uint8Array = NO_BYTES

  memberJoined(member: MemberRecord): void {
    this.told.push(`joined ${member.name}`)
  }

  memberGone(member: MemberRecord): void {
    this.told.push(`gone ${member.name} ${member.status}`)
  }

  memberSuspected(member: MemberRecord): void {
    this.told.push(`suspected ${member.name}`)
  }

  memberRecovered(member: MemberRecord): void {
    this.told.push(`recovered ${member.name}`)
  }

  memberUpdated(member: MemberRecord): void {
    this.told.push(`updated ${member.name}`)
  }

  memberLeftAfterAll(member: MemberRecord): void {
    this.told.push(`left after all ${member.name}`)
  }

  accepts({ node }: Alive): boolean {
    this.asked.push(node)
    return !this.unwanted.has(node)
  }

  nameConflict(existing: MemberRecord, claimed: Address): void {
    this.told.push(`conflict ${existing.name} ${claimed.key}`)
  }

  userMessage(bytes: Uint8Array): void {
    this.userMessages.push(bytes)
  }

  broadcastsWaiting(overheadBytes: number): BroadcastsWaiting {
    const sizes = [...this.broadcasts, ...this.once].map((bytes) => bytes.length + overheadBytes)
    return { nextBytes: sizes[0] ?? 0, allBytes: sizes.reduce((sum, size) => sum + size, 0) }
  }

  drawBroadcasts(
    overheadBytes: number,
    budgetBytes: number,
    maxParts: number,
    isCounted: boolean,
  ): readonly Uint8Array[] {
    if (isCounted) this.draws.push({ overheadBytes, budgetBytes, maxParts })
    const drawn: Uint8Array[] = []
    let free = budgetBytes
    for (const bytes of [...this.broadcasts, ...this.once]) {
      if (drawn.length === maxParts || bytes.length + overheadBytes > free) break
      free -= bytes.length + overheadBytes
      drawn.push(bytes)
    }
    if (isCounted) this.once.splice(0, drawn.length - this.broadcasts.length)
    return drawn
  }

  localState(): Uint8Array {
    return this.state
  }

  // biome-ignore lint/correctness/useYield: the interface wants slices, and so little is done in one, without a pause
  *mergeRemoteState(state: Uint8Array, join: boolean): Slices {
    this.merged.push({ state, join })
  }

  ackPayload(): Uint8Array | null {
    return this.payload
  }

  memberAnswered(member: MemberRecord): void {
    this.answered.push(member.name)
  }

  pingCompleted(member: MemberRecord, rttMs: number, payload: Uint8Array | null): void {
    this.pings.push({ name: member.name, rttMs, payload })
  }

  pinged(id: number, end: PingEnd): void {
    this.pingsDone.push({ id, ...end })
  }

  exchangeDone(id: number, error: string | undefined): void {
    this.exchanges.push({ id, error })
  }

  warn(code: SwimWarning, message: string): void {
    this.warnings.push({ code, message })
  }

  /** The lines since the last call. */
  take(): string[] {
    return this.told.splice(0)
  }

  codes(): SwimWarning[] {
    return this.warnings.map(({ code }) => code)
  }
}

/** A packet that was sent, read. */
export interface Sent {
  readonly to: Address
  readonly messages: readonly PacketMessage[]
  readonly parts: readonly Uint8Array[]
  readonly crc: boolean
}

export interface BenchSetup extends Partial<SwimOptions> {
  readonly seed?: number
  readonly name?: string
  readonly packetOverheadBytes?: number
  readonly meta?: Uint8Array
  readonly vsn?: Uint8Array
  readonly allowedCidrs?: readonly string[]
}

const STRANGER = at(999)

/** Settles after each transition, as the layer above does. */
class SettledSwim extends Swim {
  override start(...given: Parameters<Swim['start']>): void {
    super.start(...given)
    this.settle(given[1])
  }

  override setMeta(...given: Parameters<Swim['setMeta']>): void {
    super.setMeta(...given)
    this.settle(given[1])
  }

  override leave(...given: Parameters<Swim['leave']>): void {
    super.leave(...given)
    this.settle(given[0])
  }

  override receivePacket(...given: Parameters<Swim['receivePacket']>): void {
    super.receivePacket(...given)
    this.settle(given[2])
  }

  override receiveRequest(...given: Parameters<Swim['receiveRequest']>): void {
    super.receiveRequest(...given)
    this.settle(given[3])
  }

  override receiveReply(...given: Parameters<Swim['receiveReply']>): void {
    super.receiveReply(...given)
    this.settle(given[2])
  }

  override advance(...given: Parameters<Swim['advance']>): void {
    super.advance(...given)
    this.settle(given[0])
  }
}

/** `m1` on the bench, started at 0. Without gossip, exchanges, checks of verdicts and last pings, unless a test asks for them. */
export class Bench {
  readonly delegate = new Recorder()
  readonly outbox = new Outbox<never>()
  readonly options: SwimOptions
  readonly swim: Swim
  now = 0

  constructor(setup: BenchSetup = {}) {
    const { seed = 1, name = 'm1', packetOverheadBytes = 0, meta = NO_BYTES, vsn = VERSIONS, ...others } = setup
    const { allowedCidrs: ranges, ...knobs } = others
    const allowedCidrs = ranges?.map((text) => parseCidr(text) ?? assert.fail(text))
    const quiet = { gossipIntervalMs: 0, pushPullIntervalMs: 0, verdictChecks: false, lastPings: false }
    this.options = resolveSwimOptions('lan', { ...quiet, ...knobs })
    const { options, delegate, outbox } = this
    const random = new Random(seed)
    const address = homeOf(name)
    const seams = { random, delegate, outbox }
    this.swim = new SettledSwim({ options, name, address, vsn, packetOverheadBytes, allowedCidrs, ...seams })
    this.swim.start(meta, 0)
    this.delegate.take()
  }

  /** One datagram. */
  receive(...messages: PacketMessage[]): void {
    this.receiveFrom(STRANGER, ...messages)
  }

  receiveFrom(from: Address, ...messages: PacketMessage[]): void {
    const received = messages.map((message) => ({ message, bytes: encodeSwimMessage(message) }))
    this.swim.receivePacket(received, from, this.now)
  }

  /** Makes `m2` to `m<last>` known at incarnation 1, and forgets the noise of it. */
  know(last: number): void {
    for (let number = 2; number <= last; number++) this.receive(alive(`m${number}`, 1))
    this.hush()
  }

  status(name: string): string | undefined {
    return this.swim.member(name)?.status
  }

  incarnation(name: string): number | undefined {
    return this.swim.member(name)?.incarnation
  }

  /** All effects since the last call. */
  effects(): readonly Effect<never>[] {
    return this.outbox.take()
  }

  /** The packets among them. */
  packets(): Sent[] {
    return this.effects().flatMap((effect) => (effect.kind === 'packet' ? [readPacket(effect)] : []))
  }

  /** What rides on the ack to a member: the broadcasts that are queued, as far as one packet holds them. Counts as one
   *  transmit. Fails where nobody is present, for an answer to a stranger carries nothing. */
  spread(): PacketMessage[] {
    this.outbox.take()
    const { name, address } = this.#anyPeer()
    this.receive(ping('', 1, { sourceAddr: address.ip, sourcePort: address.port, sourceNode: name }))
    const [sent, ...others] = this.packets()
    assert.ok(sent !== undefined && others.length === 0, 'a ping is answered by one packet')
    assert.equal(sent.messages[0]?.type, 'ack')
    return sent.messages.slice(1)
  }

  /** A member to whom an answer carries gossip. */
  #anyPeer(): MemberRecord {
    for (let number = 1; number <= 99; number++) {
      const member = this.swim.member(`m${number}`)
      if (member !== undefined && member !== this.swim.self && isPresent(member)) return member
    }
    assert.fail('nobody is here to be told')
  }

  /** Tells all that is queued to a member, and forgets what was sent and told. */
  hush(): void {
    for (let transmits = 0; this.swim.queued > 0; transmits++) {
      assert.ok(transmits < 1000, 'what is told comes to an end')
      this.spread()
    }
    this.outbox.take()
    this.delegate.take()
  }

  /** Lets time pass, deadline by deadline. */
  advanceTo(now: number): void {
    for (let next = this.swim.nextDeadline(); next !== undefined && next <= now; next = this.swim.nextDeadline()) {
      this.step()
    }
    this.now = now
  }

  /** To the next deadline and through it. */
  step(): void {
    const next = this.swim.nextDeadline()
    assert.ok(next !== undefined, 'something is to come due')
    this.now = Math.max(this.now, next)
    this.swim.advance(this.now)
  }

  /** Lets time pass until a probe begins; gives its ping. */
  untilProbe(): Sent & { readonly seqNo: number } {
    for (let steps = 0; steps < 1000; steps++) {
      this.step()
      const sent = this.packets().find(({ messages }) => messages[0]?.type === 'ping')
      const first = sent?.messages[0]
      if (sent !== undefined && first?.type === 'ping') return { ...sent, seqNo: first.seqNo }
    }
    assert.fail('no probe began')
  }

  ack(seqNo: number, payload: Uint8Array | null = null): void {
    this.receive({ type: 'ack', seqNo, payload })
  }
}

function readPacket(effect: Effect<never> & { kind: 'packet' }): Sent {
  return { ...effect, messages: effect.parts.map(decodePacketMessage) }
}

/** Several benches whose packets and streams reach each other at once, unless `cut` says otherwise. */
export class Mesh {
  readonly benches = new Map<string, Bench>()
  /** True for what is lost. A stream's message is asked about once, when it is opened. */
  cut: (from: string, to: string, kind: 'packet' | 'stream') => boolean = () => false
  now = 0
  readonly #byAddress = new Map<string, Bench>()

  add(name: string, setup: BenchSetup = {}): Bench {
    const seed = Number(name.slice(1))
    const bench = new Bench({ gossipIntervalMs: 200, pushPullIntervalMs: 30_000, seed, name, ...setup })
    this.benches.set(name, bench)
    this.#byAddress.set(bench.swim.self.address.key, bench)
    return bench
  }

  /** `from` joins by `to`. */
  join(from: string, to: string): void {
    this.bench(from).swim.pushPull(this.bench(to).swim.self.address, true)
    this.#deliver()
  }

  bench(name: string): Bench {
    const bench = this.benches.get(name)
    assert.ok(bench, name)
    return bench
  }

  run(until: number): void {
    for (;;) {
      const benches = [...this.benches.values()]
      const next = Math.min(...benches.map(({ swim }) => swim.nextDeadline() ?? Number.POSITIVE_INFINITY))
      if (next > until) break
      this.now = next
      for (const bench of benches) bench.now = next
      for (const bench of benches) bench.swim.advance(next)
      this.#deliver()
    }
    this.now = until
    for (const bench of this.benches.values()) bench.now = until
  }

  /** Takes all outboxes until nothing moves. */
  #deliver(): void {
    for (let moved = true; moved; ) {
      moved = false
      for (const [name, bench] of this.benches) {
        for (const effect of bench.effects()) {
          moved = true
          if (effect.kind === 'packet') this.#packet(name, bench, readPacket(effect))
          else if (effect.kind === 'request') this.#stream(name, bench, effect)
          else assert.fail(`a stray ${effect.kind}`)
        }
      }
    }
  }

  #packet(from: string, sender: Bench, { to, messages }: Sent): void {
    const bench = this.#byAddress.get(to.key)
    if (bench === undefined || this.cut(from, bench.swim.self.name, 'packet')) return
    bench.receiveFrom(sender.swim.self.address, ...messages)
  }

  #stream(from: string, sender: Bench, request: Effect<never> & { kind: 'request' }): void {
    const bench = this.#byAddress.get(request.to.key)
    if (bench === undefined || this.cut(from, bench.swim.self.name, 'stream')) {
      sender.swim.requestFailed(request.id, 'refused', this.now)
      return
    }
    const held = bench.effects()
    const id = 1_000_000 + request.id
    bench.swim.receiveRequest(id, decodeStream(request.body), sender.swim.self.address, this.now)
    for (const effect of [...held, ...bench.effects()]) {
      if (effect.kind !== 'reply') bench.outbox.push(effect)
      else sender.swim.receiveReply(request.id, decodeStream(effect.body), this.now)
    }
  }
}

/** The metadata that stands for `text`. */
export function metaOf(text: string): Uint8Array {
  return utf8(text)
}

/** A machine that knows the ghosts up to `last`. */
export function bench(last = 5, setup: BenchSetup = {}): Bench {
  const made = new Bench(setup)
  made.know(last)
  return made
}

/** Whom a ping is for. */
export function named(sent: Sent): string {
  const [first] = sent.messages
  assert.ok(first?.type === 'ping')
  return first.node
}
