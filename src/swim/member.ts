// One member as SWIM knows it, and what follows from that alone. Plain data; only `claims.ts` changes it.
//
//   unknown ──alive──► alive ◄──alive, newer──► suspect ──timeout──► dead ──gossipToTheDeadMs──► forgotten
//                        └───── dead, from itself ─────► left ────────────────────────┘
//
// Back from dead or left: an alive claim with a higher incarnation (SWIM §4.2).
import type { Address } from '../wire/address.ts'
import type { Suspicion } from './suspicion.ts'

/** UTF-16 units of the longest name taken from others. Ours have at most 128 bytes, and Serf's where it checks them.
 *  Differs: memberlist takes names of any length, which fill memory, and packets that must hold one. */
export const MAX_NAME_LENGTH = 512

/** Members held at once, of every state. Clusters of tens of thousands fit; above, strangers are inventing names, each of which
 *  costs two kilobytes, four with long tags: some 270 MB at worst. Differs: memberlist's table grows with every name. */
export const MAX_MEMBERS = 65_536

/** What SWIM holds of a member. Suspects are members still. */
export type SwimStatus = 'alive' | 'suspect' | 'dead' | 'left'

/** All we know of one member. Mutable, and changed only by `claims.ts`; never handed to users. */
export interface MemberRecord {
  readonly name: string
  address: Address
  meta: Uint8Array
  /** Six bytes; all zero where the member never said. */
  vsn: Uint8Array
  incarnation: number
  status: SwimStatus
  /** When `status` last changed. */
  changedAt: number
  /** Present exactly while `status` is `suspect`. */
  suspicion: Suspicion | undefined
  /** When we last told it directly what it seems not to know, if ever. See `reminders.ts`. */
  remindedAt: number | undefined
  /** A probe of ours was answered, ever; kept by `failure-detector.ts`. */
  hasAnswered: boolean
  /** How it was told in an exchange last; kept by `our-state.ts`. */
  told: Told | undefined
}

/** What an exchange told of a member, and the bytes it was told with. Byte strings of a record are replaced, never changed. */
export interface Told {
  readonly incarnation: number
  readonly status: SwimStatus
  readonly address: Address
  readonly meta: Uint8Array
  readonly vsn: Uint8Array
  readonly encoded: Uint8Array
}

/** Not accused, or accused and not yet judged: a member by SWIM's word. */
export function isPresent(member: MemberRecord): boolean {
  return member.status === 'alive' || member.status === 'suspect'
}

/** False for the zeros that stand for a member whose claim told none. */
export function tellsVersions({ vsn }: Pick<MemberRecord, 'vsn'>): boolean {
  return vsn[1] !== 0
}

/** Protocol features, by the highest version a member understands (wire-protocol §5). */
export const Feature = { streamPing: 3, nack: 4, crc: 5, relay: 5 } as const

/** True where the member's own word says that it understands `feature`. */
export function understands(member: MemberRecord, feature: number): boolean {
  return (member.vsn[1] as number) >= feature
}
