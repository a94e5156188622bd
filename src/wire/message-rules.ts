// What a message may hold, field by field, for whoever puts one together by hand. The encoders take it for granted that
// a message is right, and stop with an assertion where it is not; here a user's mistake gets its name. Knows no bytes.
// Source: the widths in wire-protocol §2 and §7; what the decoders of this room refuse is refused here too.
import { checkBoolean, checkNumber } from '../base/check.ts'
import { OptionsError, SizeError } from '../base/errors.ts'
import { isIp } from './address.ts'
import { MAX_LIST_ITEMS, MAX_PUSH_PULL_MEMBERS, MAX_STREAM_PART_BYTES } from './limits.ts'
import type { PacketMessage, PushPull, PushPullMember, SerfMember, SerfMessage, StreamMessage } from './types.ts'

/** Throws `OptionsError` or `SizeError` that names `option`, or the field below it, unless `value` fits. */
export type Rule = (option: string, value: unknown) => void

/** A rule for every field but `type`, which chose the rules. */
type Fields<Shape> = { readonly [Key in keyof Shape as Exclude<Key, 'type'>]: Rule }
/** A rule for every message of a union. */
type Rules<Message extends { readonly type: string }> = {
  readonly [Type in Message['type']]: Fields<Extract<Message, { readonly type: Type }>>
}

const uint8 = uint(0xff)
const uint16 = uint(0xffff)
const uint32 = uint(0xffff_ffff)
const uint64 = wide(0n, (1n << 64n) - 1n)
const int64 = wide(-(1n << 63n), (1n << 63n) - 1n)
const int32: Rule = (option, value) => checkNumber(option, value, { least: -0x8000_0000, most: 0x7fff_ffff })

/** Half a surrogate pair has no UTF-8: it would go out as another character. */
export const text: Rule = (option, value) => {
  if (typeof value !== 'string') throw new OptionsError(option, value, 'must be text')
  if (/\p{Surrogate}/u.test(value)) throw new OptionsError(option, value, 'must be well-formed text')
}

const bytes: Rule = (option, value) => {
  if (!(value instanceof Uint8Array)) throw new OptionsError(option, value, 'must be a Uint8Array')
}

const streamPart: Rule = (option, value) => {
  bytes(option, value)
  checkSize(option, value as Uint8Array, MAX_STREAM_PART_BYTES)
}

const ip: Rule = (option, value) => {
  if (!(value instanceof Uint8Array && isIp(value))) throw new OptionsError(option, value, 'must be 4 or 16 bytes')
}

const sourceIp: Rule = (option, value) => {
  if (value instanceof Uint8Array && value.length === 0) return
  orNull(ip)(option, value)
}

const sixBytes: Rule = (option, value) => {
  if (!(value instanceof Uint8Array && value.length <= 6)) {
    throw new OptionsError(option, value, 'must be at most 6 bytes')
  }
}

const source = { sourceAddr: sourceIp, sourcePort: uint16, sourceNode: text }
const ping = { seqNo: uint32, node: text, ...source }
const ack = { seqNo: uint32, payload: orNull(bytes) }
const claim = { incarnation: uint32, node: text, from: text }
const error = { error: text }

const PACKET: Rules<PacketMessage> = {
  ping,
  'indirect-ping': { seqNo: uint32, target: ip, port: uint16, node: text, nack: checkBoolean, ...source },
  ack,
  nack: { seqNo: uint32 },
  suspect: claim,
  dead: claim,
  alive: { incarnation: uint32, node: text, addr: ip, port: uint16, meta: bytes, vsn: bytes },
  user: { payload: bytes },
}

const pushPullMember: Fields<PushPullMember> = {
  name: text,
  addr: ip,
  port: uint16,
  meta: bytes,
  incarnation: uint32,
  state: int32,
  vsn: bytes,
}
const pushPull: Fields<PushPull> = {
  join: checkBoolean,
  members: listOf(record(pushPullMember), MAX_PUSH_PULL_MEMBERS),
  userState: streamPart,
}
const STREAM: Rules<StreamMessage> = { ping, ack, 'push-pull': pushPull, user: { payload: streamPart }, error }

