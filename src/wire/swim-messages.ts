// memberlist's messages as bytes: one type byte, then one struct; on streams also what follows the struct.
// Knows nothing of the layers around a message, and nothing of what a message makes us do.
// Source: wire-protocol §2, §4.4 and §13. Addresses have 4 or 16 bytes, or the message is refused.
import { concat, copyOf, NO_BYTES, sameBytes } from '../base/bytes.ts'
import { DecodeError } from '../base/errors.ts'
import { checkIp, isIp } from './address.ts'
import { MAX_ILL_FORMED_VALUES, MAX_PUSH_PULL_MEMBERS, MAX_STREAM_PART_BYTES, MAX_STRUCT_BYTES } from './limits.ts'
import type { Codec, Field, Writer } from './msgpack.ts'
import {
  bool,
  bytes,
  bytesOrNull,
  decodeWellFormed,
  int32,
  int64,
  Reader,
  struct,
  text,
  uint16,
  uint32,
  written,
} from './msgpack.ts'
import { Skipper } from './skipper.ts'
import type {
  Ack,
  Alive,
  Dead,
  IndirectPing,
  Nack,
  PacketMessage,
  Ping,
  PushPull,
  PushPullMember,
  StreamMessage,
  Suspect,
  SwimMessage,
  Uint64,
  User,
  WireError,
} from './types.ts'
import { SwimType } from './types.ts'

const ping = struct<Ping>(
  () => ({ type: 'ping', seqNo: 0, node: '', sourceAddr: null, sourcePort: 0, sourceNode: '' }),
  [
    ['SeqNo', 'seqNo', uint32],
    ['Node', 'node', text],
    ['SourceAddr', 'sourceAddr', bytesOrNull, 'omit-empty'],
    ['SourcePort', 'sourcePort', uint16, 'omit-empty'],
    ['SourceNode', 'sourceNode', text, 'omit-empty'],
  ],
)

const indirectPing = struct<IndirectPing>(
  () => ({
    type: 'indirect-ping',
    seqNo: 0,
    target: NO_BYTES,
    port: 0,
    node: '',
    nack: false,
    sourceAddr: null,
    sourcePort: 0,
    sourceNode: '',
  }),
  [
    ['SeqNo', 'seqNo', uint32],
    ['Target', 'target', bytes],
    ['Port', 'port', uint16],
    ['Node', 'node', text],
    ['Nack', 'nack', bool],
    ['SourceAddr', 'sourceAddr', bytesOrNull, 'omit-empty'],
    ['SourcePort', 'sourcePort', uint16, 'omit-empty'],
    ['SourceNode', 'sourceNode', text, 'omit-empty'],
  ],
)

const ack = struct<Ack>(
  () => ({ type: 'ack', seqNo: 0, payload: null }),
  [
    ['SeqNo', 'seqNo', uint32],
    ['Payload', 'payload', bytesOrNull],
  ],
)

const nack = struct<Nack>(() => ({ type: 'nack', seqNo: 0 }), [['SeqNo', 'seqNo', uint32]])

const wireError = struct<WireError>(() => ({ type: 'error', error: '' }), [['Error', 'error', text]])

const claimFields: readonly Field<Omit<Suspect, 'type'>>[] = [
  ['Incarnation', 'incarnation', uint32],
  ['Node', 'node', text],
  ['From', 'from', text],
]
const suspect = struct<Suspect>(() => ({ type: 'suspect', incarnation: 0, node: '', from: '' }), claimFields)
const dead = struct<Dead>(() => ({ type: 'dead', incarnation: 0, node: '', from: '' }), claimFields)

/** Versions met lately: nearly all members of a cluster have the same six, and need one copy of them. Whoever decodes never
 *  changes what was decoded. */
const versionsMet: Uint8Array[] = []
const MAX_VERSIONS_MET = 8
const VERSION_BYTES = 6

const versions: Codec<Uint8Array> = {
  decode(reader) {
    const found = reader.byteString()
    // Others come from strangers: nil is not the same as empty, and what is long must not be kept.
    if (found.length !== VERSION_BYTES) return found
    for (const met of versionsMet) if (sameBytes(met, found)) return met
    versionsMet.push(found)
    if (versionsMet.length > MAX_VERSIONS_MET) versionsMet.shift()
    return found
  },
  encode: bytes.encode,
}

const alive = struct<Alive>(
  () => ({ type: 'alive', incarnation: 0, node: '', addr: NO_BYTES, port: 0, meta: NO_BYTES, vsn: NO_BYTES }),
  [
    ['Incarnation', 'incarnation', uint32],
    ['Node', 'node', text],
    ['Addr', 'addr', bytes],
    ['Port', 'port', uint16],
    ['Meta', 'meta', bytes],
    ['Vsn', 'vsn', versions],
  ],
)

interface PushPullHeader {
  readonly members: Uint64
  readonly userStateBytes: Uint64
  readonly join: boolean
}
const pushPullHeader = struct<PushPullHeader>(
  () => ({ members: 0, userStateBytes: 0, join: false }),
  [
    ['Nodes', 'members', int64],
    ['UserStateLen', 'userStateBytes', int64],
    ['Join', 'join', bool],
  ],
)

