// Serf machines on an ideal network, for the tests of this folder: messages travel as decoded objects, at once and in order, and
// time passes only in `run`. Addresses that no machine stands behind are ghosts: they ack pings and say nothing else,
// so that a test can speak for them. Not a test.
import assert from 'node:assert/strict'
import { utf8 } from '../../../src/base/bytes.ts'
import { Random } from '../../../src/base/random.ts'
import type { Member } from '../../../src/serf/members.ts'
import type { SerfNotice } from '../../../src/serf/notices.ts'
import { resolveSerfOptions, type SerfOptions } from '../../../src/serf/options.ts'
import { Serf, type SerfSetup } from '../../../src/serf/serf.ts'
import { resolveSwimOptions, type SwimOptions } from '../../../src/swim/options.ts'
import type { Effect } from '../../../src/swim/outbox.ts'
import { Address } from '../../../src/wire/address.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { decodePacketMessage, encodeSwimMessage, StreamMessageReader } from '../../../src/wire/swim-messages.ts'
import { encodeTags } from '../../../src/wire/tags.ts'
import type {
  Alive,
  PacketMessage,
  PushPull,
  PushPullMember,
  SerfEventSlot,
  SerfMessage,
  StreamMessage,
  Uint64,
} from '../../../src/wire/types.ts'
import { WireState } from '../../../src/wire/types.ts'

export const VSN: Uint8Array = Uint8Array.of(1, 5, 2, 2, 5, 5)
const MAX_ROUNDS = 1000

export function addressOf(number: number): Address {
  return new Address(Uint8Array.of(10, 0, 0, number), 7946)
}

/** An alive claim of ghost `number`, whose name is `ghost-<number>`. */
export function alive(number: number, incarnation = 1, more: Partial<Alive> = {}): Alive {
  const { ip: addr, port } = addressOf(number)
  const meta = encodeTags({})
  return { type: 'alive', node: `ghost-${number}`, incarnation, addr, port, meta, vsn: VSN, ...more }
}

export function suspect(number: number, incarnation = 1, from = 'ghost-99'): PacketMessage {
  return { type: 'suspect', node: `ghost-${number}`, incarnation, from }
}

export function dead(number: number, incarnation = 1, from = 'ghost-99'): PacketMessage {
  return { type: 'dead', node: `ghost-${number}`, incarnation, from }
}

/** A goodbye: a verdict about itself. */
export function goodbye(number: number, incarnation = 1): PacketMessage {
  return dead(number, incarnation, `ghost-${number}`)
}

export function leaveIntent(node: string, ltime: Uint64, prune = false): SerfMessage {
  return { type: 'leave', ltime, node, prune }
}

export function joinIntent(node: string, ltime: Uint64): SerfMessage {
  return { type: 'join', ltime, node }
}

export interface ExchangeState {
  readonly ltime?: Uint64
  readonly statusLtimes?: Readonly<Record<string, Uint64>>
  readonly leftMembers?: readonly string[]
  readonly eventLtime?: Uint64
  readonly events?: readonly SerfEventSlot[]
  /** Claims that SWIM's part lists as alive. */
  readonly members?: readonly Alive[]
  /** In place of a Serf state. */
  readonly userState?: Uint8Array
}

/** Both parts of a full exchange as a peer sends them. */
export function exchange(state: ExchangeState): PushPull {
  const { ltime = 1, statusLtimes = {}, leftMembers = [], eventLtime = 1, events = [], members = [] } = state
  const userState = encodeSerfMessage({
    type: 'push-pull',
    ltime,
    statusLtimes: new Map(Object.entries(statusLtimes)),
    leftMembers,
    eventLtime,
    events,
    queryLtime: 1,
  })
  const listed = members.map(({ node, addr, port, meta, incarnation, vsn }): PushPullMember => {
    return { name: node, addr, port, meta, incarnation, state: WireState.alive, vsn }
  })
  return { type: 'push-pull', join: false, members: listed, userState: state.userState ?? userState }
}

