// Messages that are well formed and mean ill: every field at the edge of its range or beyond what its reader bargained for, about
// strangers, about peers, about the member itself. Made from the `Random` handed in; encoded by the caller.
import { utf8 } from '../../src/base/bytes.ts'
import type { Random } from '../../src/base/random.ts'
import { encodeCoordinate } from '../../src/wire/coordinate.ts'
import { encodeQueryFilter } from '../../src/wire/query-filter.ts'
import { encodeSerfMessage } from '../../src/wire/serf-messages.ts'
import { encodeTags } from '../../src/wire/tags.ts'
import type { PacketMessage, PushPull, PushPullMember, SerfMessage, Uint64 } from '../../src/wire/types.ts'
import { OLD_KEY } from './input.ts'
import { pick, randomBytes } from './mutate.ts'

/** The member under attack, and the peer who stands beside it. */
export const VICTIM = 'victim'
export const PEER_NAME = 'peer'
/** So many invented names there are at most: a table that fills is a test of its own, not of every run. */
const STRANGERS = 512

const NAMES: readonly string[] = [
  VICTIM,
  VICTIM,
  PEER_NAME,
  '',
  ' ',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'Victim',
  'victim\0',
  'ünïcödé-名前-🦀',
  'n'.repeat(128),
  'n'.repeat(129),
  'n'.repeat(512),
  'n'.repeat(513),
  'n'.repeat(1300),
  '\u{1f980}'.repeat(120),
]
/** Only where a message may be as large as a datagram. */
const HUGE_NAME = 'N'.repeat(60_000)

const INCARNATIONS = [0, 1, 1, 2, 3, 10, 0x7fff_ffff, 0x8000_0000, 0xffff_fffd, 0xffff_fffe, 0xffff_ffff] as const
const TIMES: readonly Uint64[] = [
  0,
  1,
  2,
  3,
  50,
  2 ** 31,
  2 ** 32,
  2 ** 40,
  2 ** 41,
  2 ** 52,
  2 ** 52 + 1,
  2 ** 53 - 1,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
]
/** Of a coordinate. */
const PARTS = [0, 0, 0.01, -0.01, 1, 1.5, 19, -19, 21, 1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY] as const
const SEQUENCES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0xffff, 0xffff_fffe, 0xffff_ffff] as const
const PORTS = [0, 1, 53, 7946, 7946, 7947, 65_535] as const
const METAS: readonly Uint8Array[] = [
  new Uint8Array(0),
  encodeTags({ role: 'web' }),
  encodeTags(JSON.parse('{"__proto__":"x","constructor":"y"}')),
  encodeTags({ a: 'a'.repeat(490) }),
  new Uint8Array(512).fill(0xff),
  new Uint8Array(513),
  new Uint8Array(4000).fill(0x61),
  Uint8Array.of(0xff, 0xdf, 255, 255, 255, 255),
  Uint8Array.of(0xff, 0x81, 0xa1, 0xff, 0xa1, 0xff),
  Uint8Array.of(0xfe, 0xff),
]
const VERSIONS: readonly Uint8Array[] = [
  Uint8Array.of(1, 5, 2, 2, 5, 5),
  Uint8Array.of(1, 5, 2, 2, 5, 5),
  Uint8Array.of(1, 5, 2, 2, 5, 4),
  new Uint8Array(0),
  new Uint8Array(6),
  new Uint8Array(6).fill(255),
  Uint8Array.of(5, 1, 3, 5, 2, 3),
  Uint8Array.of(1, 5),
  Uint8Array.of(1, 5, 2, 2, 5, 5, 9, 9, 9),
]

/** Addresses with the right number of bytes, as far as that goes. */
function address(random: Random): Uint8Array {
  return pick(
    [
      Uint8Array.of(10, 0, 0, 1),
      Uint8Array.of(10, 0, 0, 2),
      Uint8Array.of(10, 9, random.below(4), random.below(256)),
      Uint8Array.of(0, 0, 0, 0),
      Uint8Array.of(255, 255, 255, 255),
      Uint8Array.of(224, 0, 0, 1),
      new Uint8Array(16),
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1),
      randomBytes(16, random),
      randomBytes(pick([0, 1, 3, 5, 15, 17, 255], random), random),
    ],
    random,
  )
}