const pushPullMember = struct<PushPullMember>(
  () => ({ name: '', addr: NO_BYTES, port: 0, meta: NO_BYTES, incarnation: 0, state: 0, vsn: NO_BYTES }),
  [
    ['Name', 'name', text],
    ['Addr', 'addr', bytes],
    ['Port', 'port', uint16],
    ['Meta', 'meta', bytes],
    ['Incarnation', 'incarnation', uint32],
    ['State', 'state', int32],
    ['Vsn', 'vsn', versions],
  ],
)

interface UserHeader {
  readonly payloadBytes: Uint64
}
const userHeader = struct<UserHeader>(() => ({ payloadBytes: 0 }), [['UserMsgLen', 'payloadBytes', int64]])

/** A message as a packet carries it, type byte first. Streams carry the same bytes, but for `user` (`encodeStreamUser`). */
export function encodeSwimMessage(message: Exclude<SwimMessage, PushPull>): Uint8Array {
  switch (message.type) {
    case 'ping':
      return encode(SwimType.ping, ping, message)
    case 'indirect-ping':
      return encode(SwimType.indirectPing, indirectPing, message)
    case 'ack':
      return encode(SwimType.ack, ack, message)
    case 'nack':
      return encode(SwimType.nack, nack, message)
    case 'error':
      return encode(SwimType.error, wireError, message)
    case 'suspect':
      return encode(SwimType.suspect, suspect, message)
    case 'dead':
      return encode(SwimType.dead, dead, message)
    case 'alive':
      return encode(SwimType.alive, alive, message)
    case 'user': {
      const all = new Uint8Array(1 + message.payload.length)
      all[0] = SwimType.user
      all.set(message.payload, 1)
      return all
    }
  }
}

/** A push/pull as a stream carries it: type byte, header, members, user state. */
export function encodePushPull({ join, members, userState }: PushPull): Uint8Array {
  return joinPushPull(join, members.map(encodePushPullMember), userState)
}

/** The same of members that were encoded one by one, which may be kept and used again. */
export function joinPushPull(join: boolean, members: readonly Uint8Array[], userState: Uint8Array): Uint8Array {
  const header = written((writer) => {
    writer.byte(SwimType.pushPull)
    pushPullHeader.encode(writer, { members: members.length, userStateBytes: userState.length, join })
  })
  return concat([header, ...members, userState])
}

/** One member as a push/pull lists it. */
export function encodePushPullMember(member: PushPullMember): Uint8Array {
  return written((writer) => pushPullMember.encode(writer, member))
}

/** A user message as a stream carries it: with its length in front. */
export function encodeStreamUser({ payload }: User): Uint8Array {
  return written((writer) => {
    writer.byte(SwimType.user)
    userHeader.encode(writer, { payloadBytes: payload.length })
    writer.put(payload)
  })
}

/** One message of a packet, type byte first, without layers around it. Bytes behind it are ignored.
 *  What it holds is copied. Throws `DecodeError`. */
export function decodePacketMessage(all: Uint8Array): PacketMessage {
  const type = all[0]
  switch (type) {
    case SwimType.ping:
      return checkSource(ping.decode(new Reader(all, 1)))
    case SwimType.indirectPing: {
      const message = checkSource(indirectPing.decode(new Reader(all, 1)))
      checkIp(message.target)
      return message
    }
    case SwimType.ack:
      return ack.decode(new Reader(all, 1))
    case SwimType.nack:
      return nack.decode(new Reader(all, 1))
    case SwimType.suspect:
      return suspect.decode(new Reader(all, 1))
    case SwimType.dead:
      return dead.decode(new Reader(all, 1))
    case SwimType.alive: {
      const message = alive.decode(new Reader(all, 1))
      checkIp(message.addr)
      return message
    }
    case SwimType.user:
      return { type: 'user', payload: copyOf(all.subarray(1)) }
    case undefined:
      throw new DecodeError('missing message type byte')
    default:
      throw new DecodeError(`message of type ${type} in a packet`)
  }
}

/** What a stream message waits for next. */
type Awaited =
  | { readonly kind: 'type' }
  | { readonly kind: 'struct'; readonly read: (reader: Reader) => StreamMessage | Awaited }
  | { readonly kind: 'bytes'; readonly count: number; readonly read: (found: Uint8Array) => StreamMessage }

const TYPE: Awaited = { kind: 'type' }

/** A part of more bytes counts for several: what takes time is bytes. Members of Serf have a few hundred at most. */
const PART_BYTES = 256
/** What a member that is left out counts beyond itself. */
const ILL_FORMED_PARTS = 15

/** Finds the end of a stream message by reading it (wire-protocol §4.6). Goes on where it stopped: no byte is read more
 *  than twice, whatever the pieces. Used for one message. */
export class StreamMessageReader {
  readonly #skipper = new Skipper()
  readonly #isWhole: boolean
  #awaited: Awaited = TYPE
  #isPaused = false
  #readParts = 0
  /** Where the part at hand starts, and how far into it the skipper came. */
  #start: number
  #at: number

