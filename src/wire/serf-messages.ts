// Serf's messages as bytes: one type byte, then one struct. They travel inside memberlist's user messages, and one of
// them as the user state of a push/pull. Knows nothing of clocks, nor of what a message makes us do.
// Source: wire-protocol §7. Where an answer must go to an address, it has 4 or 16 bytes, or the message is refused.
import { copyOf, NO_BYTES } from '../base/bytes.ts'
import { DecodeError } from '../base/errors.ts'
import { checkIp } from './address.ts'
import type { Codec } from './msgpack.ts'
import {
  bool,
  bytes,
  int32,
  int64,
  list,
  mapOf,
  NO_ENTRIES,
  NO_ITEMS,
  nullable,
  Reader,
  slots,
  struct,
  text,
  uint8,
  uint16,
  uint32,
  uint64,
  wellFormedList,
  written,
} from './msgpack.ts'
import type {
  SerfConflictResponse,
  SerfEventSlot,
  SerfJoin,
  SerfKeyRequest,
  SerfKeyResponse,
  SerfLeave,
  SerfMember,
  SerfMessage,
  SerfPushPull,
  SerfQuery,
  SerfQueryResponse,
  SerfRelay,
  SerfUserEvent,
} from './types.ts'
import { SerfType } from './types.ts'

const leave = struct<SerfLeave>(
  () => ({ type: 'leave', ltime: 0, node: '', prune: false }),
  [
    ['LTime', 'ltime', uint64],
    ['Node', 'node', text],
    ['Prune', 'prune', bool],
  ],
)

const join = struct<SerfJoin>(
  () => ({ type: 'join', ltime: 0, node: '' }),
  [
    ['LTime', 'ltime', uint64],
    ['Node', 'node', text],
  ],
)

/** One event of a slot. */
export const slotEvent: Codec<SerfEventSlot['events'][number]> = struct<SerfEventSlot['events'][number]>(
  () => ({ name: '', payload: NO_BYTES }),
  [
    ['Name', 'name', text],
    ['Payload', 'payload', bytes],
  ],
)

const eventSlot = struct<SerfEventSlot>(
  () => ({ ltime: 0, events: NO_ITEMS }),
  [
    ['LTime', 'ltime', uint64],
    ['Events', 'events', wellFormedList(slotEvent)],
  ],
)

const pushPull = struct<SerfPushPull>(
  () => ({
    type: 'push-pull',
    ltime: 0,
    statusLtimes: NO_ENTRIES,
    leftMembers: NO_ITEMS,
    eventLtime: 0,
    events: NO_ITEMS,
    queryLtime: 0,
  }),
  [
    ['LTime', 'ltime', uint64],
    ['StatusLTimes', 'statusLtimes', mapOf(uint64, 'left-out')],
    ['LeftMembers', 'leftMembers', wellFormedList(text)],
    ['EventLTime', 'eventLtime', uint64],
    ['Events', 'events', slots(eventSlot)],
    ['QueryLTime', 'queryLtime', uint64],
  ],
)

const userEvent = struct<SerfUserEvent>(
  () => ({ type: 'user-event', ltime: 0, name: '', payload: NO_BYTES, coalesce: false }),
  [
    ['LTime', 'ltime', uint64],
    ['Name', 'name', text],
    ['Payload', 'payload', bytes],
    ['CC', 'coalesce', bool],
  ],
)

const query = struct<SerfQuery>(
  () => ({
    type: 'query',
    ltime: 0,
    id: 0,
    addr: NO_BYTES,
    port: 0,
    sourceNode: '',
    filters: NO_ITEMS,
    flags: 0,
    relayFactor: 0,
    timeoutNs: 0,
    name: '',
    payload: NO_BYTES,
  }),
  [
    ['LTime', 'ltime', uint64],
    ['ID', 'id', uint32],
    ['Addr', 'addr', bytes],
    ['Port', 'port', uint16],
    ['SourceNode', 'sourceNode', text],
    ['Filters', 'filters', list(bytes)],
    ['Flags', 'flags', uint32],
    ['RelayFactor', 'relayFactor', uint8],
    ['Timeout', 'timeoutNs', int64],
    ['Name', 'name', text],
    ['Payload', 'payload', bytes],
  ],
)

const queryResponse = struct<SerfQueryResponse>(
  () => ({ type: 'query-response', ltime: 0, id: 0, from: '', flags: 0, payload: NO_BYTES }),
  [
    ['LTime', 'ltime', uint64],
    ['ID', 'id', uint32],
    ['From', 'from', text],
    ['Flags', 'flags', uint32],
    ['Payload', 'payload', bytes],
  ],
)

/** `SerfMember` with the six versions as the six fields they are on this message, and only on this. */
type FlatMember = Omit<SerfMember, 'vsn'> & {
  readonly [Key in 'min' | 'max' | 'current' | 'delegateMin' | 'delegateMax' | 'delegateCurrent']: number
}
const flatMember = struct<FlatMember>(
  () => ({
    name: '',
    addr: NO_BYTES,
    port: 0,
    tags: NO_ENTRIES,
    status: 0,
    min: 0,
    max: 0,
    current: 0,
    delegateMin: 0,
    delegateMax: 0,
    delegateCurrent: 0,
  }),
  [
    ['Name', 'name', text],
    ['Addr', 'addr', bytes],
    ['Port', 'port', uint16],
    ['Tags', 'tags', mapOf(text)],
    ['Status', 'status', int32],
    ['ProtocolMin', 'min', uint8],
    ['ProtocolMax', 'max', uint8],
    ['ProtocolCur', 'current', uint8],
    ['DelegateMin', 'delegateMin', uint8],
    ['DelegateMax', 'delegateMax', uint8],
    ['DelegateCur', 'delegateCurrent', uint8],
  ],
)

