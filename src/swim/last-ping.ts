// The last word before a verdict of ours: a suspect whom too few others accuse is told so once more, and can deny with its answer. Whoever
// is held for dead without confirmations is mostly one whose denial missed us: gossip reaches nearly everybody, and nobody in particular.
// Where enough accuse, as when a member has died, nothing is sent. The verdict does not wait, and an answer alone does not hold it up.
// When that is, `claims.ts` says.
//
// Source: ours, of Lifeguard's buddy system (§IV-C). Differs: memberlist tells a suspect with its next probe alone, which in a large
// cluster may be minutes off.
import { pingAccused } from './failure-detector.ts'
import { nextSeqNo, type SwimState } from './state.ts'

/** Tells the suspect, with a ping: its ack, and what it denies, come at once. */
export function sendLastPing(state: SwimState, name: string, now: number): void {
  const member = state.members.get(name)
  if (member?.suspicion === undefined) return
  member.suspicion.isToldLast = true
  state.trail.saw(name, { kind: 'last-ping' }, now)
  pingAccused(state, member, nextSeqNo(state))
}
