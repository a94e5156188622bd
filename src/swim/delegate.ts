// What the layer above SWIM must offer, and what SWIM tells it. Owned here, implemented in `serf/swim-delegate.ts`:
// the lower room never names the higher one. Calls come in the middle of a transition, after the record has changed;
// an implementation changes its own state and the outbox, and never calls back into the machine.
import type { Slices } from '../base/slices.ts'
import type { Address } from '../wire/address.ts'
import type { Alive } from '../wire/types.ts'
import type { MemberRecord } from './member.ts'

/** How often, by what. A closed list, so that counters are bounded. */
export type SwimWarning =
  | 'claim-invalid'
  | 'address-refused'
  | 'member-refused'
  | 'member-limit'
  | 'name-refused'
  | 'ping-misdirected'
  | 'relay-limit'
  | 'ping-limit'
  | 'stream-only'
  | 'stall'
  | 'merge-refused'
  | 'refutation-impossible'

/** What waits to be told, as packets will hold it. */
export interface BroadcastsWaiting {
  /** The part that goes next; 0 where nothing waits. */
  readonly nextBytes: number
  /** All parts together. */
  readonly allBytes: number
}

/** Why a ping that was asked for gave no round trip: none was heard in time; we stood still again and again, and what was heard tells how
 *  long; the network refused it; our own socket could not send it. The last two as in the trail. */
export type PingProblem = 'unanswered' | 'stalled' | 'unsendable' | 'unsent'

/** How a ping that was asked for ended. */
export type PingEnd = { readonly rttMs: number } | { readonly problem: PingProblem }

export interface SwimDelegate {
  /** A member is new, or back from dead or left. Also told of ourselves, at the start. */
  memberJoined(member: MemberRecord, now: number): void
  /** A member is now dead or left; `member.status` says which. */
  memberGone(member: MemberRecord, now: number): void
  /** A member is accused, and has until the end of the suspicion to refute. */
  memberSuspected(member: MemberRecord, now: number): void
  /** A suspicion ended well. */
  memberRecovered(member: MemberRecord, now: number): void
  /** Metadata, versions or the form of the address changed. */
  memberUpdated(member: MemberRecord, now: number): void
  /** A member that was dead turns out to have left of its own will. */
  memberLeftAfterAll(member: MemberRecord, now: number): void
  /** Whether the claim may be taken, by which a member comes in, comes back, moves, or tells something new of itself. Never asked of
   *  ourselves. The one call that comes before the record has changed, and often: the same claim may come again and again. */
  accepts(claim: Alive, address: Address, now: number): boolean
  /** Another address claims a name that is taken. Where it is ours, `existing` is our own record. */
  nameConflict(existing: MemberRecord, claimed: Address, now: number): void
  /** Bytes of the layer above arrived by packet or stream. */
  userMessage(bytes: Uint8Array, from: Address, now: number): void
  /** How much the layer above has to tell, each part with `overheadBytes` beside its length. Asked for every packet. */
  broadcastsWaiting(overheadBytes: number): BroadcastsWaiting
  /** Broadcasts of the layer above that fit: each part costs `overheadBytes` beside its length. Parts are whole messages.
   *  @param isCounted false where the telling does not count as one, since the receiver may be no more */
  drawBroadcasts(
    overheadBytes: number,
    budgetBytes: number,
    maxParts: number,
    isCounted: boolean,
  ): readonly Uint8Array[]
  /** The layer above's part of a full exchange. */
  localState(join: boolean): Uint8Array
  /** Takes the other side's part of a full exchange, which is never empty, a slice at a time.
   *  @param exchange the one that we began, by number; absent where anyone else did */
  mergeRemoteState(state: Uint8Array, join: boolean, now: number, exchange: number | undefined): Slices
  /** What an ack carries home. */
  ackPayload(): Uint8Array | null
  /** A member answered a probe, whichever way: directly, through others, or over a stream. */
  memberAnswered(member: MemberRecord, now: number): void
  /** A direct ping was answered in time; before `memberAnswered`. */
  pingCompleted(member: MemberRecord, rttMs: number, payload: Uint8Array | null, now: number): void
  /** A ping that was asked for under `id` is over. */
  pinged(id: number, end: PingEnd): void
  /** A full exchange that we began is over. */
  exchangeDone(id: number, error: string | undefined, now: number): void
  /** Something a person should know; the layer above bounds how often it is told. */
  warn(code: SwimWarning, message: string): void
}
