// A whole member under fire, on a host that does everything in one turn. After each input: nothing was thrown, the member stands by itself
// (alive, its incarnation never lower), queue and table keep their bounds, every packet it sent fits and can be read, and one packet
// made it send no more than its share. Now and then a peer asks whether it is there, and is answered at once.

import { Random } from '../../src/base/random.ts'
import { type Member, Membership, MembershipError, type Payload, type WarningEvent } from '../../src/index.ts'
import { MAX_RELAYS } from '../../src/serf/responding.ts'
import { MAX_PACKET_BYTES } from '../../src/wire/limits.ts'
import { decodePacket, encodePacket } from '../../src/wire/packet.ts'
import { encodeSwimMessage } from '../../src/wire/swim-messages.ts'
import { SerfType } from '../../src/wire/types.ts'
import { shapeOf } from './decoders.ts'
import { addressOf, FuzzHost, type FuzzStream, type SentPacket } from './host.ts'
import { PEER_NAME, VICTIM } from './hostile.ts'
import { type ClusterKind, formatInput, type Input, KEY, LABEL, OLD_KEY, SEALINGS } from './input.ts'
import { pick } from './mutate.ts'
import { asViolation, must, Violation } from './violation.ts'

const US = addressOf('10.0.0.1')
const PEER = addressOf('10.0.0.2')
const STRANGER = addressOf('10.9.0.9', 4000)
/** Streams left hanging at once, either way. */
const MAX_HANGING = 40
/** A question after so many inputs. */
const ASK_EVERY = 32
/** Both queues of the machine, full. */
const MAX_QUEUED = 65_536 + 4096
/** What one packet may make a member send at once: an ack, a ping for another, and one short packet for each message in it (a
 *  reminder to somebody accused, the ack of a ping that was made for another). */
const MAX_ANSWERS_BESIDE_MESSAGES = 2
/** What a query may make it send beside: an ack and an answer, each through relays too. */
const MAX_ANSWERS_TO_A_QUERY = 2 + 2 * MAX_RELAYS

/** Bytes to addresses of strangers beyond those that came: our ping for another says where we are and who, the request for it need not;
 *  and an ack carries our coordinate. */
const MAX_GAIN_BYTES = 160
/** The same for each query in the packet, and no small gain: an answer of a listener goes wherever the query says its asker is, as large as
 *  answers get (`queryResponseSizeLimit`, and what is around it). Serf does the same; docs/events.md warns of it. The listener here answers with
 *  what it was sent, so that a run reaches far less. Whoever asks who bears its own name is not known by it. */
const MAX_QUERY_GAIN_BYTES = 1100

/** What a run adds up. */
export interface FireTotals {
  packetsIn: number
  packetsOut: number
  bytesIn: number
  bytesOut: number
  /** The most packets that followed at once from one input. */
  mostAnswers: number
  /** The most bytes sent at once to addresses where no member is known, and of them the most beyond the bytes that came. */
  mostToStrangers: number
  mostGain: number
  questions: number
  warnings: Record<string, number>
}

export function noTotals(): FireTotals {
  return {
    packetsIn: 0,
    packetsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    mostAnswers: 0,
    mostToStrangers: 0,
    mostGain: 0,
    questions: 0,
    warnings: {},
  }
}

export class MemberUnderFire {
  readonly cluster: ClusterKind
  readonly membership: Membership
  readonly host: FuzzHost
  readonly totals: FireTotals
  readonly #warned = new Set<string>()
  readonly #hanging: FuzzStream[] = []
  #incarnation = 0
  #fed = 0
  #seqNo = 0

  private constructor(cluster: ClusterKind, seed: number, totals: FireTotals) {
    this.cluster = cluster
    this.totals = totals
    this.host = new FuzzHost(new Random(seed))
    const { label, keyring } = SEALINGS[cluster]
    this.membership = new Membership({
      name: VICTIM,
      bind: US.key,
      host: this.host,
      tags: { role: 'victim' },
      ...(keyring && { keyring: [KEY, OLD_KEY] }),
      ...(label.length > 0 && { label: LABEL }),
    })
    // Answers what it can, and itself asks now and then; see `feed`.
    this.membership.on('query', ({ name, unpack, respond }) => {
      if (name === 'silence') return
      try {
        respond(unpack() as Payload)
      } catch (error) {
        if (!(error instanceof MembershipError)) throw error
      }
    })
    this.membership.on('warning', (event: WarningEvent) =>
      this.#warned.add(`${event.code}: ${shapeOf({ name: '', message: event.message })}`),
    )
  }