/** One machine, and all it told. */
export class Station {
  readonly serf: Serf
  readonly address: Address
  readonly notices: SerfNotice[] = []

  constructor(serf: Serf, address: Address) {
    this.serf = serf
    this.address = address
  }

  /** Notices since the last call. */
  told(): SerfNotice[] {
    return this.notices.splice(0)
  }

  /** `<type> <name>` of each notice about a member since the last call, or just the type of the others. */
  toldInShort(): string[] {
    return this.told().map((notice) => ('member' in notice ? `${notice.type} ${notice.member.name}` : notice.type))
  }

  stateOf(name: string): Member['state'] | undefined {
    return this.serf.member(name)?.state
  }
}

export interface Sent {
  readonly from: string
  readonly to: string
  readonly message: PacketMessage
}

export interface StationOptions extends Partial<SwimOptions>, Partial<SerfOptions> {
  readonly tags?: Readonly<Record<string, string>>
  /** Whatever else a machine is given. */
  readonly setup?: Partial<SerfSetup>
}

export class Mesh {
  /** Every message of every packet, in order. */
  readonly sent: Sent[] = []
  /** Effects that opened streams to ghosts. */
  readonly requests: Extract<Effect<SerfNotice>, { kind: 'request' }>[] = []
  /** Streams to ghosts fail at once, instead of never ending. */
  refuses = false
  /** Names of machines that neither hear nor answer, and of ghosts that do not ack. */
  readonly silent: Set<string> = new Set()
  readonly #random: Random
  readonly #stations = new Map<string, Station>()
  #now = 1000
  #lastRequest = 0
  #asking: { replies: Uint8Array[] } | undefined

  constructor(seed = 1) {
    this.#random = new Random(seed)
  }

  get now(): number {
    return this.#now
  }

