// The decoders under fire. Each either gives something or throws a `DecodeError` or `DecryptError`, and nothing else; what it gives
// keeps within the limits, encodes again to something that reads the same, and does not depend on how a stream was cut to pieces.
// Gives a signature of what happened, so that a run can tell new behaviour from old.
import { isDeepStrictEqual } from 'node:util'
import { DecodeError, DecryptError } from '../../src/base/errors.ts'
import { Random } from '../../src/base/random.ts'
import { packPayload, unpack } from '../../src/pack.ts'
import { Vivaldi } from '../../src/serf/vivaldi.ts'
import { decodeCoordinate, encodeCoordinate } from '../../src/wire/coordinate.ts'
import { MAX_PACKET_PARTS, MAX_STREAM_BYTES } from '../../src/wire/limits.ts'
import { decodePacket } from '../../src/wire/packet.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../../src/wire/serf-messages.ts'
import { StreamReader, type StreamRole } from '../../src/wire/stream.ts'
import {
  decodePacketMessage,
  encodePushPull,
  encodeStreamUser,
  encodeSwimMessage,
} from '../../src/wire/swim-messages.ts'
import { decodeTags } from '../../src/wire/tags.ts'
import type { PacketMessage, StreamMessage } from '../../src/wire/types.ts'
import { type Input, SEALINGS } from './input.ts'
import { asViolation, must } from './violation.ts'

/** The functions under fire; a test hands in broken ones. */
export interface Decoders {
  readonly packet: typeof decodePacket
  readonly packetMessage: typeof decodePacketMessage
  readonly serf: typeof decodeSerfMessage
  readonly tags: typeof decodeTags
  readonly coordinate: typeof decodeCoordinate
  readonly payload: typeof unpack
  stream(role: StreamRole, input: Input): Pick<StreamReader, 'push' | 'bufferedBytes'>
}

export const OURS: Decoders = {
  packet: decodePacket,
  packetMessage: decodePacketMessage,
  serf: decodeSerfMessage,
  tags: decodeTags,
  coordinate: decodeCoordinate,
  payload: unpack,
  stream: (role, { cluster }) => new StreamReader({ sealing: SEALINGS[cluster], role }),
}

/** Byte by byte only up to here: longer ones are cut by chance. */
const MAX_SINGLE_BYTES = 160

/** Feeds one input. Gives what it came to, in words. @throws Violation */
export function feedDecoders(input: Input, random: Random, decoders: Decoders = OURS): string {
  try {
    switch (input.doorway) {
      case 'packet':
        return feedPacket(input, decoders)
      case 'stream':
      case 'answer':
        return feedStream(input, random, decoders)
      case 'serf':
        return feedSerf(input.bytes, input, decoders)
      case 'tags':
        return feedTags(input.bytes, input, decoders)
      case 'payload':
        return feedPayload(input, decoders)
    }
  } catch (error) {
    throw asViolation(error, input)
  }
}

function feedPacket(input: Input, decoders: Decoders): string {
  const decoded = attempt(() => decoders.packet(input.bytes, SEALINGS[input.cluster]))
  if (typeof decoded === 'string') return decoded
  const { messages, problems, layers } = decoded
  must(messages.length <= MAX_PACKET_PARTS, 'more messages than a packet may hold', input)
  const said = messages.map(({ message, bytes }) => feedPacketMessage(message, bytes, input, decoders))
  const outside = layers.map(({ kind }) => kind)
  return distinct([...outside, ...said, ...problems.map(shapeOf)])
}

function feedPacketMessage(message: PacketMessage, bytes: Uint8Array, input: Input, decoders: Decoders): string {
  must(
    isDeepStrictEqual(decoders.packetMessage(bytes), message),
    'the bytes of a message, read alone, mean something else: a rebroadcast would differ',
    input,
  )
  const again = encodeSwimMessage(message)
  const twice = encodeSwimMessage(decoders.packetMessage(again) as typeof message)
  must(isDeepStrictEqual(again, twice), `${message.type}: encoded again it reads differently`, input)
  if (message.type === 'ack' && message.payload !== null)
    return `ack, ${feedCoordinate(message.payload, input, decoders)}`
  if (message.type === 'alive') return `alive, ${feedTags(message.meta, input, decoders)}`
  return message.type === 'user' ? `user, ${feedSerf(message.payload, input, decoders)}` : message.type
}

function feedCoordinate(payload: Uint8Array, input: Input, decoders: Decoders): string {
  const told = attempt(() => decoders.coordinate(payload))
  if (typeof told === 'string') return told
  const again = encodeCoordinate(told)
  must(
    isDeepStrictEqual(again, encodeCoordinate(decoders.coordinate(again))),
    'encoded again it reads differently',
    input,
  )
  const vivaldi = new Vivaldi(new Random(1))
  const problem = vivaldi.update('m', told, 0.02)
  const { vector, error, adjustment, height } = vivaldi.own
  must([...vector, error, adjustment, height].every(Number.isFinite), 'it made nonsense of our own coordinate', input)
  return problem === undefined ? 'a coordinate' : 'a coordinate that cannot be'
}

