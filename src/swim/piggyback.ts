// Filling a packet: what is still to be told rides on what is sent anyway (SWIM §4.1). Knows budgets, not meanings.
import { type Address, sameEndpoint } from '../wire/address.ts'
import { COMPOUND_OVERHEAD_BYTES, PART_OVERHEAD_BYTES } from '../wire/compound.ts'
import { MAX_COMPOUND_PARTS } from '../wire/limits.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import { isAllowed } from './admission.ts'
import type { BroadcastsWaiting } from './delegate.ts'
import { retransmitLimit } from './formulas.ts'
import { isPresent } from './member.ts'
import type { SwimState } from './state.ts'

/** Of a packet's room and of its parts, what the layer above may claim while membership would fill it alone.
 *  Differs: memberlist gives it what membership leaves, and that is nothing while many members come and go. */
const SHARE_ABOVE = 0.2

/** Bytes of all parts of a packet together, each with its `PART_OVERHEAD_BYTES`. */
export function packetRoom({
  options,
  packetOverheadBytes,
}: Pick<SwimState, 'options' | 'packetOverheadBytes'>): number {
  return options.maxPacketBytes - packetOverheadBytes - COMPOUND_OVERHEAD_BYTES
}

/** Broadcasts for one packet that already holds `usedBytes` in `usedParts` messages: membership first, then the layer above. */
export function drawBroadcasts(state: SwimState, usedBytes: number, usedParts: number): Uint8Array[] {
  const waiting = state.delegate.broadcastsWaiting(PART_OVERHEAD_BYTES)
  if (waiting.allBytes === 0) {
    state.creditAbove = 0
    if (state.queue.size === 0) return []
  }
  const budget = packetRoom(state) - usedBytes - usedParts * PART_OVERHEAD_BYTES
  const parts = MAX_COMPOUND_PARTS - usedParts
  const yielded = yieldAbove(state, waiting, budget, parts)
  const reserved = costOf(yielded)
  const limit = retransmitLimit(state.options.retransmitMult, state.members.size)
  const drawn = state.queue.draw(PART_OVERHEAD_BYTES, budget - reserved, parts - yielded.length, limit)
  const left = budget - costOf(drawn)
  if (parts > drawn.length && left > PART_OVERHEAD_BYTES) {
    const above = state.delegate.drawBroadcasts(PART_OVERHEAD_BYTES, left, parts - drawn.length, true)
    // Only what membership had to give up is paid for.
    state.creditAbove -= Math.min(reserved, costOf(above))
    drawn.push(...above)
  }
  return drawn
}

/** A packet full of broadcasts that are not counted as told. */
export function copyBroadcasts(state: SwimState): Uint8Array[] {
  const budget = packetRoom(state)
  const copied = state.queue.copy(PART_OVERHEAD_BYTES, budget, MAX_COMPOUND_PARTS)
  const [left, parts] = [budget - costOf(copied), MAX_COMPOUND_PARTS - copied.length]
  if (parts > 0 && left > PART_OVERHEAD_BYTES) {
    copied.push(...state.delegate.drawBroadcasts(PART_OVERHEAD_BYTES, left, parts, false))
  }
  return copied
}

/** What membership leaves room for: a deficit round robin of two queues (Shreedhar, Varghese 1995). While something waits above, its
 *  credit grows by its share of each packet. Once the credit holds what is to go next, it is spent, so that a long message gets
 *  through as a short one does, and membership keeps its own share of the bytes. */
function yieldAbove(
  state: SwimState,
  { nextBytes, allBytes }: BroadcastsWaiting,
  budget: number,
  parts: number,
): readonly Uint8Array[] {
  if (allBytes === 0 || budget <= 0) return []
  state.creditAbove = Math.min(packetRoom(state), state.creditAbove + budget * SHARE_ABOVE)
  const credit = Math.min(state.creditAbove, budget)
  if (nextBytes > credit) return []
  return state.delegate.drawBroadcasts(PART_OVERHEAD_BYTES, Math.floor(credit), Math.ceil(parts * SHARE_ABOVE), false)
}

function costOf(parts: readonly Uint8Array[]): number {
  let cost = parts.length * PART_OVERHEAD_BYTES
  for (const { length } of parts) cost += length
  return cost
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

/** Sends bytes of the layer above to an address, with nothing beside. */
export function sendUser(state: SwimState, to: Address, payload: Uint8Array): void {
  if (!isAllowed(state, to, 'an answer')) return
  state.outbox.push({ kind: 'packet', to, parts: [encodeSwimMessage({ type: 'user', payload })], crc: false })
}

/** Sends `message` with as many broadcasts as fit beside it. Without a checksum: memberlist adds none where it answers
 *  or asks a bare address, and a receiver of old would not read it. */
export function sendWithBroadcasts(state: SwimState, to: Address, message: Uint8Array): void {
  const parts = [message, ...drawBroadcasts(state, message.length, 1)]
  state.outbox.push({ kind: 'packet', to, parts, crc: false })
}
