// The main door: what `import … from 'rollcall'` gives. Re-exports only.
export type { Accept } from './accept.ts'
export {
  ClosedError,
  DecodeError,
  DecryptError,
  type ErrorCode,
  JoinError,
  MembershipError,
  OptionsError,
  QueryError,
  SizeError,
  StorageError,
  TimeoutError,
  TransportError,
} from './base/errors.ts'
export type { Change } from './changes.ts'
export type { Host, Reachable } from './driver/host.ts'
export type { LogFile, LogFileMode, LogStorage, Storage } from './driver/storage.ts'
export type { WarningCode } from './driver/warnings.ts'
export type {
  ClosedEvent,
  ConflictEvent,
  EventMap,
  MemberDeadEvent,
  MemberEvent,
  MemberJoinEvent,
  MemberLeavingEvent,
  MemberLeftEvent,
  MemberReapEvent,
  MemberRecoverEvent,
  MemberSuspectEvent,
  MembershipEvent,
  MemberUpdateEvent,
  QueryEvent,
  UserEvent,
  WarningEvent,
} from './events.ts'
export type { Explanation, ExplanationEntry } from './explain.ts'
export { type KeyOptions, type Keys, KeysError, type KeysResult, type UseKeyOptions } from './keys.ts'
export type { Status } from './lifecycle.ts'
export type { MemberFilter } from './member-filter.ts'
export { type JoinOptions, Membership, type MembershipStats } from './membership.ts'
export type { MembershipOptions } from './options.ts'
export type { Payload } from './pack.ts'
export type { Answers, Query, QueryOutcome, QueryResponse } from './query.ts'
export type { QueryOptions } from './querying.ts'
export type { ReconnectTimeoutFor } from './reconnect-timeout.ts'
export type { JoinResult, SeedFailure, Seeds } from './seeds.ts'
export type { SendEventOptions } from './sending.ts'
export type { CoordinateStats } from './serf/coordinates.ts'
export type { Member, MemberState, RawTags, TagsOf } from './serf/members.ts'
export type { Profile } from './swim/options.ts'
export type { TrailEntry, TrailEvent } from './swim/trail.ts'
export type { SchemaIssue, SchemaResult, TagsSchema } from './validate-tags.ts'
export type { Coordinate } from './wire/types.ts'
