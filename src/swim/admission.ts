// Which claims are let in at all, before the table of transitions is asked: what cannot be true, what could soon not be denied,
// addresses outside the ranges, names that are taken, a full table, the user's veto. Judges, and says why; changes nothing.
import { sameBytes } from '../base/bytes.ts'
import { type Address, isIp } from '../wire/address.ts'
import { isWithin } from '../wire/cidr.ts'
import { MAX_META_BYTES } from '../wire/limits.ts'
import type { Alive, Dead, Suspect } from '../wire/types.ts'
import { isPresent, MAX_MEMBERS, MAX_NAME_LENGTH, type MemberRecord } from './member.ts'
import type { SwimState } from './state.ts'

/** The last number of 32 bits. */
export const MAX_INCARNATION = 0xffff_ffff

/** An accusation at this incarnation or above leaves the accused no number above it in 32 bits, or none for what it announces
 *  afterwards. An honest member raises its incarnation once an accusation and never comes here. A claim to be alive up here is
 *  taken all the same: it may be a denial, and who refused it would lose the member for good. */
export const INCARNATION_CEILING = 0xffff_fff0

/** Why the claim cannot be true of any member; `undefined` where it can. */
export function problemOf({ node, addr, meta, vsn, incarnation }: Alive): string | undefined {
  if (node === '' || node.length > MAX_NAME_LENGTH) return `a name of ${node.length} characters`
  if (!isIp(addr)) return `an address of ${addr.length} bytes`
  if (meta.length > MAX_META_BYTES) return `${meta.length} bytes of metadata, ${MAX_META_BYTES} are allowed`
  // Differs: memberlist keeps an invisible dead record for incarnation 0.
  if (incarnation === 0) return 'incarnation 0'
  const least = vsn[0] as number
  const most = vsn[1] as number
  if (vsn.length >= 3 && (least === 0 || most === 0 || least > most)) {
    return `protocol versions ${least} to ${most}`
  }
  return undefined
}

/** Whether an accusation can be true of anybody: a name as long as no member's is neither looked up nor kept as an accuser's.
 *  Tells, where not. */
export function isAccusation(state: SwimState, { type, node, from }: Suspect | Dead): boolean {
  const longest = Math.max(node.length, from.length)
  if (longest <= MAX_NAME_LENGTH) return true
  state.delegate.warn('claim-invalid', `${type} with a name of ${longest} characters`)
  return false
}

/** Whether the member could still deny the accusation. One that does not raise its number changes nothing about that, and
 *  counts: a member that has come so far can still die. Of ourselves it is judged where it is denied. Tells, where not. */
export function isDeniable(state: SwimState, member: MemberRecord, { type, incarnation }: Suspect | Dead): boolean {
  if (member === state.self || incarnation < INCARNATION_CEILING || incarnation === member.incarnation) return true
  // Differs: memberlist believes it, and the member can never deny it.
  state.delegate.warn('claim-invalid', `${type} of ${member.name}: nobody can deny incarnation ${incarnation}`)
  return false
}

/** Whether members may live at the address. Tells, where not. */
export function isAllowed(state: SwimState, address: Address, what: string): boolean {
  if (state.allowedCidrs === undefined || isWithin(state.allowedCidrs, address.ip)) return true
  state.delegate.warn('address-refused', `${what}: ${address.key} is outside allowedCidrs`)
  return false
}

/** Whether another address may take the member's name: it gave it up, or is dead for so long that it cannot deny it any more. */
export function mayTakeOver(state: SwimState, member: MemberRecord, now: number): boolean {
  if (member.status === 'left') return true
  const { reclaimAfterMs } = state.options
  return member.status === 'dead' && reclaimAfterMs > 0 && now - member.changedAt > reclaimAfterMs
}

/** Whether the claim, which would be taken otherwise, finds room and the consent of the layer above. That one is asked about who
 *  would come in, or come back, or move, or tell something new of itself. Tells, where not.
 *  @param known the record of that name; absent where there is none */
export function isWelcome(
  state: SwimState,
  claim: Alive,
  address: Address,
  known: MemberRecord | undefined,
  now: number,
): boolean {
  const { delegate, members } = state
  if (known === undefined && members.size >= MAX_MEMBERS) {
    delegate.warn('member-limit', `alive of ${claim.node}: the table holds ${MAX_MEMBERS} members already`)
    return false
  }
  const isNews = known === undefined || !isPresent(known) || !sameBytes(known.meta, claim.meta)
  if (!isNews || delegate.accepts(claim, address, now)) return true
  const why = claim.vsn.length < 6 ? 'it tells no versions, so that accept is not even asked' : 'accept says no'
  delegate.warn('member-refused', `alive of ${claim.node} at ${address.key}: ${why}`)
  return false
}
