// The numbers on the wire and the shapes of what they name. Numbers are append only: a cluster of old and new members shares them.
// Sources: wire-protocol §2 (memberlist), §7 (Serf). `null` bytes are Go's nil and carry no meaning of their own.

/** First byte of a memberlist message. */
export const SwimType = {
  ping: 0,
  indirectPing: 1,
  ack: 2,
  suspect: 3,
  alive: 4,
  dead: 5,
  pushPull: 6,
  compound: 7,
  user: 8,
  compress: 9,
  encrypt: 10,
  nack: 11,
  crc: 12,
  error: 13,
  label: 244,
} as const

/** First byte of a Serf message. */
export const SerfType = {
  leave: 0,
  join: 1,
  pushPull: 2,
  userEvent: 3,
  query: 4,
  queryResponse: 5,
  conflictResponse: 6,
  keyRequest: 7,
  keyResponse: 8,
  relay: 9,
} as const

/** State of a member in a push/pull record. */
export const WireState = { alive: 0, suspect: 1, dead: 2, left: 3 } as const

/** A 64-bit number: a `number` up to 2^53 - 1, a `bigint` above. */
export type Uint64 = number | bigint

/** Are you there? Answered by `Ack` if `node` is our name or empty. */
export interface Ping {
  readonly type: 'ping'
  readonly seqNo: number
  readonly node: string
  /** Where the answer goes; absent from old senders. */
  readonly sourceAddr: Uint8Array | null
  readonly sourcePort: number
  readonly sourceNode: string
}

/** Please ping `target` for me. */
export interface IndirectPing {
  readonly type: 'indirect-ping'
  readonly seqNo: number
  readonly target: Uint8Array
  readonly port: number
  readonly node: string
  /** The asker wants a `Nack` when the target does not answer. */
  readonly nack: boolean
  readonly sourceAddr: Uint8Array | null
  readonly sourcePort: number
  readonly sourceNode: string
}

export interface Ack {
  readonly type: 'ack'
  readonly seqNo: number
  readonly payload: Uint8Array | null
}

export interface Nack {
  readonly type: 'nack'
  readonly seqNo: number
}

/** Why a stream's request was not read; text from a peer. */
export interface WireError {
  readonly type: 'error'
  readonly error: string
}

/** `from` holds that `node` does not answer. */
export interface Suspect {
  readonly type: 'suspect'
  readonly incarnation: number
  readonly node: string
  readonly from: string
}

/** `from` holds that `node` is gone; where the two are one, it left of its own will. */
export interface Dead {
  readonly type: 'dead'
  readonly incarnation: number
  readonly node: string
  readonly from: string
}

/** `node` is here, with these properties. */
export interface Alive {
  readonly type: 'alive'
  readonly incarnation: number
  readonly node: string
  /** 4 or 16 bytes. */
  readonly addr: Uint8Array
  readonly port: number
  /** At most 512 bytes; Serf keeps the tags here. */
  readonly meta: Uint8Array
  /** Protocol min, max, current; delegate min, max, current. Fewer than six bytes say nothing. */
  readonly vsn: Uint8Array
}

/** Bytes for the layer above. */
export interface User {
  readonly type: 'user'
  readonly payload: Uint8Array
}

/** One member as a push/pull lists it. */
export interface PushPullMember {
  readonly name: string
  readonly addr: Uint8Array
  readonly port: number
  readonly meta: Uint8Array
  readonly incarnation: number
  /** A `WireState`; other numbers come from strangers. */
  readonly state: number
  readonly vsn: Uint8Array
}

/** All that one side knows. Streams only. */
export interface PushPull {
  readonly type: 'push-pull'
  readonly join: boolean
  readonly members: readonly PushPullMember[]
  /** A Serf push/pull message, or empty. */
  readonly userState: Uint8Array
}

