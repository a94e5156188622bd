// A socket that is no member: sends whatever bytes a test makes, over UDP or as a full exchange, and keeps what comes back.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket as Stream } from 'node:net'
import {
  type Alive,
  decodePacket,
  decodeSerfMessage,
  encodePacket,
  encodeSerfMessage,
  encodeStream,
  encodeTags,
  type PacketMessage,
  type Ping,
  type PushPull,
  type PushPullMember,
  parseIp,
  streamReader,
} from '../../../src/wire/index.ts'
import { encodeQueryFilter, type QueryFilter } from '../../../src/wire/query-filter.ts'
import type { SerfConflictResponse, SerfMessage, SerfPushPull, SerfQuery } from '../../../src/wire/types.ts'
import type { Peer } from './peer.ts'

/** Whom a packet is for. */
type Addressee = Pick<Peer, 'name' | 'address'>

/** memberlist 1 to 5, speaking 2; Serf 2 to 5, speaking 5. */
const VERSIONS = Uint8Array.of(1, 5, 2, 2, 5, 5)
const ANSWER_WITHIN_MS = 5_000

export class Stranger {
  /** Every message that came, of every packet. */
  readonly heard: PacketMessage[] = []
  /** What it answers pings with, as one that lives; absent: nothing. */
  ackPayload: Uint8Array | undefined
  readonly #socket: Socket
  #lastSeqNo = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (bytes, { address, port }) => {
      for (const { message } of decodePacket(bytes).messages) {
        this.heard.push(message)
        if (message.type !== 'ping' || this.ackPayload === undefined) continue
        socket.send(encodePacket([{ type: 'ack', seqNo: message.seqNo, payload: this.ackPayload }]), port, address)
      }
    })
  }

  static async open(host: string = '127.0.0.1'): Promise<Stranger> {
    const socket = createSocket('udp4')
    socket.bind(0, host)
    await once(socket, 'listening')
    return new Stranger(socket)
  }

  get port(): number {
    return this.#socket.address().port
  }

  close(): void {
    this.#socket.close()
  }

  /** One datagram of these messages; bytes stand for a message. */
  send(to: Addressee, ...messages: readonly (PacketMessage | Uint8Array)[]): Promise<void> {
    return this.sendBytes(to, encodePacket(messages))
  }

  sendBytes(to: Addressee, bytes: Uint8Array): Promise<void> {
    const { host, port } = partsOf(to.address)
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, port, host, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  /** A ping with a number of its own. */
  ping(to: Addressee): Ping {
    return { type: 'ping', seqNo: ++this.#lastSeqNo, node: to.name, sourceAddr: null, sourcePort: 0, sourceNode: '' }
  }

  /** How many acks of that number came. */
  acksOf({ seqNo }: Ping): number {
    return this.heard.filter((one) => one.type === 'ack' && one.seqNo === seqNo).length
  }

  /** A query of its own, which wants acks. */
  query(...filters: readonly QueryFilter[]): SerfQuery {
    const addr = parseIp('127.0.0.1') as Uint8Array
    return {
      type: 'query',
      ltime: 1,
      id: ++this.#lastSeqNo,
      addr,
      port: this.port,
      sourceNode: 'stranger',
      filters: filters.map(encodeQueryFilter),
      flags: 1,
      relayFactor: 0,
      timeoutNs: 5_000_000_000,
      name: 'nothing',
      payload: new Uint8Array(),
    }
  }

  /** Every Serf message that came by itself. */
  get serfHeard(): SerfMessage[] {
    return this.heard.flatMap((one) => (one.type === 'user' ? [decodeSerfMessage(one.payload)] : []))
  }

  /** One Serf message. */
  tell(to: Addressee, message: SerfMessage): Promise<void> {
    return this.send(to, { type: 'user', payload: encodeSerfMessage(message) })
  }

  /** Who acked or answered it. */
  answersTo({ id }: SerfQuery): string[] {
    return this.serfHeard.flatMap((one) => (one.type === 'query-response' && one.id === id ? [one.from] : []))
  }

  /** A claim that a member lives, at this very socket, which answers nobody. */
  claim(name: string, incarnation: number, tags: Readonly<Record<string, string>> = {}): Alive {
    const addr = parseIp('127.0.0.1') as Uint8Array
    return { type: 'alive', incarnation, node: name, addr, port: this.port, meta: encodeTags(tags), vsn: VERSIONS }
  }

  /** What a member says in a vote about a name: that it is known at this very socket. */
  voice(name: string): SerfConflictResponse {
    const addr = parseIp('127.0.0.1') as Uint8Array
    return {
      type: 'conflict-response',
      member: { name, addr, port: this.port, tags: new Map(), status: 1, vsn: VERSIONS },
    }
  }

  /** The same as a line of an exchange. */
  record(name: string, incarnation: number, more: Partial<PushPullMember> = {}): PushPullMember {
    const { addr, port, meta, vsn } = this.claim(name, incarnation)
    return { name, addr, port, meta, vsn, incarnation, state: 0, ...more }
  }

  /** A full exchange; resolves with what the other side told. @param state what Serf tells in it */
  async exchange(
    to: Addressee,
    members: readonly PushPullMember[] = [],
    state?: Partial<SerfPushPull>,
  ): Promise<PushPull> {
    const { host, port } = partsOf(to.address)
    const socket = connect({ host, port, timeout: ANSWER_WITHIN_MS })
    socket.once('timeout', () => socket.destroy(new Error(`${to.name} did not answer an exchange`)))
    const userState = state === undefined ? new Uint8Array() : encodeSerfMessage({ ...EMPTY_STATE, ...state })
    const own: PushPull = { type: 'push-pull', join: false, members, userState }
    socket.write(encodeStream(own, { role: 'dialler' }))
    const reader = streamReader({ role: 'dialler' })
    for await (const piece of socket) {
      const found = reader.push(piece as Uint8Array)
      if (found?.message.type === 'push-pull') return found.message
      if (found !== undefined) throw new Error(`${to.name} answered ${JSON.stringify(found.message)}`)
    }
    throw new Error(`${to.name} closed the exchange`)
  }
}

/** Bytes on a stream, which stays open; both sides may end it. */
export function dial(to: Addressee, bytes: Uint8Array): Stream {
  const stream = connect(partsOf(to.address))
  stream.on('error', () => {})
  stream.write(bytes)
  return stream
}

/** A seed that is no member: answers every exchange with the same members, and keeps what it is told. */
export class Seed {
  /** The names of each exchange, in the order in which they came. */
  readonly told: string[][] = []
  readonly #answer: PushPull
  readonly #server = createServer((stream) => this.#take(stream))

  private constructor(members: readonly PushPullMember[]) {
    this.#answer = { type: 'push-pull', join: false, members, userState: NO_STATE }
  }

  static async open(members: readonly PushPullMember[]): Promise<Seed> {
    const seed = new Seed(members)
    seed.#server.listen(0, '127.0.0.1')
    await once(seed.#server, 'listening')
    return seed
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
  }

  #take(stream: Stream): void {
    stream.on('error', () => {})
    const reader = streamReader({ role: 'listener' })
    stream.on('data', (piece) => {
      const message = reader.push(piece)?.message
      if (message?.type !== 'push-pull') return
      this.told.push(message.members.map(({ name }) => name))
      stream.end(encodeStream({ ...this.#answer, join: message.join }, { role: 'listener' }))
    })
  }
}

const EMPTY_STATE: SerfPushPull = {
  type: 'push-pull',
  ltime: 1,
  statusLtimes: new Map(),
  leftMembers: [],
  eventLtime: 1,
  events: [],
  queryLtime: 1,
}
const NO_STATE: Uint8Array = encodeSerfMessage(EMPTY_STATE)

function partsOf(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at), port: Number(address.slice(at + 1)) }
}