function feedStream(input: Input, random: Random, decoders: Decoders): string {
  const { bytes } = input
  const whole = read(input, [bytes], decoders)
  const isShort = bytes.length <= MAX_SINGLE_BYTES
  const cuts = isShort ? Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)) : pieces(bytes, random)
  for (const way of [cuts, pieces(bytes, random)]) {
    const found = read(input, way, decoders)
    must(found.kind === whole.kind, () => `in one piece ${whole.kind}, in ${way.length} pieces ${found.kind}`, input)
    must(isDeepStrictEqual(found.message, whole.message), 'in pieces the message differs', input)
  }
  if (whole.message === undefined) return whole.kind
  const { message } = whole
  const again = encodeStreamMessage(message)
  const twice = read({ ...input, cluster: 'plain', bytes: again }, [again], decoders)
  must(
    isDeepStrictEqual(again, twice.message && encodeStreamMessage(twice.message)),
    'encoded again it reads differently',
    input,
  )
  if (message.type === 'user') return `user, ${feedSerf(message.payload, input, decoders)}`
  if (message.type !== 'push-pull') return message.type
  const state = message.userState.length === 0 ? 'no state' : feedSerf(message.userState, input, decoders)
  const met = message.members.slice(0, 50).map(({ meta }) => feedTags(meta, input, decoders))
  return distinct([`push-pull, ${state}`, ...met])
}

interface ReadOutcome {
  readonly kind: string
  readonly message?: StreamMessage
}

/** One reader, one way to cut the bytes. */
function read(input: Input, way: readonly Uint8Array[], decoders: Decoders): ReadOutcome {
  const reader = decoders.stream(input.doorway === 'stream' ? 'listener' : 'dialler', input)
  for (const piece of way) {
    const found = attempt(() => reader.push(piece))
    must(reader.bufferedBytes <= MAX_STREAM_BYTES, 'holds more than a stream may bring', input)
    if (typeof found === 'string') return { kind: found }
    if (found !== undefined) return { kind: 'whole', message: found.message }
  }
  return { kind: 'unfinished' }
}

function pieces(bytes: Uint8Array, random: Random): Uint8Array[] {
  const found: Uint8Array[] = []
  const most = 1 + random.below(bytes.length + 1)
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(most)
    found.push(bytes.subarray(at, end))
    at = end
  }
  return found
}

function feedSerf(bytes: Uint8Array, input: Input, decoders: Decoders): string {
  const message = attempt(() => decoders.serf(bytes))
  if (typeof message === 'string') return message
  const again = encodeSerfMessage(message)
  must(
    isDeepStrictEqual(again, encodeSerfMessage(decoders.serf(again))),
    `${message.type}: encoded again it reads differently`,
    input,
  )
  return message.type
}

function feedTags(meta: Uint8Array, input: Input, decoders: Decoders): string {
  const { tags, complete } = decoders.tags(meta)
  const isSound =
    Object.isFrozen(tags) &&
    Object.entries(tags).every(([key, value]) => Object.hasOwn(tags, key) && typeof value === 'string')
  must(isSound, 'tags are a frozen record of texts', input)
  must(Object.getPrototypeOf(tags) === Object.prototype, 'a tag became a prototype', input)
  const { length } = Object.keys(tags)
  const howMany = length === 0 ? 'none' : length === 1 ? 'one' : 'several'
  return `${complete ? 'tags' : 'broken tags'}: ${howMany}${meta.length > 0 && meta[0] !== 0xff ? ', a role' : ''}`
}

function feedPayload(input: Input, decoders: Decoders): string {
  const before = input.bytes.slice()
  const unpacked = attempt(() => ({ value: decoders.payload(input.bytes) }))
  must(isDeepStrictEqual(input.bytes, before), 'the bytes were changed', input)
  if (typeof unpacked === 'string') return unpacked
  const { value } = unpacked
  must(isPlain(value), 'something other than plain data came out', input)
  // Bytes and a text alone go as they are. Once packed by us, a negative zero is zero.
  const isBare = typeof value === 'string' || value instanceof Uint8Array
  const once = decoders.payload(packPayload(isBare ? [value] : value))
  const twice = decoders.payload(packPayload(once))
  must(isDeepStrictEqual(twice, once), 'packed again it reads differently', input)
  return `${Array.isArray(value) ? 'list' : value === null ? 'nothing' : typeof value}`
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'symbol' && typeof value !== 'function'
  if (value instanceof Uint8Array) return Object.getPrototypeOf(value) === Uint8Array.prototype
  if (Array.isArray(value)) return value.every(isPlain)
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain)
}

function encodeStreamMessage(message: StreamMessage): Uint8Array {
  if (message.type === 'push-pull') return encodePushPull(message)
  return message.type === 'user' ? encodeStreamUser(message) : encodeSwimMessage(message)
}

/** The result, or in what way it was refused; anything else that is thrown goes on. */
function attempt<Result extends object | undefined>(decode: () => Result): Result | string {
  try {
    return decode()
  } catch (error) {
    if (error instanceof DecodeError || error instanceof DecryptError) return shapeOf(error)
    throw error
  }
}

/** A message without its figures. */
export function shapeOf({ message }: Error): string {
  return message
    .slice(0, 80)
    .replaceAll(/[0-9a-f]*\d[0-9a-f]*/g, '#')
    .replaceAll(/-?(?:Infinity|NaN)/g, '#')
}

function distinct(words: readonly string[]): string {
  return [...new Set(words)].sort().join('; ')
}
