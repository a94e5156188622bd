// Telling others between probes: every gossip interval a few random members get what is still to be told (SWIM §4.1, and
// memberlist's gossip tick). The recently dead are told too, so that they can refute; those that left are not.

import { Feature, isPresent, understands } from './member.ts'
import { drawBroadcasts } from './piggyback.ts'
import type { SwimState } from './state.ts'

/** One round of gossip. Each packet is a draw of its own. */
export function gossipTick(state: SwimState, now: number): void {
  const { gossipFanout, gossipToTheDeadMs } = state.options
  const targets = state.members.sample(gossipFanout, (member) => {
    if (member === state.self) return false
    return isPresent(member) || (member.status === 'dead' && now - member.changedAt <= gossipToTheDeadMs)
  })
  for (const target of targets) {
    const parts = drawBroadcasts(state, 0, 0)
    if (parts.length === 0) return
    state.outbox.push({ kind: 'packet', to: target.address, parts, crc: understands(target, Feature.crc) })
  }
}
