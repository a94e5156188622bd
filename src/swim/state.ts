// What the machine remembers: the table of members, the running probe, what it awaits, and the parts that decide. Plain data;
// the transitions stand in the files that own them (claims, failure-detector, relays, gossip, push-pull).
import type { Deadlines } from '../base/deadlines.ts'
import type { Random } from '../base/random.ts'
import type { Slices } from '../base/slices.ts'
import type { Address } from '../wire/address.ts'
import type { Cidr } from '../wire/cidr.ts'
import type { Dead } from '../wire/types.ts'
import type { Awareness } from './awareness.ts'
import type { SwimDelegate } from './delegate.ts'
import type { DisseminationQueue } from './dissemination-queue.ts'
import type { MemberRecord } from './member.ts'
import type { MemberTable } from './member-table.ts'
import type { SwimOptions } from './options.ts'
import type { OurState } from './our-state.ts'
import type { EffectSink } from './outbox.ts'
import type { Trail } from './trail.ts'

/** What can come due. */
export type SwimDue =
  | { readonly kind: 'probe-tick' }
  | { readonly kind: 'probe-timeout'; readonly seqNo: number }
  | { readonly kind: 'probe-end'; readonly seqNo: number }
  | { readonly kind: 'relay-timeout'; readonly seqNo: number }
  | { readonly kind: 'ping-timeout'; readonly seqNo: number }
  | { readonly kind: 'suspicion'; readonly name: string }
  | { readonly kind: 'verdict-check'; readonly name: string }
  | { readonly kind: 'last-ping'; readonly name: string }
  | { readonly kind: 'gossip' }
  | { readonly kind: 'push-pull' }
  | { readonly kind: 'merge' }

/** One probe under way (SWIM §3.1). */
export interface Probe {
  readonly seqNo: number
  readonly target: MemberRecord
  /** As of the ping: the verdict is of this one, whoever bears the name by then. */
  readonly incarnation: number
  /** An object of its own: a failed send that names this very one was the ping. */
  readonly address: Address
  readonly sentAt: number
  /** The verdict falls here, unless an ack came. A stall moves it. */
  endsAt: number
  /** `direct` until the probe timeout, `indirect` until the end. */
  stage: 'direct' | 'indirect'
  /** The direct stage was skipped because the network refused the packet. */
  skipped: boolean
  /** We stood still meanwhile: what we measure is not the round trip. */
  isDisturbed: boolean
  /** Absent in the direct stage, with which most probes end: who was asked to ping it, by the address that answers come from, and where
   *  nacks came from, never more than are wanted. */
  asked: { readonly helpers: Map<string, string>; readonly nackedBy: Set<string> } | undefined
  nacksWanted: number
  /** The fallback ping over a stream was answered. */
  streamAcked: boolean
}

/** A ping that a user asked for. */
export interface DirectPing {
  /** The user's number for it. */
  readonly id: number
  readonly name: string
  /** An object of its own, as `Probe.address`. */
  readonly address: Address
  readonly sentAt: number
  /** The question is over here, however often we stand still: the first stall moves it, and no other. */
  endsAt: number
  /** It was asked again already. */
  readonly isSecond: boolean
  /** Stalls of ours since it was asked first. */
  stalls: number
  /** As `Probe.isDisturbed`. */
  isDisturbed: boolean
}

/** A ping we make for another (SWIM §3.1, ping-req). */
export interface Relay {
  readonly requester: Address
  /** What it calls itself; empty from old senders. */
  readonly requesterName: string
  readonly requesterSeqNo: number
  readonly wantsNack: boolean
  /** The host that the request came from. */
  readonly source: string
}

/** A member that is asked whether another's verdict is true, or has said lately that it is not (verdict-checks.ts). */
export interface VerdictCheck {
  readonly seqNo: number
  readonly claim: Dead
  /** The verdict as it was received, and from where. */
  readonly note: { readonly received?: Uint8Array; readonly from?: Address }
  readonly sentAt: number
  isAnswered: boolean
}

/** One exchange that is being taken (merge.ts). */
export interface Merge {
  readonly work: Slices
  /** What it counts against the limit; 0 where we asked for it: those are as many as we asked. */
  readonly heldBytes: number
  /** Called when all is taken. */
  taken(now: number): void
}

/** An exchange we began. `ask`: we told nothing yet, and shall when their state is taken. */
export interface PushPullRequest {
  readonly purpose: 'push-pull'
  readonly to: Address
  readonly stage: 'ask' | 'tell'
}

/** A stream we opened and await. */
export type PendingRequest = { readonly purpose: 'probe'; readonly seqNo: number } | PushPullRequest

/** The whole machine, as its leaves see it. */
export interface SwimState {
  readonly options: SwimOptions
  /** Bytes of a datagram that are not ours to fill: label, encryption, checksum. */
  readonly packetOverheadBytes: number
  /** Where members may live; absent: anywhere. */
  readonly allowedCidrs: readonly Cidr[] | undefined
  readonly random: Random
  readonly delegate: SwimDelegate
  readonly outbox: EffectSink
  readonly deadlines: Deadlines<SwimDue>
  readonly members: MemberTable
  readonly queue: DisseminationQueue
  readonly awareness: Awareness
  /** Our own record; in the table too. */
  readonly self: MemberRecord
  readonly relays: Map<number, Relay>
  readonly pings: Map<number, DirectPing>
  /** Members that were asked whether they are dead, by name. */
  readonly checks: Map<string, VerdictCheck>
  readonly trail: Trail
  readonly requests: Map<number, PendingRequest>
  /** Exchanges that are being taken, in the order they came. */
  readonly merges: Merge[]
  readonly ourState: OurState
  probe: Probe | undefined
  /** A probe tick fell while a probe was under way. */
  probeTickMissed: boolean
  /** How many members were told what they seem not to know, since when; see `reminders.ts`. */
  readonly reminders: { since: number; count: number }
  /** When the next round of gossip falls, or would have fallen; none before the start, or where gossip is off. `isAwaited` while there is
   *  something to tell: then it is among the deadlines. */
  readonly gossip: { at: number | undefined; isAwaited: boolean }
  /** Bytes of packets that the layer above may claim from membership; see `piggyback.ts`. */
  creditAbove: number
  seqNo: number
  requestId: number
  /** `leave` was called: what is said of us is no longer refuted. */
  isLeaving: boolean
}

/** The next sequence number: 32 bits, never 0. */
export function nextSeqNo(state: SwimState): number {
  state.seqNo = (state.seqNo + 1) >>> 0 || 1
  return state.seqNo
}
