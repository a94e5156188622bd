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
  /** When we last told it directly that it stands accused; -Infinity at first. */
  accusedAt: number
}

/** Not accused, or accused and not yet judged: a member by SWIM's word. */
export function isPresent(member: MemberRecord): boolean {
  return member.status === 'alive' || member.status === 'suspect'
}

/** Protocol features, by the highest version a member understands (wire-protocol §5). */
export const Feature = { streamPing: 3, nack: 4, crc: 5 } as const

/** True where the member's own word says that it understands `feature`. */
export function understands(member: MemberRecord, feature: number): boolean {
  return (member.vsn[1] as number) >= feature
}