const serfMember: Fields<SerfMember> = {
  name: text,
  addr: bytes,
  port: uint16,
  tags: mapOf(text),
  status: int32,
  vsn: sixBytes,
}
const SERF: Rules<SerfMessage> = {
  leave: { ltime: uint64, node: text, prune: checkBoolean },
  join: { ltime: uint64, node: text },
  'push-pull': {
    ltime: uint64,
    statusLtimes: mapOf(uint64),
    leftMembers: listOf(text),
    eventLtime: uint64,
    events: listOf(record({ ltime: uint64, events: listOf(record({ name: text, payload: bytes })) })),
    queryLtime: uint64,
  },
  'user-event': { ltime: uint64, name: text, payload: bytes, coalesce: checkBoolean },
  query: {
    ltime: uint64,
    id: uint32,
    addr: ip,
    port: uint16,
    sourceNode: text,
    filters: listOf(bytes),
    flags: uint32,
    relayFactor: uint8,
    timeoutNs: int64,
    name: text,
    payload: bytes,
  },
  'query-response': { ltime: uint64, id: uint32, from: text, flags: uint32, payload: bytes },
  'conflict-response': { member: orNull(record(serfMember)) },
  'key-request': { key: bytes },
  'key-response': { result: checkBoolean, message: text, keys: listOf(text), primaryKey: text },
  relay: { destAddr: ip, destPort: uint16, destZone: text, destName: text, message: bytes },
}

/** What a datagram may carry. */
export const packetMessage: Rule = oneOf(PACKET)
/** What a stream may carry. */
export const streamMessage: Rule = oneOf(STREAM)
/** What `encodePushPull` encodes. */
export const pushPullMessage: Rule = oneOf({ 'push-pull': pushPull })
/** What `encodeStreamUser` encodes. */
export const streamUser: Rule = oneOf({ user: STREAM.user })
/** What `encodeSwimMessage` encodes: all but a push/pull. */
export const swimMessage: Rule = oneOf({ ...PACKET, error })
export const serfMessage: Rule = oneOf(SERF)

/** What an ack of Serf carries. */
export const coordinateValue: Rule = record({
  vector: listOf(float, MAX_LIST_ITEMS),
  error: float,
  adjustment: float,
  height: float,
})

/** Throws `SizeError` where `value` has more than `most` bytes. */
export function checkSize(option: string, value: Uint8Array, most: number): void {
  if (value.length > most) throw new SizeError(option, value.length, most)
}

function float(option: string, value: unknown): void {
  if (typeof value !== 'number') throw new OptionsError(option, value, 'must be a number')
}

function uint(most: number): Rule {
  return (option, value) => checkNumber(option, value, { least: 0, most })
}

/** A number as far as numbers are exact, a bigint anywhere. */
function wide(least: bigint, most: bigint): Rule {
  return (option, value) => {
    const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value)
    if (!isWhole || (value as number | bigint) < least || (value as number | bigint) > most) {
      throw new OptionsError(option, value, `must be a safe integer or a bigint from ${least} to ${most}`)
    }
  }
}

function orNull(rule: Rule): Rule {
  return (option, value) => {
    if (value !== null) rule(option, value)
  }
}

function listOf(rule: Rule, most: number = Number.POSITIVE_INFINITY): Rule {
  return (option, value) => {
    if (!Array.isArray(value)) throw new OptionsError(option, value, 'must be a list')
    if (value.length > most) throw new OptionsError(option, value, `must have at most ${most} items`)
    for (const [at, item] of value.entries()) rule(`${option}[${at}]`, item)
  }
}

function mapOf(rule: Rule): Rule {
  return (option, value) => {
    if (!(value instanceof Map)) throw new OptionsError(option, value, 'must be a Map')
    for (const [key, item] of value) {
      text(`${option}, a key`, key)
      rule(`${option}[${JSON.stringify(key)}]`, item)
    }
  }
}

function record(fields: Readonly<Record<string, Rule>>): Rule {
  const rules = Object.entries(fields)
  return (option, value) => {
    if (typeof value !== 'object' || value === null) throw new OptionsError(option, value, 'must be an object')
    for (const [key, rule] of rules) rule(`${option}.${key}`, (value as Record<string, unknown>)[key])
  }
}

function oneOf(messages: Readonly<Record<string, Readonly<Record<string, Rule>>>>): Rule {
  const rules = new Map<unknown, Rule>(Object.entries(messages).map(([type, fields]) => [type, record(fields)]))
  const limit = `must be one of ${[...rules.keys()].join(', ')}`
  return (option, value) => {
    if (typeof value !== 'object' || value === null) throw new OptionsError(option, value, 'must be a message')
    const { type } = value as { type?: unknown }
    const rule = rules.get(type)
    if (rule === undefined) throw new OptionsError(`${option}.type`, type, limit)
    rule(option, value)
  }
}