  /** A member that has started and has met its peer. */
  static async start(cluster: ClusterKind, seed: number, totals: FireTotals): Promise<MemberUnderFire> {
    const fire = new MemberUnderFire(cluster, seed, totals)
    await fire.membership.start()
    fire.#greet()
    return fire
  }

  get local(): Member {
    return this.membership.local
  }

  /** Warnings it told since the last call, without their figures. */
  takeWarned(): string[] {
    const warned = [...this.#warned].sort()
    this.#warned.clear()
    return warned
  }

  /** Feeds one input and checks everything. `random` chooses the moment, the sender and how a stream ends. @throws Violation */
  feed(input: Input, random: Random): void {
    try {
      this.host.run(random.below(64) === 0 ? random.below(3000) : random.below(16))
      this.#judge(this.#takeSent(), input, Number.POSITIVE_INFINITY)
      if (input.doorway === 'packet') this.#feedPacket(input, random)
      else if (input.doorway === 'stream') this.#feedStream(input, random)
      else if (input.doorway === 'answer') this.#feedAnswer(input, random)
      if (random.below(512) === 0) this.membership.query('load', 'now', { ack: true, relayFactor: random.below(4) })
      this.#checkState(input)
      if (++this.#fed % ASK_EVERY === 0) this.#ask(input)
    } catch (error) {
      throw asViolation(error, input)
    }
  }

  /** Ends it, and checks that nothing is left. @throws Violation */
  async close(): Promise<void> {
    const { warnings } = this.membership.stats()
    for (const [code, count] of Object.entries(warnings)) {
      this.totals.warnings[code] = (this.totals.warnings[code] ?? 0) + count
    }
    await this.membership.close()
    const left = [...this.#hanging, ...this.host.dialled].filter(({ isOpen }) => isOpen).length
    const last: Input = { doorway: 'packet', cluster: this.cluster, bytes: new Uint8Array(0) }
    must(this.host.timers === 0 && left === 0, `closed, and left ${this.host.timers} timers and ${left} streams`, last)
  }

  #feedPacket(input: Input, random: Random): void {
    this.totals.packetsIn++
    this.totals.bytesIn += input.bytes.length
    this.host.packet(input.bytes, pick([PEER, STRANGER], random))
    const sent = this.#takeSent()
    const { messages, queries } = contentsOf(input, this.cluster)
    this.#judge(sent, input, MAX_ANSWERS_BESIDE_MESSAGES + messages + queries * MAX_ANSWERS_TO_A_QUERY)
    if (sent.length > 0) this.#judgeGain(sent, input, MAX_GAIN_BYTES + queries * MAX_QUERY_GAIN_BYTES)
  }

  #feedStream(input: Input, random: Random): void {
    const stream = this.host.accept(pick([PEER, STRANGER], random))
    if (stream === undefined) return
    say(stream, input.bytes, random)
    if (random.below(6) === 0) this.#leaveHanging(stream)
    else stream.close(random.below(3) === 0 ? new Error('reset') : undefined)
    // An exchange may be about thousands, and each of them may be reminded.
    this.#judge(this.#takeSent(), input, Number.POSITIVE_INFINITY)
  }

  #feedAnswer(input: Input, random: Random): void {
    const stream = this.host.dialled.splice(random.below(Math.max(1, this.host.dialled.length)), 1)[0]
    if (stream === undefined) {
      // Nothing is asked: have it ask. The answer goes to whatever it dials next.
      this.membership.join([`10.9.${random.below(4)}.${random.below(256)}`]).catch(() => {})
      return
    }
    if (random.below(8) === 0) {
      stream.close(new Error('refused'))
    } else {
      stream.handlers?.opened?.()
      say(stream, input.bytes, random)
      if (random.below(4) === 0) this.#leaveHanging(stream)
      else stream.close()
    }
    while (this.host.dialled.length > MAX_HANGING) this.host.dialled.shift()?.close(new Error('timed out'))
    this.#judge(this.#takeSent(), input, Number.POSITIVE_INFINITY)
  }

  #leaveHanging(stream: FuzzStream): void {
    this.#hanging.push(stream)
    if (this.#hanging.length > MAX_HANGING) this.#hanging.shift()?.close()
  }