const member: Codec<SerfMember> = {
  decode(reader) {
    const { min, max, current, delegateMin, delegateMax, delegateCurrent, ...rest } = flatMember.decode(reader)
    return { ...rest, vsn: Uint8Array.of(min, max, current, delegateMin, delegateMax, delegateCurrent) }
  },
  encode(writer, { vsn, ...rest }) {
    const [min = 0, max = 0, current = 0, delegateMin = 0, delegateMax = 0, delegateCurrent = 0] = vsn
    flatMember.encode(writer, { ...rest, min, max, current, delegateMin, delegateMax, delegateCurrent })
  },
}

/** The whole body is a member or nil; there is no struct around it. */
const conflictResponse: Codec<SerfConflictResponse> = {
  decode: (reader) => ({ type: 'conflict-response', member: nullable(member).decode(reader) }),
  encode: (writer, message) => nullable(member).encode(writer, message.member),
}

const keyRequest = struct<SerfKeyRequest>(() => ({ type: 'key-request', key: NO_BYTES }), [['Key', 'key', bytes]])

const keyResponse = struct<SerfKeyResponse>(
  () => ({ type: 'key-response', result: false, message: '', keys: NO_ITEMS, primaryKey: '' }),
  [
    ['Result', 'result', bool],
    ['Message', 'message', text],
    ['Keys', 'keys', list(text)],
    ['PrimaryKey', 'primaryKey', text],
  ],
)

interface RelayAddress {
  readonly ip: Uint8Array
  readonly port: number
  readonly zone: string
}
const relayAddress = struct<RelayAddress>(
  () => ({ ip: NO_BYTES, port: 0, zone: '' }),
  [
    ['IP', 'ip', bytes],
    ['Port', 'port', int32],
    ['Zone', 'zone', text],
  ],
)

interface RelayHeader {
  readonly to: RelayAddress
  readonly name: string
}
const relayHeader = struct<RelayHeader>(
  () => ({ to: { ip: NO_BYTES, port: 0, zone: '' }, name: '' }),
  [
    ['DestAddr', 'to', relayAddress],
    ['DestName', 'name', text],
  ],
)

const relay: Codec<SerfRelay> = {
  decode(reader) {
    const { to, name } = relayHeader.decode(reader)
    checkIp(to.ip)
    if (to.port < 0 || to.port > 0xffff) throw new DecodeError(`relay to port ${to.port}`)
    const message = copyOf(reader.bytes.subarray(reader.at))
    return { type: 'relay', destAddr: to.ip, destPort: to.port, destZone: to.zone, destName: name, message }
  },
  encode(writer, { destAddr, destPort, destZone, destName, message }) {
    relayHeader.encode(writer, { to: { ip: destAddr, port: destPort, zone: destZone }, name: destName })
    writer.put(message)
  },
}

/** A message, type byte first. */
export function encodeSerfMessage(message: SerfMessage): Uint8Array {
  switch (message.type) {
    case 'leave':
      return encode(SerfType.leave, leave, message)
    case 'join':
      return encode(SerfType.join, join, message)
    case 'push-pull':
      return encode(SerfType.pushPull, pushPull, message)
    case 'user-event':
      return encode(SerfType.userEvent, userEvent, message)
    case 'query':
      return encode(SerfType.query, query, message)
    case 'query-response':
      return encode(SerfType.queryResponse, queryResponse, message)
    case 'conflict-response':
      return encode(SerfType.conflictResponse, conflictResponse, message)
    case 'key-request':
      return encode(SerfType.keyRequest, keyRequest, message)
    case 'key-response':
      return encode(SerfType.keyResponse, keyResponse, message)
    case 'relay':
      return encode(SerfType.relay, relay, message)
  }
}

/** A message, type byte first. Bytes behind it are ignored, but for a relay's. What it holds is copied. Throws `DecodeError`. */
export function decodeSerfMessage(all: Uint8Array): SerfMessage {
  const reader = new Reader(all, 1)
  switch (all[0]) {
    case SerfType.leave:
      return leave.decode(reader)
    case SerfType.join:
      return join.decode(reader)
    case SerfType.pushPull:
      return pushPull.decode(reader)
    case SerfType.userEvent:
      return userEvent.decode(reader)
    case SerfType.query: {
      const message = query.decode(reader)
      checkIp(message.addr)
      return message
    }
    case SerfType.queryResponse:
      return queryResponse.decode(reader)
    case SerfType.conflictResponse:
      return conflictResponse.decode(reader)
    case SerfType.keyRequest:
      return keyRequest.decode(reader)
    case SerfType.keyResponse:
      return keyResponse.decode(reader)
    case SerfType.relay:
      return relay.decode(reader)
    case undefined:
      throw new DecodeError('empty Serf message')
    default:
      throw new DecodeError(`Serf message of type ${all[0]}`)
  }
}

function encode<Message>(type: number, codec: Codec<Message>, message: Message): Uint8Array {
  return written((writer) => {
    writer.byte(type)
    codec.encode(writer, message)
  })
}
