// What the machine remembers: the table of members, the running probe, what it awaits, and the parts that decide. Plain data;
// the transitions stand in the files that own them (claims, failure-detector, relays, gossip, push-pull).
import type { Deadlines } from '../base/deadlines.ts'
import type { Random } from '../base/random.ts'
import type { Address } from '../wire/address.ts'
import type { Awareness } from './awareness.ts'
import type { SwimDelegate } from './delegate.ts'
import type { DisseminationQueue } from './dissemination-queue.ts'
import type { MemberRecord } from './member.ts'
import type { MemberTable } from './member-table.ts'
import type { SwimOptions } from './options.ts'
import type { EffectSink } from './outbox.ts'

/** What can come due. */
export type SwimDue =
  | { readonly kind: 'probe-tick' }
  | { readonly kind: 'probe-timeout'; readonly seqNo: number }
  | { readonly kind: 'probe-end'; readonly seqNo: number }
  | { readonly kind: 'relay-timeout'; readonly seqNo: number }
  | { readonly kind: 'suspicion'; readonly name: string }
  | { readonly kind: 'gossip' }
  | { readonly kind: 'push-pull' }

/** One probe under way (SWIM §3.1). */
export interface Probe {
  readonly seqNo: number
  readonly target: MemberRecord
  /** As of the ping: the verdict is of this one, whoever bears the name by then. */
  readonly incarnation: number
  readonly address: Address
  readonly sentAt: number
  /** The verdict falls here, unless an ack came. */
  readonly endsAt: number
  /** `direct` until the probe timeout, `indirect` until the end. */
  stage: 'direct' | 'indirect'
  /** The direct stage was skipped because the network refused the packet. */
  skipped: boolean
  nacksWanted: number
  nacksReceived: number
  /** The fallback ping over a stream was answered. */
  streamAcked: boolean
}

/** A ping we make for another (SWIM §3.1, ping-req). */
export interface Relay {
  readonly requester: Address
  /** What it calls itself; empty from old senders. */
  readonly requesterName: string
  readonly requesterSeqNo: number
  readonly wantsNack: boolean
}

/** A stream we opened and await. */
export type PendingRequest =
  | { readonly purpose: 'probe'; readonly seqNo: number }
  | { readonly purpose: 'push-pull'; readonly to: Address }

/** The whole machine, as its leaves see it. */
export interface SwimState {
  readonly options: SwimOptions
  /** Bytes of a datagram that are not ours to fill: label, encryption, checksum. */
  readonly packetOverheadBytes: number
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
  readonly requests: Map<number, PendingRequest>
  probe: Probe | undefined
  /** A probe tick fell while a probe was under way. */
  probeTickMissed: boolean
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
