// A member in a process of its own with two healthy peers and somebody who keeps asking it, and the tools to attack it with over real
// sockets. Whatever is done to it: it stays alive for its peers, answers in time, and holds no more memory afterwards.
import assert from 'node:assert/strict'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { MembershipOptions } from '../../src/index.ts'
import type { Sealing } from '../../src/wire/packet.ts'
import { type Answers, ASK_TIMEOUT_MS, Asker, pingPacket, roundTrip } from '../fuzz/asker.ts'
import { targetOf } from '../fuzz/live.ts'
import type { LiveReport } from '../fuzz/live-member.ts'
import { LiveMember } from '../fuzz/live-process.ts'

export const VICTIM = 'victim'
const PEERS = ['peer-1', 'peer-2'] as const
/** Short enough that each attack meets some probes. */
const TIMING = { probeIntervalMs: 500, probeTimeoutMs: 450, gossipIntervalMs: 50 } as const
/** What an accepted stream may take here. */
export const STREAM_TIMEOUT_MS = 1000
/** Kept by a process beyond what it held before an attack: compiled code, buffers that are used again. */
const MAX_GROWTH_BYTES = 8 * 2 ** 20
/** What the system counts to the process, which gives memory back late: room for a stream of full size, unfolded, twice. */
const MAX_RESIDENT_GROWTH_BYTES = 200 * 2 ** 20
/** Datagrams that are sent before a pause, as bytes: less than a socket buffer holds. */
const BURST_BYTES = 20_000
const WARNING_INTERVAL_MS = 10_000
const AT_REST_WITHIN_MS = 10_000
/** Turns of the event loop, each shown by an answer, from the arrival of a stream's first bytes until they have been read; one to spare. */
const TURNS_TO_READ = 4

/** What an attack came to. */
export interface Outcome {
  readonly before: LiveReport
  readonly after: LiveReport
  readonly answers: Answers
  /** How often each warning came up during the attack, told or not. */
  readonly counted: (code: string) => number
}

export class Fortress {
  readonly host: string
  readonly port: number
  readonly #live: LiveMember
  readonly #peers: readonly LiveMember[]
  readonly #sealing: Sealing
  #nonces = 0

  private constructor(live: LiveMember, first: LiveReport, peers: readonly LiveMember[], sealing: Sealing) {
    const { host, port } = targetOf(first)
    this.host = host
    this.port = port
    this.#live = live
    this.#peers = peers
    this.#sealing = sealing
  }

  /** A member and two peers that have met it, a process each. */
  static async build(options: MembershipOptions, sealing: Sealing): Promise<Fortress> {
    const common = { ...options, ...TIMING, bind: '127.0.0.1:0', streamTimeoutMs: STREAM_TIMEOUT_MS }
    const { live, first } = await LiveMember.start({ ...common, name: VICTIM })
    const peers = await Promise.all(PEERS.map((name) => LiveMember.start({ ...common, name }, [first.address])))
    return new Fortress(
      live,
      first,
      peers.map((peer) => peer.live),
      sealing,
    )
  }