function name(random: Random, isHugeAllowed = false): string {
  if (random.below(3) === 0) return `stranger-${random.below(STRANGERS)}`
  return isHugeAllowed && random.below(64) === 0 ? HUGE_NAME : pick(NAMES, random)
}

/** A Lamport time or an incarnation: mostly an edge, sometimes a small step. */
function time(random: Random): Uint64 {
  return random.below(2) === 0 ? random.below(100) : pick(TIMES, random)
}

/** Mostly such as follow each other: after a leap all others are too old. */
function queryTime(random: Random): Uint64 {
  return random.below(64) === 0 ? time(random) : random.below(400)
}

function incarnation(random: Random): number {
  return random.below(2) === 0 ? random.below(20) : pick(INCARNATIONS, random)
}

/** A message for a datagram. */
export function hostilePacketMessage(random: Random): PacketMessage {
  const seqNo = random.below(2) === 0 ? random.below(64) : pick(SEQUENCES, random)
  const source = {
    sourceAddr: random.below(3) === 0 ? null : address(random),
    sourcePort: pick(PORTS, random),
    sourceNode: name(random),
  }
  switch (random.below(10)) {
    case 0:
      return { type: 'ping', seqNo, node: pick([VICTIM, '', name(random, true)], random), ...source }
    case 1:
      return {
        type: 'indirect-ping',
        seqNo,
        target: address(random),
        port: pick(PORTS, random),
        node: name(random, true),
        nack: random.below(2) === 0,
        ...source,
      }
    case 2:
      return { type: 'ack', seqNo, payload: hostileAckPayload(random) }
    case 3:
      return { type: 'nack', seqNo }
    case 4:
    case 5:
      return { type: 'suspect', incarnation: incarnation(random), node: name(random), from: name(random, true) }
    case 6: {
      const node = name(random)
      return { type: 'dead', incarnation: incarnation(random), node, from: random.below(2) === 0 ? node : name(random) }
    }
    case 7:
      return { type: 'user', payload: encodeSerfMessage(hostileSerfMessage(random)) }
    default:
      return {
        type: 'alive',
        incarnation: incarnation(random),
        node: name(random, true),
        addr: address(random),
        port: pick(PORTS, random),
        meta: pick(METAS, random),
        vsn: pick(VERSIONS, random),
      }
  }
}

/** A whole exchange; now and then one with thousands of members. */
export function hostilePushPull(random: Random): PushPull {
  const isLarge = random.below(400) === 0
  const members = Array.from({ length: isLarge ? 2000 : random.below(12) }, () => hostileMember(random))
  const userState = random.below(4) === 0 ? randomBytes(random.below(60), random) : hostileUserState(random)
  return { type: 'push-pull', join: random.below(2) === 0, members, userState }
}

const QUERY_NAMES = [
  '_serf_ping',
  '_serf_conflict',
  '_serf_install-key',
  '_serf_use-key',
  '_serf_remove-key',
  '_serf_list-keys',
  '_serf_nonsense',
  'load',
  'silence',
] as const

const LEAVE_OF_VICTIM = { type: 'leave', ltime: 7, node: VICTIM, prune: true } as const
const ANSWER_OF_VICTIM = {
  type: 'query-response',
  ltime: 1,
  id: 1,
  from: VICTIM,
  flags: 0,
  payload: new Uint8Array(4),
} as const

/** Patterns that match, that are none, and that take a naive engine for ever. */
const PATTERNS = [
  '',
  'victim',
  '^$',
  '(',
  '(?=a)',
  '(a*)*b',
  '(a|aa)+$',
  '(?:x{100}){10}',
  '\\pL{9}',
  'x'.repeat(999),
] as const

