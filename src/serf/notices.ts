// What the protocol tells its host, as data. The facade turns notices into events and promises.
import type { PingEnd, SwimWarning } from '../swim/delegate.ts'
import type { Address } from '../wire/address.ts'
import type { AnyMember } from './members.ts'

/** What happened to a member; never told of ourselves. */
export type MemberNoticeType =
  | 'member-join'
  | 'member-suspect'
  | 'member-recover'
  | 'member-dead'
  | 'member-leaving'
  | 'member-left'
  | 'member-update'
  | 'member-reap'

/** Why a person should look. A closed list, so that counters and rates are bounded. */
export type SerfWarning =
  | SwimWarning
  | 'message-invalid'
  | 'lamport-leap'
  | 'coordinate-refused'
  | 'intent-limit'
  | 'queue-full'
  | 'queue-depth'
  | 'event-old'
  | 'event-limit'
  | 'keyring-unwritten'
  | 'filter-invalid'
  | 'query-old'
  | 'query-limit'
  | 'query-unknown'
  | 'relay-refused'
  | 'response-unsent'
  | 'conflict-undecided'
  | 'conflict-lost'

export interface MemberNotice {
  readonly type: MemberNoticeType
  readonly member: AnyMember
  /** The member as the notice before left it; absent where it was unknown. A rise of its incarnation alone is no notice, so that
   *  may be an older one. */
  readonly previous: AnyMember | undefined
}

/** A user event, heard of for the first time, or our own. */
export interface EventNotice {
  readonly type: 'user-event'
  readonly name: string
  /** Nobody else's. */
  readonly payload: Uint8Array
  readonly ltime: number
  readonly coalesce: boolean
}

/** A query that is meant for us. Whoever holds it may answer it once. */
export interface ReceivedQuery {
  readonly ltime: number
  readonly id: number
  readonly name: string
  readonly payload: Uint8Array
  /** What the asker calls itself; empty from those of old. */
  readonly source: string
  readonly address: Address
  readonly relayFactor: number
  /** When answers no longer count, by our own clock. */
  readonly deadline: number
  /** We asked it ourselves. */
  readonly isOurs: boolean
  isAnswered: boolean
}

/** Why a query is over: everybody who was meant has answered, or its time is up. */
export type QueryEnd = 'complete' | 'timeout'

/** An answer to a query of ours, named by its time; and that no more come. */
export type QueryAnswerNotice =
  | { readonly type: 'query-ack'; readonly ltime: number; readonly from: string }
  | { readonly type: 'query-response'; readonly ltime: number; readonly from: string; readonly payload: Uint8Array }
  | { readonly type: 'query-done'; readonly ltime: number; readonly reason: QueryEnd }

/** What is to be written: lines to add, or the whole file. */
export interface SnapshotNotice {
  readonly type: 'snapshot'
  readonly op: 'append' | 'replace'
  readonly bytes: Uint8Array
  /** It must stand also where the machine stops. */
  readonly isSynced: boolean
}

/** All that the keyring file is to hold. How that ended is told by `keysStored`; until then no other comes. */
export interface StoreKeysNotice {
  readonly type: 'store-keys'
  readonly bytes: Uint8Array
}

/** What one member sent when it was asked about keys. */
export interface KeyAnswer {
  readonly from: string
  readonly payload: Uint8Array
}

/** All that came for one question about keys. */
export interface KeyAnswersNotice {
  readonly type: 'key-answers'
  readonly ticket: number
  readonly answers: readonly KeyAnswer[]
}

export type SerfNotice =
  | MemberNotice
  /** Another address claims a name that is taken. */
  | { readonly type: 'conflict'; readonly name: string; readonly address: string; readonly claimedBy: string }
  | { readonly type: 'warning'; readonly code: SerfWarning; readonly message: string }
  | EventNotice
  /** A query that is meant for us. */
  | { readonly type: 'query'; readonly query: ReceivedQuery }
  | QueryAnswerNotice
  /** More members know another by our name than us: we are to close. */
  | { readonly type: 'conflict-lost' }
  /** A ping that was asked for is over. */
  | { readonly type: 'pinged'; readonly id: number; readonly end: PingEnd }
  /** A full exchange that we began is over. */
  | { readonly type: 'exchange-done'; readonly id: number; readonly error: string | undefined }
  /** A broadcast of ours was sent often enough, or superseded. */
  | { readonly type: 'told'; readonly ticket: number }
  /** Something is to be written down. */
  | SnapshotNotice
  | StoreKeysNotice
  | KeyAnswersNotice
  /** Our leave is complete. */
  | { readonly type: 'departed' }