  async raze(): Promise<void> {
    for (const live of [...this.#peers, this.#live]) assert.equal(await live.stop(), 0, 'ended in good order')
  }

  /** Attacks, and checks all that must hold whatever the attack is. */
  async under(attack: () => Promise<void>): Promise<Outcome> {
    const before = await this.#live.report()
    const doubtsBefore = await this.#doubts()
    const asker = new Asker(this, VICTIM, this.#sealing, () => this.nonce())
    asker.start()
    const began = performance.now()
    await attack()
    const answers = await asker.stop()
    const after = await this.#atRest()
    const tookMs = performance.now() - began
    assert.deepEqual(after.thrown, [], 'nothing was thrown')
    assert.equal(after.state, 'alive')
    assert.deepEqual(await this.#doubts(), doubtsBefore, 'its peers never doubted it, nor it them')
    assert.ok(answers.asked > 0)
    assert.equal(answers.missed, 0, `of ${answers.asked} pings, within ${ASK_TIMEOUT_MS} ms`)
    const grown = after.heapBytes + after.outsideBytes - before.heapBytes - before.outsideBytes
    assert.ok(grown <= MAX_GROWTH_BYTES, `holds ${grown} bytes more`)
    const resident = after.residentBytes - before.residentBytes
    assert.ok(resident <= MAX_RESIDENT_GROWTH_BYTES, `${resident} bytes more are resident`)
    for (const [code, told] of Object.entries(after.told)) {
      const more = told - (before.told[code] ?? 0)
      assert.ok(more <= 1 + tookMs / WARNING_INTERVAL_MS, `${code} was told ${more} times in ${Math.round(tookMs)} ms`)
    }
    const counted = (code: string): number => (after.stats.warnings[code] ?? 0) - (before.stats.warnings[code] ?? 0)
    return { before, after, answers, counted }
  }

  nonce(): Uint8Array {
    const nonce = new Uint8Array(12)
    new DataView(nonce.buffer).setUint32(0, ++this.#nonces)
    return nonce
  }

  /** Sends datagrams no faster than they are read: after each burst a ping goes there and back. */
  async packets(all: readonly Uint8Array[]): Promise<void> {
    const udp: UdpSocket = createSocket('udp4')
    const send = (packet: Uint8Array): Promise<void> =>
      new Promise((resolve) => udp.send(packet, this.port, this.host, () => resolve()))
    let burst = 0
    for (const packet of all) {
      await send(packet)
      burst += packet.length + 500
      if (burst < BURST_BYTES) continue
      burst = 0
      await this.#roundTrip()
    }
    await this.#roundTrip()
    await new Promise<void>((resolve) => udp.close(resolve))
  }

  /** When it is over, the member has read what was sent before. */
  #roundTrip(): Promise<void> {
    return roundTrip(this, () => pingPacket(VICTIM, 1, this.#sealing, () => this.nonce()))
  }

  /** When it is over, the member has read what a stream brought before: it takes the stream in one turn, and reads it in one after that. */
  async hasRead(): Promise<void> {
    for (let turns = 0; turns < TURNS_TO_READ; turns++) await this.#roundTrip()
  }

  /** Opens a stream and hands it over; it is closed when the play is over. Gives what the member said until it ended the stream. */
  async stream(play: (socket: Socket) => Promise<void> | void): Promise<Uint8Array> {
    const socket = connect({ port: this.port, host: this.host, allowHalfOpen: true })
    socket.on('error', () => {})
    const heard: Buffer[] = []
    socket.on('data', (bytes: Buffer) => heard.push(bytes))
    const ended = new Promise<void>((resolve) => {
      socket.once('end', resolve)
      socket.once('close', () => resolve())
    })
    await new Promise<void>((resolve) => {
      socket.once('connect', resolve)
      socket.once('close', () => resolve())
    })
    await play(socket)
    await ended
    socket.destroy()
    return new Uint8Array(Buffer.concat(heard))
  }

  /** What the three came to think of each other since they started. */
  async #doubts(): Promise<readonly (readonly string[])[]> {
    const reports = await Promise.all([this.#live, ...this.#peers].map((one) => one.report()))
    return reports.map(({ doubts }) => doubts)
  }

  /** Its report once no stream is left and nothing waits to be told. */
  async #atRest(): Promise<LiveReport> {
    const until = performance.now() + AT_REST_WITHIN_MS
    let longestTurnMs = 0
    for (;;) {
      const report = await this.#live.report()
      longestTurnMs = Math.max(longestTurnMs, report.longestTurnMs)
      if (report.stats.streamsOpen === 0 || performance.now() > until) return { ...report, longestTurnMs }
      await pause(50)
    }
  }
}

/** `count` streams at once. */
export function together<Result>(count: number, one: (number: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => one(number)))
}
