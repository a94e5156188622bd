// A stranger's verdict about a member that we hold for well is checked before it is believed: we ask the member itself. Whoever was cut
// off for a while comes back with verdicts about healthy members, whom nobody else has doubted; a member that is dead was suspected by
// all for a while, and its verdict is taken at once. So a true verdict is hardly ever checked, and then taken one probe timeout later.
//
//   verdict ──about one we suspect, for long enough──► taken        verdict ──a goodbye──► taken
//      └──about one that is alive to us──► asked ──no answer in time──► taken
//                                            └──an answer──► refused; the accused was told with the question, and denies
//
// Source: ours; a death told in an exchange is hearsay to memberlist too (serf-behaviour §4.4).
// Differs: memberlist believes a verdict that comes by packet, whoever gave it.
import type { Dead } from '../wire/types.ts'
import { accused, applyDead, applySuspect, type ClaimNote } from './claims.ts'
import { pingAccused } from './failure-detector.ts'
import { isPresent, type MemberRecord } from './member.ts'
import { nextSeqNo, type SwimState } from './state.ts'
import { shortName } from './trail.ts'

/** Members asked at once. Whoever was cut off from all of a large cluster declares more than that dead: of the others the verdict becomes
 *  a suspicion, which they can deny. */
export const MAX_CHECKS = 64

/** A suspicion that has lasted so much of its minimum has reached everybody, the accused too. */
const RIPE_SHARE = 0.5

/** Takes a verdict that came by packet, at once or when the accused does not answer. */
export function heedVerdict(state: SwimState, claim: Dead, now: number, note: ClaimNote): void {
  if (!state.options.verdictChecks || claim.node === claim.from) {
    applyDead(state, claim, now, note)
    return
  }
  const member = accused(state, claim, now, note)
  if (member === undefined) return
  if (!isDoubtful(state, member, now)) {
    applyDead(state, claim, now, note)
    return
  }
  const check = state.checks.get(claim.node)
  // Asked already, or alive a moment ago; what says no more than was said then adds nothing.
  if (check !== undefined && claim.incarnation <= check.claim.incarnation) return
  // The question stands; what was answered at a lower number is asked again.
  if (check?.isAnswered === false) state.checks.set(claim.node, { ...check, claim, note })
  else if (check === undefined && state.checks.size >= MAX_CHECKS)
    applySuspect(state, { ...claim, type: 'suspect' }, now, fromOf(note))
  else ask(state, member, claim, now, note)
}

/** An ack. True if it answers a question of ours. */
export function checkAcked(state: SwimState, seqNo: number, now: number): boolean {
  for (const check of state.checks.values()) {
    if (check.seqNo !== seqNo) continue
    const { node } = check.claim
    // For a while the same verdict, on its way through the others, is not asked about again.
    if (!check.isAnswered) {
      check.isAnswered = true
      setEnd(state, node, now + state.options.probeIntervalMs)
      state.trail.saw(node, { kind: 'verdict-refused', afterMs: now - check.sentAt }, now)
    }
    return true
  }
  return false
}

/** The time to answer is over, or the time for which an answer holds. */
export function checkEnd(state: SwimState, name: string, now: number): void {
  const check = state.checks.get(name)
  if (check === undefined) return
  state.checks.delete(name)
  if (!check.isAnswered) applyDead(state, check.claim, now, check.note)
}

/** We stood still for `byMs`: the answer may lie unread. */
export function postponeChecks(state: SwimState, byMs: number): void {
  for (const name of state.checks.keys()) state.deadlines.postpone(keyOf(name), byMs)
}

function isDoubtful(state: SwimState, member: MemberRecord, now: number): boolean {
  if (member === state.self || !isPresent(member)) return false
  const { suspicion } = member
  return suspicion === undefined || suspicion.ageMs(now) < suspicion.minMs * RIPE_SHARE
}

function ask(state: SwimState, member: MemberRecord, claim: Dead, now: number, note: ClaimNote): void {
  const seqNo = nextSeqNo(state)
  const { name } = member
  state.checks.set(name, { seqNo, claim, note, sentAt: now, isAnswered: false })
  setEnd(state, name, now + state.options.probeTimeoutMs)
  state.trail.heard(name, { kind: 'verdict-doubted', by: shortName(claim.from), incarnation: claim.incarnation }, now)
  // The number of the verdict, which may be above the one that we know: a denial must be above both.
  pingAccused(state, member, seqNo, claim.incarnation)
}

/** Only who told it: a suspicion has other bytes than the verdict it was made of. */
function fromOf({ from }: ClaimNote): ClaimNote {
  return from === undefined ? {} : { from }
}

function setEnd(state: SwimState, name: string, at: number): void {
  state.deadlines.set(keyOf(name), at, { kind: 'verdict-check', name })
}

function keyOf(name: string): string {
  return `verdict-check:${name}`
}
