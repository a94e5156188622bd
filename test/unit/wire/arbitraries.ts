// Arbitrary messages for the properties of `wire/`: every shape, with the edges of every range.
import fc from 'fast-check'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { NO_ENTRIES, NO_ITEMS } from '../../../src/wire/msgpack.ts'
import type { PacketMessage, PushPull, SerfMessage, Uint64 } from '../../../src/wire/types.ts'

/** Plain objects, as the decoders make them. */
function record<Shape>(model: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> }): fc.Arbitrary<Shape> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<Shape>
}

const uint8 = fc.integer({ min: 0, max: 0xff })
const uint16 = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 127, 128, 255, 256, 0xffff))
const uint32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 127, 128, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
)
/** In the form that decoding gives: a number as long as it is safe. */
const uint64: fc.Arbitrary<Uint64> = fc
  .oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), uint32.map(BigInt), fc.constantFrom(2n ** 53n - 1n, 2n ** 53n))
  .map((value) => (value < 2n ** 53n ? Number(value) : value))
const int64: fc.Arbitrary<Uint64> = fc
  .bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
  .map((value) => (value > -(2n ** 53n) && value < 2n ** 53n ? Number(value) : value))
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', 'a'.repeat(31), 'a'.repeat(32), 'é'.repeat(16), 'n'.repeat(300)),
)
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.constant(NO_BYTES),
  fc.uint8Array({ minLength: 256, maxLength: 300 }),
)
const bytesOrNull = fc.oneof(bytes, fc.constant(null))
const ip = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
/** Absent when empty: such fields are not sent. */
const source = { sourceAddr: fc.oneof(ip, fc.constant(null)), sourcePort: uint16, sourceNode: text }

export const packetMessages: fc.Arbitrary<PacketMessage> = fc.oneof(
  record({ type: fc.constant('ping' as const), seqNo: uint32, node: text, ...source }),
  record({
    type: fc.constant('indirect-ping' as const),
    seqNo: uint32,
    target: ip,
    port: uint16,
    node: text,
    nack: fc.boolean(),
    ...source,
  }),
  record({ type: fc.constant('ack' as const), seqNo: uint32, payload: bytesOrNull }),
  record({ type: fc.constant('nack' as const), seqNo: uint32 }),
  record({ type: fc.constantFrom('suspect' as const, 'dead' as const), incarnation: uint32, node: text, from: text }),
  record({
    type: fc.constant('alive' as const),
    incarnation: uint32,
    node: text,
    addr: ip,
    port: uint16,
    meta: bytes,
    vsn: bytes,
  }),
  record({ type: fc.constant('user' as const), payload: bytes }),
) as fc.Arbitrary<PacketMessage>

const member = record({
  name: text,
  addr: ip,
  port: uint16,
  meta: bytes,
  incarnation: uint32,
  state: fc.integer({ min: -5, max: 5 }),
  vsn: bytes,
})

export const pushPulls: fc.Arbitrary<PushPull> = record({
  type: fc.constant('push-pull' as const),
  join: fc.boolean(),
  members: fc.array(member, { maxLength: 20 }),
  userState: fc.uint8Array({ maxLength: 700 }),
})

function mapOf<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<ReadonlyMap<string, Value>> {
  const entries = fc.array(fc.tuple(fc.oneof(text, fc.constant('__proto__')), value), { maxLength: 20 })
  return fc.oneof(
    entries.map((pairs) => new Map(pairs)),
    fc.constant(NO_ENTRIES),
  )
}

function listOf<Item>(item: fc.Arbitrary<Item>): fc.Arbitrary<readonly Item[]> {
  return fc.oneof(fc.array(item, { maxLength: 20 }), fc.constant(NO_ITEMS))
}

export const serfMessages: fc.Arbitrary<SerfMessage> = fc.oneof(
  record({ type: fc.constant('leave' as const), ltime: uint64, node: text, prune: fc.boolean() }),
  record({ type: fc.constant('join' as const), ltime: uint64, node: text }),
  record({
    type: fc.constant('push-pull' as const),
    ltime: uint64,
    statusLtimes: mapOf(uint64),
    leftMembers: listOf(text),
    eventLtime: uint64,
    events: listOf(record({ ltime: uint64, events: listOf(record({ name: text, payload: bytes })) })),
    queryLtime: uint64,
  }),
  record({
    type: fc.constant('user-event' as const),
    ltime: uint64,
    name: text,
    payload: bytes,
    coalesce: fc.boolean(),
  }),
  record({
    type: fc.constant('query' as const),
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
  }),
  record({
    type: fc.constant('query-response' as const),
    ltime: uint64,
    id: uint32,
    from: text,
    flags: uint32,
    payload: bytes,
  }),
  record({
    type: fc.constant('conflict-response' as const),
    member: fc.oneof(
      fc.constant(null),
      record({
        name: text,
        addr: bytes,
        port: uint16,
        tags: mapOf(text),
        status: fc.integer({ min: 0, max: 4 }),
        vsn: fc.uint8Array({ minLength: 6, maxLength: 6 }),
      }),
    ),
  }),
  record({ type: fc.constant('key-request' as const), key: bytes }),
  record({
    type: fc.constant('key-response' as const),
    result: fc.boolean(),
    message: text,
    keys: listOf(text),
    primaryKey: text,
  }),
  record({
    type: fc.constant('relay' as const),
    destAddr: ip,
    destPort: uint16,
    destZone: text,
    destName: text,
    message: bytes,
  }),
) as fc.Arbitrary<SerfMessage>