  /** Starts a machine at 10.0.0.<number>. */
  add(name: string, number: number, options: StationOptions = {}): Station {
    const { tags = {}, setup = {}, ...knobs } = options
    const address = addressOf(number)
    const serf = new Serf({
      name,
      address,
      tags,
      // Periodic exchanges are off: a test says itself who tells whom.
      swim: resolveSwimOptions('lan', { pushPullIntervalMs: 0, verdictChecks: false, ...knobs }),
      serf: resolveSerfOptions(knobs),
      packetOverheadBytes: 5,
      random: this.#random.fork(),
      ...setup,
    })
    const station = new Station(serf, address)
    this.#stations.set(address.key, station)
    serf.start(this.#now)
    this.#settle()
    return station
  }

  /** Hands SWIM messages to a machine, all in one packet. */
  feed(to: Station, ...messages: PacketMessage[]): void {
    const received = messages.map((message) => ({ message, bytes: encodeSwimMessage(message) }))
    to.serf.receivePacket(received, addressOf(99), this.#now)
    this.#settle()
  }

  /** Hands Serf messages to a machine, each in a user message. */
  tell(to: Station, ...messages: (SerfMessage | Uint8Array)[]): void {
    const payloads = messages.map((message) => (message instanceof Uint8Array ? message : encodeSerfMessage(message)))
    this.feed(to, ...payloads.map((payload): PacketMessage => ({ type: 'user', payload })))
  }

  /** A peer begins a full exchange with a machine; gives what the machine answers. */
  exchange(to: Station, state: ExchangeState): PushPull {
    const asking = { replies: [] as Uint8Array[] }
    this.#asking = asking
    to.serf.receiveRequest(++this.#lastRequest, exchange(state), addressOf(99), this.#now)
    this.#settle()
    this.#asking = undefined
    assert.equal(asking.replies.length, 1, 'an exchange has one answer')
    return readStream(asking.replies[0] as Uint8Array) as PushPull
  }

  /** One machine joins another by a full exchange, and says so. */
  join(newcomer: Station, to: Station, ignoreOldEvents = false): void {
    newcomer.serf.contact(to.address, ignoreOldEvents)
    this.#settle()
    newcomer.serf.announceJoin(this.#now)
    this.#settle()
  }

  /** Calls a machine and lets what follows happen. */
  call<Result>(station: Station, call: (serf: Serf, now: number) => Result): Result {
    const result = call(station.serf, this.#now)
    this.#settle()
    return result
  }

  run(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const next = Math.min(...[...this.#stations.values()].map(({ serf }) => serf.nextDeadline() ?? end + 1))
      if (next > end) break
      this.#now = Math.max(next, this.#now)
      for (const { serf } of this.#stations.values()) serf.advance(this.#now)
      this.#settle()
    }
    this.#now = end
  }

  /** Serf messages that a machine has gossiped since the last call of `forgetSent`, in order, with repeats. */
  gossiped(from: string): SerfMessage[] {
    return this.sent
      .filter((one) => one.from === from && one.message.type === 'user')
      .map(({ message }) => decodeSerfMessage((message as Extract<PacketMessage, { type: 'user' }>).payload))
  }

  forgetSent(): void {
    this.sent.length = 0
  }

  #settle(): void {
    for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
      let isQuiet = true
      for (const station of this.#stations.values()) {
        for (const effect of station.serf.take()) {
          isQuiet = false
          this.#carry(station, effect)
        }
      }
      if (isQuiet) return
    }
    throw new Error('the mesh does not come to rest')
  }

  #carry(from: Station, effect: Effect<SerfNotice>): void {
    switch (effect.kind) {
      case 'notify':
        from.notices.push(effect.notice)
        return
      case 'packet':
        this.#deliver(from, effect.to, effect.parts)
        return
      case 'reply':
        this.#asking?.replies.push(effect.body)
        return
      case 'request':
        this.#request(from, effect)
    }
  }

  #deliver(from: Station, to: Address, parts: readonly Uint8Array[]): void {
    const received = parts.map((bytes) => ({ message: decodePacketMessage(bytes), bytes }))
    const target = this.#stations.get(to.key)
    const toName = target?.serf.local.name ?? `ghost-${to.ip[3]}`
    for (const { message } of received) this.sent.push({ from: from.serf.local.name, to: toName, message })
    if (this.silent.has(toName) || this.silent.has(from.serf.local.name)) return
    if (target !== undefined) {
      target.serf.receivePacket(received, from.address, this.#now)
      return
    }
    for (const { message } of received) {
      if (message.type !== 'ping') continue
      const ack: PacketMessage = { type: 'ack', seqNo: message.seqNo, payload: null }
      from.serf.receivePacket([{ message: ack, bytes: encodeSwimMessage(ack) }], to, this.#now)
    }
  }

  #request(from: Station, effect: Extract<Effect<SerfNotice>, { kind: 'request' }>): void {
    const target = this.#stations.get(effect.to.key)
    if (target === undefined || this.silent.has(target.serf.local.name)) {
      this.requests.push(effect)
      if (this.refuses) from.serf.requestFailed(effect.id, 'refused', this.#now)
      return
    }
    const asking = { replies: [] as Uint8Array[] }
    const outer = this.#asking
    this.#asking = asking
    target.serf.receiveRequest(++this.#lastRequest, readStream(effect.body), from.address, this.#now)
    for (const effect of target.serf.take()) this.#carry(target, effect)
    this.#asking = outer
    const [reply] = asking.replies
    if (reply === undefined) from.serf.requestFailed(effect.id, 'no answer', this.#now)
    else from.serf.receiveReply(effect.id, readStream(reply), this.#now)
  }
}

/** The Serf part of a full exchange. */
export function serfStateOf({
  userState,
}: PushPull): Extract<SerfMessage, { type: 'push-pull'; leftMembers: unknown }> {
  const message = decodeSerfMessage(userState)
  assert.equal(message.type, 'push-pull')
  return message as Extract<SerfMessage, { type: 'push-pull'; leftMembers: unknown }>
}

/** Bytes that are no Serf message. */
export const NONSENSE: Uint8Array = utf8('nonsense')

function readStream(body: Uint8Array): StreamMessage {
  const message = new StreamMessageReader().read(body, body.length, body.length)
  assert.ok(message !== undefined, 'a body is one whole message')
  return message
}