/** What a datagram may carry, after its layers. */
export type PacketMessage = Ping | IndirectPing | Ack | Nack | Suspect | Alive | Dead | User
/** What a stream may carry, after its layers. */
export type StreamMessage = Ping | Ack | PushPull | User | WireError
export type SwimMessage = PacketMessage | StreamMessage

export interface SerfLeave {
  readonly type: 'leave'
  readonly ltime: Uint64
  readonly node: string
  readonly prune: boolean
}

export interface SerfJoin {
  readonly type: 'join'
  readonly ltime: Uint64
  readonly node: string
}

/** The events of one slot of Serf's ring. */
export interface SerfEventSlot {
  readonly ltime: Uint64
  readonly events: readonly { readonly name: string; readonly payload: Uint8Array }[]
}

/** The user state of a push/pull. */
export interface SerfPushPull {
  readonly type: 'push-pull'
  readonly ltime: Uint64
  /** Every member a sender knows, with the time of its last intent. */
  readonly statusLtimes: ReadonlyMap<string, Uint64>
  readonly leftMembers: readonly string[]
  readonly eventLtime: Uint64
  /** The slots in use; empty ones are left out. */
  readonly events: readonly SerfEventSlot[]
  readonly queryLtime: Uint64
}

export interface SerfUserEvent {
  readonly type: 'user-event'
  readonly ltime: Uint64
  readonly name: string
  readonly payload: Uint8Array
  readonly coalesce: boolean
}

export interface SerfQuery {
  readonly type: 'query'
  readonly ltime: Uint64
  readonly id: number
  readonly addr: Uint8Array
  readonly port: number
  readonly sourceNode: string
  readonly filters: readonly Uint8Array[]
  /** 1: acks wanted; 2: do not rebroadcast. */
  readonly flags: number
  readonly relayFactor: number
  /** Nanoseconds. */
  readonly timeoutNs: Uint64
  readonly name: string
  readonly payload: Uint8Array
}

export interface SerfQueryResponse {
  readonly type: 'query-response'
  readonly ltime: Uint64
  readonly id: number
  readonly from: string
  readonly flags: number
  readonly payload: Uint8Array
}

/** A member as Serf describes it to another. */
export interface SerfMember {
  readonly name: string
  readonly addr: Uint8Array
  readonly port: number
  readonly tags: ReadonlyMap<string, string>
  /** 0 none, 1 alive, 2 leaving, 3 left, 4 failed. */
  readonly status: number
  readonly vsn: Uint8Array
}

export interface SerfConflictResponse {
  readonly type: 'conflict-response'
  readonly member: SerfMember | null
}

export interface SerfKeyRequest {
  readonly type: 'key-request'
  readonly key: Uint8Array
}

export interface SerfKeyResponse {
  readonly type: 'key-response'
  readonly result: boolean
  readonly message: string
  readonly keys: readonly string[]
  readonly primaryKey: string
}

/** Another Serf message, to be sent on unread. */
export interface SerfRelay {
  readonly type: 'relay'
  readonly destAddr: Uint8Array
  readonly destPort: number
  readonly destZone: string
  readonly destName: string
  readonly message: Uint8Array
}

export type SerfMessage =
  | SerfLeave
  | SerfJoin
  | SerfPushPull
  | SerfUserEvent
  | SerfQuery
  | SerfQueryResponse
  | SerfConflictResponse
  | SerfKeyRequest
  | SerfKeyResponse
  | SerfRelay

/** Where a member is on the network: round trips are distances (Vivaldi). All but `error` in seconds. */
export interface Coordinate {
  /** Its place in the plane, eight numbers in a cluster of Serf. */
  readonly vector: readonly number[]
  /** How sure the member is of it: 0 is sure, 1.5 knows nothing. Relative, without a unit. */
  readonly error: number
  /** What the plane gets wrong about this member, to be added to each distance. */
  readonly adjustment: number
  /** The way from the member to the plane: its link to the network. */
  readonly height: number
}
