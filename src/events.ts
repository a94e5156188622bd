// What a host can listen to: one union, one literal `type` a variant; the map is derived, so a new event is one edit.
// Payloads are frozen snapshots, delivered after the state is consistent. `member-*` is never about ourselves. `Tags` is what
// `validateTags` gives, or nothing without it.
import type { WarningCode } from './driver/warnings.ts'
import type { Payload } from './pack.ts'
import type { Member } from './serf/members.ts'

/** What every `member-*` event carries. */
interface MemberChange<Tags> {
  /** The member as it is now. */
  readonly member: Member<Tags>
  /** The member as it was; absent where it was unknown. */
  readonly previous?: Member<Tags>
}

/** A member is new, or back from dead or left. */
export interface MemberJoinEvent<Tags = undefined> extends MemberChange<Tags> {
  readonly type: 'member-join'
}

/** A member does not answer, and has until the end of the suspicion to say that it lives (SWIM §4.2). It is a member still. */
export interface MemberSuspectEvent<Tags = undefined> extends MemberChange<Tags> {
  readonly type: 'member-suspect'
}

/** A suspicion was refuted, or an announced leave taken back. */
export interface MemberRecoverEvent<Tags = undefined> extends MemberChange<Tags> {
  readonly type: 'member-recover'
}

/** A suspicion was not refuted in time: the member is held to be gone. Serf's word is failed. */
export interface MemberDeadEvent<Tags = undefined> extends MemberChange<Tags> {
  readonly type: 'member-dead'
}

/** A member has announced that it leaves. It still answers. */
export interface MemberLeavingEvent<Tags = undefined> extends MemberChange<Tags> {
  readonly type: 'member-leaving'
}

/** A member is gone of its own will. */
export interface MemberLeftEvent<Tags = undefined> extends MemberChange<Tags> {
  readonly type: 'member-left'
}

/** The tags of a member changed. */
export interface MemberUpdateEvent<Tags = undefined> extends MemberChange<Tags> {
  readonly type: 'member-update'
}

/** A member long gone was erased from the list. */
export interface MemberReapEvent<Tags = undefined> extends MemberChange<Tags> {
  readonly type: 'member-reap'
}

/** Another process claims a name that is taken. The present holder keeps it. */
export interface ConflictEvent {
  readonly type: 'conflict'
  readonly name: string
  /** `host:port` of the holder; ours where the name is our own. */
  readonly address: string
  /** `host:port` of the other. */
  readonly claimedBy: string
}

/** A user event was heard of for the first time, or is our own: once each, in the order in which they were accepted here. */
export interface UserEvent {
  readonly type: 'user-event'
  readonly name: string
  /** One copy for all listeners; empty where none was sent. */
  readonly payload: Uint8Array
  /** Lamport time at the sender: what was sent after another was heard has a later one. */
  readonly ltime: number
  /** The sender would have only the newest of its name delivered where several come at once. Not told of events that were replayed. */
  readonly coalesce: boolean
  /** The payload as a structured value, where it is MessagePack; undefined where it is empty. @throws DecodeError where it is neither */
  unpack(): unknown
}

/** A member asks, and we are among those that it means; also our own queries. Who does not answer is waited for until time is up. */
export interface QueryEvent {
  readonly type: 'query'
  readonly name: string
  /** Empty where none was sent. */
  readonly payload: Uint8Array
  /** The member that asks: its name, or its address where it is unknown. */
  readonly from: string
  /** Lamport time at the asker: what was asked after another was heard has a later one. */
  readonly ltime: number
  /** Milliseconds that were left for an answer when this was told. */
  readonly deadlineMs: number
  /** The payload as a structured value, where it is MessagePack; undefined where it is empty. @throws DecodeError where it is neither */
  unpack(): unknown
  /** Answers, once: bytes and texts go as they are; anything else as MessagePack. Default nothing.
   *  @throws QueryError where it has been answered, TimeoutError where the time is up, SizeError where it takes more than
   *  `queryResponseSizeLimit`, OptionsError, ClosedError: nothing is sent */
  respond(payload?: Payload): void
}

/** Something a person should know. Told at once, then at most once in ten seconds a code. */
export interface WarningEvent {
  readonly type: 'warning'
  readonly code: WarningCode
  readonly message: string
  /** Warnings of this code held back since the last one. */
  readonly suppressed: number
}

/** The instance is closed; nothing follows. */
export interface ClosedEvent {
  readonly type: 'closed'
  /** `left`: by `leave()`. `closed`: by `close()`, without a goodbye. `failed`: the sockets failed; see `error`. `conflict`: another member has
   *  our name, and more members know that one by it. */
  readonly reason: 'left' | 'closed' | 'failed' | 'conflict'
  readonly error?: Error
}

export type MemberEvent<Tags = undefined> =
  | MemberJoinEvent<Tags>
  | MemberSuspectEvent<Tags>
  | MemberRecoverEvent<Tags>
  | MemberDeadEvent<Tags>
  | MemberLeavingEvent<Tags>
  | MemberLeftEvent<Tags>
  | MemberUpdateEvent<Tags>
  | MemberReapEvent<Tags>

export type MembershipEvent<Tags = undefined> =
  | MemberEvent<Tags>
  | UserEvent
  | QueryEvent
  | ConflictEvent
  | WarningEvent
  | ClosedEvent

/** For `EventEmitter`: the arguments of each event's listeners. */
export type EventMap<Tags = undefined> = {
  [Type in MembershipEvent['type']]: [event: Extract<MembershipEvent<Tags>, { type: Type }>]
}
