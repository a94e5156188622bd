// What `claims.ts` writes into the trail: who says what of whom, and what became of it. Only words; nothing here decides.
import type { Address } from '../wire/address.ts'
import type { Alive, Dead, Suspect } from '../wire/types.ts'
import { wantedConfirmations } from './formulas.ts'
import type { MemberRecord, SwimStatus } from './member.ts'
import type { SwimState } from './state.ts'
import { shortName, type TrailEvent } from './trail.ts'

/** Where a claim comes from: nothing where it is our own finding. */
interface Source {
  readonly received?: Uint8Array
  readonly from?: Address
}

/** A suspicion has begun. */
export function noteSuspicion(
  state: SwimState,
  member: MemberRecord,
  claim: Suspect,
  source: Source,
  now: number,
): void {
  const { options, members } = state
  const endsInMs = member.suspicion === undefined ? 0 : member.suspicion.endsAt - now
  const confirmationsWanted = wantedConfirmations(options.suspicionMult, members.size)
  const { from: by, incarnation } = claim
  const event = { kind: 'suspected', by: shortName(by), incarnation, endsInMs, confirmationsWanted } as const
  if (isOwnFinding(source)) state.trail.saw(member.name, event, now)
  // An exchange does not say who accuses, and what we take from it becomes our own accusation.
  else state.trail.heard(member.name, { ...event, ...signedByUs(state, by, source) }, now)
}

/** Another accuser. */
export function noteConfirmation(
  state: SwimState,
  { name, suspicion }: MemberRecord,
  { from }: Suspect,
  source: Source,
  now: number,
): void {
  if (suspicion === undefined) return
  const { confirmations, endsAt } = suspicion
  const event = { kind: 'confirmed', by: shortName(from), confirmations, endsInMs: endsAt - now } as const
  if (isOwnFinding(source)) state.trail.saw(name, event, now)
  else state.trail.heard(name, { ...event, ...signedByUs(state, from, source) }, now)
}

/** A member is dead, or has left, by someone's word or ours. */
export function noteVerdict(state: SwimState, member: MemberRecord, claim: Dead, source: Source, now: number): void {
  const { incarnation, from } = claim
  const signed = isOwnFinding(source) ? {} : signedByUs(state, from, source)
  const event: TrailEvent =
    claim.node === from ? { kind: 'left', incarnation } : { kind: 'dead', by: shortName(from), incarnation, ...signed }
  if (isOwnFinding(source)) state.trail.concluded(member.name, event, now)
  else state.trail.heard(member.name, event, now)
}

/** A member denied a suspicion, or is back. @param before what it was until now */
export function noteReturn(state: SwimState, member: MemberRecord, before: SwimStatus, now: number): void {
  const { name, incarnation, address } = member
  if (before === 'suspect') state.trail.heard(name, { kind: 'refuted', incarnation }, now)
  else state.trail.heard(name, { kind: 'back', incarnation, address: address.key }, now)
}

/** Somebody says of us what is not so. */
export function noteAccusation(state: SwimState, claim: Alive | Suspect | Dead, source: Source, now: number): void {
  const { type: of, incarnation } = claim
  // Who tells that we are other than we say does not sign it.
  const signed = claim.type === 'alive' || claim.from === state.self.name ? '' : claim.from
  const by = shortName(signed === '' ? (source.from?.key ?? '') : signed)
  state.trail.heard(state.self.name, { kind: 'accused', by, of, incarnation }, now)
}

/** We denied it. */
export function noteDenial(state: SwimState, now: number): void {
  const { self, awareness } = state
  state.trail.heard(self.name, { kind: 'denied', incarnation: self.incarnation, health: awareness.score }, now)
}

function isOwnFinding({ received, from }: Source): boolean {
  return received === undefined && from === undefined
}

/** What we were told in our own name is no finding of ours: where we heard it. */
function signedByUs({ self }: SwimState, by: string, { from }: Source): { heardFrom?: string } {
  return by === self.name && from !== undefined ? { heardFrom: from.key } : {}
}
