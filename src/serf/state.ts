// What Serf remembers beside SWIM. Plain data; the transitions stand in the files that own them
// (swim-delegate, intents, recent-intents, push-pull, departure, overdue, prune, reaper, reconnect).
import type { Deadlines } from '../base/deadlines.ts'
import type { Random } from '../base/random.ts'
import type { Outbox } from '../swim/outbox.ts'
import type { Swim } from '../swim/swim.ts'
import type { Address } from '../wire/address.ts'
import type { Broadcasts } from './broadcasts.ts'
import type { Coalescing, LayerName } from './coalesce.ts'
import type { Coordinates } from './coordinates.ts'
import type { UserEvents } from './event-state.ts'
import type { Keys } from './key-state.ts'
import type { LamportClock } from './lamport-clock.ts'
import type { AnyMember, SerfMembers } from './members.ts'
import type { MemberNoticeType, SerfNotice, SerfWarning } from './notices.ts'
import type { SerfOptions } from './options.ts'
import type { Queries } from './query-state.ts'
import type { RecentIntents } from './recent-intents.ts'
import type { Snapshot } from './snapshot.ts'

/** How far our own leave has come; see `departure.ts`. */
export interface Departure {
  stage: 'intent' | 'goodbye' | 'linger'
  /** The broadcast this stage waits for. */
  ticket: number
}

/** How reaching for the dead goes; see `reconnect.ts`. */
export interface Reconnect {
  /** The exchange under way; another waits for its end. */
  exchange: number | undefined
  /** The pause after the next attempt of the quick ones that follow a mass failure; 0 where none are due. */
  pauseMs: number
}

/** What can come due. */
export type SerfDue =
  | { readonly kind: 'departure' }
  | { readonly kind: 'coalesced'; readonly layer: LayerName }
  | { readonly kind: 'reap' }
  | { readonly kind: 'prune'; readonly name: string }
  | { readonly kind: 'goodbye'; readonly name: string; readonly since: number }
  | { readonly kind: 'return'; readonly name: string }
  | { readonly kind: 'reconnect' }
  | { readonly kind: 'reconnect-soon' }
  | { readonly kind: 'queue-check' }
  | { readonly kind: 'query'; readonly ltime: number }
  | { readonly kind: 'conflict-vote'; readonly rival: Address }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'snapshot-forget' }

export interface SerfState {
  readonly name: string
  readonly options: SerfOptions
  readonly swim: Swim
  readonly random: Random
  readonly outbox: Outbox<SerfNotice>
  readonly deadlines: Deadlines<SerfDue>
  readonly members: SerfMembers
  /** Absent where they are off. */
  readonly coordinates: Coordinates | undefined
  readonly clock: LamportClock
  /** What is still to be told. */
  readonly broadcasts: Broadcasts
  /** News that waits to be told together. */
  readonly coalescing: Coalescing
  readonly events: UserEvents
  readonly queries: Queries
  readonly recentIntents: RecentIntents
  readonly reconnect: Reconnect
  /** What outlives us; absent where nothing is to. */
  readonly snapshot: Snapshot | undefined
  readonly keys: Keys
  /** The user's word on how long one that is gone stays; see `reaper.ts`. */
  readonly reconnectTimeoutFor?: ((member: AnyMember, defaultMs: number) => number) | undefined
  departure: Departure | undefined
  /** We have asked who else bears our name; see `conflict-vote.ts`. */
  isVoting: boolean
  lastTicket: number
  /** Broadcasts dropped untold, of all queues, as far as a warning told of them. */
  prunedTold: number
}

/** A number for a broadcast whose end somebody waits for. */
export function nextTicket(state: SerfState): number {
  state.lastTicket++
  return state.lastTicket
}

/** Tells a person. */
export function warn(state: Pick<SerfState, 'outbox'>, code: SerfWarning, message: string): void {
  state.outbox.notify({ type: 'warning', code, message })
}

/** Tells what happened to a member, with how it was before; ourselves we leave out. */
export function tell(state: SerfState, type: MemberNoticeType, name: string, previous: AnyMember | undefined): void {
  const member = state.members.view(name)
  if (member === undefined || member.isSelf) return
  state.outbox.notify({ type, member, previous })
}