  /** @param at where the type byte stands
   *  @param isWhole nothing more will come: the end of a part need not be looked for before it is read */
  constructor(at = 0, isWhole = false) {
    this.#start = at
    this.#at = at
    this.#isWhole = isWhole
  }

  /** Members of a push/pull read so far. */
  get readParts(): number {
    return this.#readParts
  }

  /** The last `read` stopped for its `maxParts`, not for want of bytes. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** The message, once `end` is far enough. `all` must hold the same bytes at the same places in every call.
   *  @param reach how far `end` can ever come: what asks for more is refused at once.
   *  @param maxParts members of a push/pull read in this call, about, one for each 256 bytes of them; the next call goes on
   *  Throws `DecodeError`; the reader is of no use afterwards. */
  read(
    all: Uint8Array,
    end: number,
    reach: number,
    maxParts: number = Number.POSITIVE_INFINITY,
  ): StreamMessage | undefined {
    this.#isPaused = false
    for (let parts = 0; ; parts++) {
      if (parts >= maxParts) {
        this.#isPaused = true
        return undefined
      }
      const awaited = this.#awaited
      if (awaited.kind === 'type') {
        if (this.#at >= end) return undefined
        this.#awaited = awaitedAfter(all[this.#at] as number)
        this.#start = ++this.#at
      } else if (awaited.kind === 'struct') {
        const limit = Math.min(reach, this.#start + MAX_STRUCT_BYTES)
        if (!this.#isWhole) {
          this.#at = this.#skipper.advance(all, this.#at, Math.min(end, limit), limit)
          if (!this.#skipper.done) {
            if (end >= limit && limit < reach) throw new DecodeError(`struct of more than ${MAX_STRUCT_BYTES} bytes`)
            return undefined
          }
          this.#skipper.reset()
        }
        const reader = new Reader(all, this.#start, Math.min(all.length, limit))
        const next = awaited.read(reader)
        if (this.#isWhole) this.#at = reader.at
        parts += Math.floor((this.#at - this.#start) / PART_BYTES) + ILL_FORMED_PARTS * reader.leftOut
        this.#start = this.#at
        if (!('kind' in next)) return next
        if (next === awaited) this.#readParts++
        this.#awaited = next
      } else {
        if (awaited.count > reach - this.#start) throw new DecodeError(`${awaited.count} bytes announced, too many`)
        if (end - this.#start < awaited.count) return undefined
        return awaited.read(copyOf(all.subarray(this.#start, this.#start + awaited.count)))
      }
    }
  }
}

function awaitedAfter(type: number): Awaited {
  switch (type) {
    case SwimType.ping:
      return { kind: 'struct', read: (reader) => checkSource(ping.decode(reader)) }
    case SwimType.ack:
      return { kind: 'struct', read: (reader) => ack.decode(reader) }
    case SwimType.error:
      return { kind: 'struct', read: (reader) => wireError.decode(reader) }
    case SwimType.user:
      return { kind: 'struct', read: readUserHeader }
    case SwimType.pushPull:
      return { kind: 'struct', read: readPushPullHeader }
    default:
      throw new DecodeError(`message of type ${type} on a stream`)
  }
}

function readUserHeader(reader: Reader): Awaited {
  const { payloadBytes } = userHeader.decode(reader)
  const count = bounded(payloadBytes, MAX_STREAM_PART_BYTES, 'user message length')
  return { kind: 'bytes', count, read: (payload) => ({ type: 'user', payload }) }
}

/** Members follow the header one by one; one whose address is none, or whose name is no text, is left out, and the others stay. */
function readPushPullHeader(reader: Reader): Awaited {
  const header = pushPullHeader.decode(reader)
  let left = bounded(header.members, MAX_PUSH_PULL_MEMBERS, 'number of nodes in header')
  const count = bounded(header.userStateBytes, MAX_STREAM_PART_BYTES, 'user state length')
  const { join } = header
  const members: PushPullMember[] = []
  const allowance = { forgivable: MAX_ILL_FORMED_VALUES }
  const tail: Awaited = { kind: 'bytes', count, read: (userState) => ({ type: 'push-pull', join, members, userState }) }
  const item: Awaited = {
    kind: 'struct',
    read(memberReader) {
      const member = decodeWellFormed(pushPullMember, memberReader, allowance)
      if (member !== undefined && isIp(member.addr)) members.push(member)
      left--
      return left === 0 ? tail : item
    },
  }
  return left === 0 ? tail : item
}

function bounded(value: Uint64, max: number, what: string): number {
  if (typeof value === 'bigint' || value < 0 || value > max) throw new DecodeError(`${what} (${value}) exceeds limit`)
  return value
}

function encode<Message>(type: number, codec: Codec<Message>, message: Message): Uint8Array {
  return written((writer: Writer) => {
    writer.byte(type)
    codec.encode(writer, message)
  })
}

/** The answer's address is absent, or it is one. */
function checkSource<Message extends Ping | IndirectPing>(message: Message): Message {
  if (message.sourceAddr !== null && message.sourceAddr.length > 0) checkIp(message.sourceAddr)
  return message
}