/** What a query may hold for a filter. */
function hostileFilter(random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return randomBytes(random.below(30), random)
    case 1:
      return encodeQueryFilter({ type: 'nodes', nodes: [VICTIM, name(random)] })
    default:
      return encodeQueryFilter({ type: 'tag', tag: pick(['role', ''], random), pattern: pick(PATTERNS, random) })
  }
}

/** Serf's part of an exchange. */
export function hostileUserState(random: Random): Uint8Array {
  return encodeSerfMessage(serfPushPull(random))
}

/** A key that the victim may lose or use, and such as are none. Not the one that its peer seals with: it would be deaf to it. */
const KEYS: readonly Uint8Array[] = [OLD_KEY, OLD_KEY, new Uint8Array(0), new Uint8Array(15), new Uint8Array(40)]

function queryPayload(random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return utf8(name(random))
    case 1:
      return encodeSerfMessage({ type: 'key-request', key: pick(KEYS, random) })
    default:
      return randomBytes(20, random)
  }
}

/** Any message of Serf. */
export function hostileSerfMessage(random: Random): SerfMessage {
  const ltime = time(random)
  const node = name(random)
  switch (random.below(8)) {
    case 0:
    case 1:
      return { type: 'leave', ltime, node, prune: random.below(3) === 0 }
    case 2:
      return { type: 'join', ltime, node }
    case 3:
      return serfPushPull(random)
    case 4:
      return { type: 'user-event', ltime, name: name(random), payload: randomBytes(20, random), coalesce: true }
    case 5:
      return {
        type: 'query',
        ltime: queryTime(random),
        id: random.uint32(),
        addr: address(random),
        port: pick(PORTS, random),
        sourceNode: node,
        filters: Array.from({ length: random.below(3) }, () => hostileFilter(random)),
        flags: random.uint32(),
        relayFactor: random.below(256),
        timeoutNs: pick([0, 1, 3_000_000_000, 3_000_000_000, 2n ** 63n - 1n, -1], random),
        name: pick(QUERY_NAMES, random),
        payload: queryPayload(random),
      }
    case 6:
      return { type: 'query-response', ltime, id: random.uint32(), from: node, flags: 0, payload: new Uint8Array(0) }
    default:
      return {
        type: 'relay',
        destAddr: address(random),
        destPort: pick(PORTS, random),
        destZone: '',
        destName: node,
        message: encodeSerfMessage(pick([LEAVE_OF_VICTIM, ANSWER_OF_VICTIM], random)),
      }
  }
}

function serfPushPull(random: Random): SerfMessage & { type: 'push-pull' } {
  return {
    type: 'push-pull',
    ltime: time(random),
    statusLtimes: new Map(Array.from({ length: random.below(12) }, () => [name(random), time(random)])),
    leftMembers: Array.from({ length: random.below(6) }, () => name(random)),
    eventLtime: time(random),
    events: Array.from({ length: random.below(3) }, () => ({
      ltime: time(random),
      events: [{ name: name(random), payload: new Uint8Array(3) }],
    })),
    queryLtime: queryTime(random),
  }
}

function hostileMember(random: Random): PushPullMember {
  return {
    name: name(random),
    addr: address(random),
    port: pick(PORTS, random),
    meta: pick(METAS, random),
    incarnation: incarnation(random),
    state: pick([0, 0, 0, 1, 2, 3, 4, -1, 2 ** 31 - 1], random),
    vsn: random.below(4) === 0 ? pick(VERSIONS, random) : (VERSIONS[0] as Uint8Array),
  }
}

/** A coordinate, mostly: of any dimensions, with any numbers. */
function hostileAckPayload(random: Random): Uint8Array | null {
  const part = (): number => pick(PARTS, random)
  const vector = Array.from({ length: pick([8, 8, 8, 8, 0, 7, 9, 4096], random) }, part)
  const coordinate = encodeCoordinate({ vector, error: part(), adjustment: part(), height: part() })
  return pick([null, new Uint8Array(0), randomBytes(40, random), coordinate, coordinate, coordinate], random)
}
