// Filling a packet: what is still to be told rides on what is sent anyway (SWIM §4.1). Knows budgets, not meanings.
import { type Address, sameEndpoint } from '../wire/address.ts'
import { COMPOUND_OVERHEAD_BYTES, PART_OVERHEAD_BYTES } from '../wire/compound.ts'
import { MAX_COMPOUND_PARTS } from '../wire/limits.ts'
import { retransmitLimit } from './formulas.ts'
import { isPresent } from './member.ts'
import type { SwimState } from './state.ts'

/** Bytes of all parts of a packet together, each with its `PART_OVERHEAD_BYTES`. */
export function packetRoom(state: SwimState): number {
  return state.options.maxPacketBytes - state.packetOverheadBytes - COMPOUND_OVERHEAD_BYTES
}

/** Broadcasts for one packet that already holds `usedBytes` in `usedParts` messages: membership first, then the layer above. */
export function drawBroadcasts(state: SwimState, usedBytes: number, usedParts: number): Uint8Array[] {
  let budget = packetRoom(state) - usedBytes - usedParts * PART_OVERHEAD_BYTES
  let parts = MAX_COMPOUND_PARTS - usedParts
  const limit = retransmitLimit(state.options.retransmitMult, state.members.size)
  const drawn = state.queue.draw(PART_OVERHEAD_BYTES, budget, parts, limit)
  for (const bytes of drawn) budget -= bytes.length + PART_OVERHEAD_BYTES
  parts -= drawn.length
  if (parts > 0 && budget > PART_OVERHEAD_BYTES) {
    drawn.push(...state.delegate.drawBroadcasts(PART_OVERHEAD_BYTES, budget, parts))
  }
  return drawn
}

/** Answers whoever asked from `to` and calls itself `name`: a member gets broadcasts beside the answer, anybody else the bare
 *  message. A broadcast counts as told once it was sent often enough, and a stranger tells nobody.
 *  Differs: memberlist piggybacks on every answer, so a stranger's pings can swallow a goodbye. */
export function sendAnswer(state: SwimState, to: Address, name: string, message: Uint8Array): void {
  const member = state.members.get(name)
  const isTold = member !== undefined && member !== state.self && isPresent(member)
  if (isTold && sameEndpoint(member.address, to)) {
    sendWithBroadcasts(state, to, message)
  } else {
    state.outbox.push({ kind: 'packet', to, parts: [message], crc: false })
  }
}

/** Sends `message` with as many broadcasts as fit beside it. Without a checksum: memberlist adds none where it answers
 *  or asks a bare address, and a receiver of old would not read it. */
export function sendWithBroadcasts(state: SwimState, to: Address, message: Uint8Array): void {
  const parts = [message, ...drawBroadcasts(state, message.length, 1)]
  state.outbox.push({ kind: 'packet', to, parts, crc: false })
}