  #takeSent(): readonly SentPacket[] {
    const { sent } = this.host
    this.host.sent = []
    return sent
  }

  #judge(sent: readonly SentPacket[], input: Input, most: number): void {
    this.totals.packetsOut += sent.length
    if (most !== Number.POSITIVE_INFINITY) this.totals.mostAnswers = Math.max(this.totals.mostAnswers, sent.length)
    must(sent.length <= most, () => `one packet, ${sent.length} in answer, at most ${most}`, input)
    for (const { bytes } of sent) {
      this.totals.bytesOut += bytes.length
      must(bytes.length <= MAX_PACKET_BYTES, () => `sent a packet of ${bytes.length} bytes`, input)
      const problem = problemOf(bytes, this.cluster)
      must(
        problem === undefined,
        () => `sent what cannot be read: ${problem}: ${Buffer.from(bytes).toString('hex')}`,
        input,
      )
    }
  }

  /** Whoever forges an address makes us send there: hardly more than the forger had to send, but for answers to queries. */
  #judgeGain(sent: readonly SentPacket[], input: Input, most: number): void {
    const known = new Set(this.membership.members().map(({ address }) => address))
    let bytes = 0
    for (const packet of sent) if (!known.has(packet.to.key)) bytes += packet.bytes.length
    const gain = bytes - input.bytes.length
    this.totals.mostToStrangers = Math.max(this.totals.mostToStrangers, bytes)
    this.totals.mostGain = Math.max(this.totals.mostGain, gain)
    must(gain <= most, () => `${input.bytes.length} bytes came, ${bytes} went to strangers`, input)
  }

  #checkState(input: Input): void {
    const { local, membership } = this
    must(membership.status === 'running', () => `is ${membership.status}`, input)
    must(local.name === VICTIM && local.state === 'alive', () => `holds itself for ${local.state}`, input)
    must(
      local.incarnation >= this.#incarnation,
      () => `incarnation fell from ${this.#incarnation} to ${local.incarnation}`,
      input,
    )
    this.#incarnation = local.incarnation
    if (this.#fed % 16 !== 0) return
    const { queued, members, streamsOpen } = membership.stats()
    must(queued <= MAX_QUEUED, () => `${queued} broadcasts wait`, input)
    must(queued <= 2 * (members + 4096), () => `${queued} broadcasts about ${members} members`, input)
    must(streamsOpen <= 127 + 2 * MAX_HANGING + 64, () => `${streamsOpen} streams`, input)
  }

  /** A ping of the peer, answered in the same turn. */
  #ask(input: Input): void {
    const seqNo = ++this.#seqNo
    const source = { sourceAddr: PEER.ip, sourcePort: PEER.port, sourceNode: PEER_NAME }
    this.#send(encodeSwimMessage({ type: 'ping', seqNo, node: VICTIM, ...source }))
    const answered = this.#takeSent().some(({ bytes, to }) => {
      const { messages } = decodePacket(bytes, SEALINGS[this.cluster])
      return to.key === PEER.key && messages.some(({ message }) => message.type === 'ack' && message.seqNo === seqNo)
    })
    must(answered, () => `a ping was not answered after ${formatInput(input).slice(0, 40)}`, input)
    this.totals.questions++
  }

  /** The peer tells that it is there. */
  #greet(): void {
    const vsn = Uint8Array.of(1, 5, 2, 2, 5, 5)
    const about = { node: PEER_NAME, addr: PEER.ip, port: PEER.port, meta: new Uint8Array(0), vsn }
    this.#send(encodeSwimMessage({ type: 'alive', incarnation: 1, ...about }))
    if (this.membership.member(PEER_NAME) === undefined) throw new Error('the peer was not taken in')
    this.#takeSent()
  }

  #send(message: Uint8Array): void {
    const sealing = SEALINGS[this.cluster]
    const nonce = sealing.keyring && new Uint8Array(12).fill(this.#seqNo & 255)
    this.host.packet(encodePacket([message], { sealing, nonce, compress: false, crc: false }), PEER)
  }
}

/** Says the bytes in one to four pieces. */
function say(stream: FuzzStream, bytes: Uint8Array, random: Random): void {
  const step = Math.max(1, Math.ceil(bytes.length / (1 + random.below(4))))
  for (let at = 0; at < bytes.length; at += step) stream.handlers?.data(bytes.slice(at, at + step))
}

/** Messages of a packet, and how many of them are queries. */
function contentsOf({ bytes }: Input, cluster: ClusterKind): { readonly messages: number; readonly queries: number } {
  try {
    const { messages } = decodePacket(bytes, SEALINGS[cluster])
    const isQuery = ({ message }: (typeof messages)[number]): boolean =>
      message.type === 'user' && message.payload[0] === SerfType.query
    return { messages: messages.length, queries: messages.filter(isQuery).length }
  } catch {
    return { messages: 0, queries: 0 }
  }
}

function problemOf(bytes: Uint8Array, cluster: ClusterKind): string | undefined {
  try {
    return decodePacket(bytes, SEALINGS[cluster]).problems[0]?.message
  } catch (error) {
    if (error instanceof Violation) throw error
    return error instanceof Error ? error.message : String(error)
  }
}
