// Pings that a user asks for (serf-behaviour §5.4): one packet, one answer or none, and no verdict. They say nothing about the member to
// anybody but the user, and move no coordinate.
import { Address, sameEndpoint } from '../wire/address.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import { pingOf } from './failure-detector.ts'
import { type DirectPing, nextSeqNo, type SwimState } from './state.ts'

/** Pings `name` at `address`; the delegate hears of the end under `id`. */
export function beginPing(state: SwimState, name: string, address: Address, id: number, now: number): void {
  send(state, { id, name, address, endsAt: now + state.options.probeTimeoutMs, isSecond: false, stalls: 0 }, now)
}

/** An ack. True if it belonged to a ping of ours. One that lay unread while we stood still tells how long we stood: then we ask again, once. */
export function pingAcked(state: SwimState, seqNo: number, now: number): boolean {
  const ping = forget(state, seqNo)
  if (ping === undefined) return false
  if (!ping.isDisturbed) state.delegate.pinged(ping.id, { rttMs: now - ping.sentAt })
  else if (ping.isSecond) state.delegate.pinged(ping.id, { problem: 'stalled' })
  else send(state, { ...ping, isSecond: true }, now)
  return true
}

/** No answer came. */
export function pingTimeout(state: SwimState, seqNo: number): void {
  const ping = forget(state, seqNo)
  if (ping !== undefined) state.delegate.pinged(ping.id, { problem: ping.stalls > 1 ? 'stalled' : 'unanswered' })
}

/** A packet to `to` could not be sent: the ping itself, told by its address being the very one, or any that the network refused. */
export function pingSendFailed(state: SwimState, to: Address, isRemote: boolean): void {
  for (const [seqNo, { id, address }] of state.pings) {
    if (to !== address && !(isRemote && sameEndpoint(to, address))) continue
    forget(state, seqNo)
    state.delegate.pinged(id, { problem: isRemote ? 'unsendable' : 'unsent' })
  }
}

/** We stood still: what is heard tells no round trip. From the first stall on there is a whole timeout for the answer, or for asking again;
 *  an event loop that is never free would wait for ever if each gave more. */
export function pingsStalled(state: SwimState, now: number): void {
  for (const [seqNo, ping] of state.pings) {
    ping.isDisturbed = true
    ping.stalls++
    if (ping.stalls > 1) continue
    ping.endsAt = now + state.options.probeTimeoutMs
    setEnd(state, seqNo, ping.endsAt)
  }
}

function send(state: SwimState, asked: Omit<DirectPing, 'sentAt' | 'isDisturbed'>, now: number): void {
  const seqNo = nextSeqNo(state)
  const address = new Address(asked.address.ip, asked.address.port)
  state.pings.set(seqNo, { ...asked, address, sentAt: now, isDisturbed: false })
  setEnd(state, seqNo, asked.endsAt)
  const ping = encodeSwimMessage(pingOf(state, asked.name, seqNo))
  state.outbox.push({ kind: 'packet', to: address, parts: [ping], crc: false })
}

function setEnd(state: SwimState, seqNo: number, until: number): void {
  state.deadlines.set(keyOf(seqNo), until, { kind: 'ping-timeout', seqNo })
}

function forget(state: SwimState, seqNo: number) {
  const ping = state.pings.get(seqNo)
  state.pings.delete(seqNo)
  state.deadlines.delete(keyOf(seqNo))
  return ping
}

function keyOf(seqNo: number): string {
  return `ping:${seqNo}`
}
