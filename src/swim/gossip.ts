// Telling others between probes: every gossip interval a few random members get what is still to be told (SWIM §4.1, and
// memberlist's gossip tick). The recently dead are told too, so that they can refute; those that left are not.

import { Feature, isPresent, type MemberRecord, understands } from './member.ts'
import { copyBroadcasts, drawBroadcasts } from './piggyback.ts'
import type { SwimState } from './state.ts'

/** One round of gossip. Each packet is a draw of its own. */
export function gossipTick(state: SwimState, now: number): void {
  const { gossipFanout, gossipToTheDeadMs } = state.options
  const targets = state.members.sample(gossipFanout, (member) => {
    if (member === state.self) return false
    return isPresent(member) || (member.status === 'dead' && now - member.changedAt <= gossipToTheDeadMs)
  })
  for (const target of targets) {
    const parts = partsFor(state, target)
    if (parts.length === 0) return
    state.outbox.push({ kind: 'packet', to: target.address, parts, crc: understands(target, Feature.crc) })
  }
}

/** A telling counts where somebody lives to hear it. To the dead it is an offer to refute, on top of what the living are owed; once only
 *  the dead are left it counts again, so that it comes to an end.
 *  Differs: memberlist counts it always, and in a small cluster with a member just dead the living miss goodbyes and news. */
function partsFor(state: SwimState, target: MemberRecord): Uint8Array[] {
  const isOffer = !isPresent(target) && state.members.all().some((member) => member !== state.self && isPresent(member))
  return isOffer ? copyBroadcasts(state) : drawBroadcasts(state, 0, 0)
}
