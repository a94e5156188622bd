// Pings that a user asks for (serf-behaviour §5.4): one packet, one answer or none, and no verdict. They say nothing about the member to
// anybody but the user, and move no coordinate.
import { Address, sameEndpoint } from '../wire/address.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import { pingOf } from './failure-detector.ts'
import { nextSeqNo, type SwimState } from './state.ts'

/** Pings `name` at `address`; the delegate hears of the end under `id`. */
export function beginPing(state: SwimState, name: string, { ip, port }: Address, id: number, now: number): void {
  const seqNo = nextSeqNo(state)
  const address = new Address(ip, port)
  state.pings.set(seqNo, { id, name, address, sentAt: now, isDisturbed: false })
  state.deadlines.set(keyOf(seqNo), now + state.options.probeTimeoutMs, { kind: 'ping-timeout', seqNo })
  const ping = encodeSwimMessage(pingOf(state, name, seqNo))
  state.outbox.push({ kind: 'packet', to: address, parts: [ping], crc: false })
}

/** An ack. True if it belonged to a ping of ours. One that lay unread while we stood still tells how long we stood: then we ask again. */
export function pingAcked(state: SwimState, seqNo: number, now: number): boolean {
  const ping = forget(state, seqNo)
  if (ping === undefined) return false
  if (ping.isDisturbed) beginPing(state, ping.name, ping.address, ping.id, now)
  else state.delegate.pinged(ping.id, now - ping.sentAt)
  return true
}

/** No answer came. */
export function pingTimeout(state: SwimState, seqNo: number): void {
  const ping = forget(state, seqNo)
  if (ping !== undefined) state.delegate.pinged(ping.id, undefined)
}

/** A packet to `to` could not be sent: the ping itself, told by its address being the very one, or any that the network refused. */
export function pingSendFailed(state: SwimState, to: Address, isRemote: boolean): void {
  for (const [seqNo, { id, address }] of state.pings) {
    if (to !== address && !(isRemote && sameEndpoint(to, address))) continue
    forget(state, seqNo)
    state.delegate.pinged(id, undefined)
  }
}

/** We stood still for `lengthMs`: answers have that much longer, and tell no round trip. */
export function pingsStalled(state: SwimState, lengthMs: number): void {
  for (const [seqNo, ping] of state.pings) {
    ping.isDisturbed = true
    state.deadlines.postpone(keyOf(seqNo), lengthMs)
  }
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
