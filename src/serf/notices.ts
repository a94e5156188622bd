// What the protocol tells its host, as data. The facade turns notices into events and promises.
import type { SwimWarning } from '../swim/delegate.ts'
import type { Member } from './members.ts'

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
  | 'message-unsupported'
  | 'lamport-leap'
  | 'intent-limit'
  | 'queue-full'
  | 'queue-depth'

export type SerfNotice =
  | {
      readonly type: MemberNoticeType
      readonly member: Member
      /** The member as the notice before left it; absent where it was unknown. A rise of its incarnation alone is no notice, so that
       *  may be an older one. */
      readonly previous: Member | undefined
    }
  /** Another address claims a name that is taken. */
  | { readonly type: 'conflict'; readonly name: string; readonly address: string; readonly claimedBy: string }
  | { readonly type: 'warning'; readonly code: SerfWarning; readonly message: string }
  /** A full exchange that we began is over. */
  | { readonly type: 'exchange-done'; readonly id: number; readonly error: string | undefined }
  /** A broadcast of ours was sent often enough, or superseded. */
  | { readonly type: 'told'; readonly ticket: number }
  /** Our leave is complete. */
  | { readonly type: 'departed' }
