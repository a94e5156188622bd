// Answering: acks to pings, and pings made for others (SWIM §3.1, ping-req). A requester gets one answer:
// an ack with its own number, or, if it asked for one and our probe timeout passed, a nack (Lifeguard §IV-A).
import { Address } from '../wire/address.ts'
import { isWithin } from '../wire/cidr.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import type { IndirectPing, Ping } from '../wire/types.ts'
import { isAllowed } from './admission.ts'
import { pingOf } from './failure-detector.ts'
import { MAX_NAME_LENGTH } from './member.ts'
import { packetRoom, sendAnswer } from './piggyback.ts'
import { nextSeqNo, type SwimState } from './state.ts'

/** Pings under way for others. Each lives one probe timeout; more at once than any cluster asks of one member is a flood. */
const MAX_RELAYS = 1024

/** Of these for one host: a member asks for one ping a probe, so this serves more members than share an address behind NAT,
 *  and it takes eight hosts to use up what is for all. Differs: memberlist makes as many pings for others as it is asked for. */
const MAX_RELAYS_PER_SOURCE = 128

/** Answers a ping, unless it is meant for another: then a restarted namesake would keep the dead alive. */
export function answerPing(state: SwimState, ping: Ping, from: Address): void {
  if (!isForUs(state, ping)) return
  const payload = state.delegate.ackPayload()
  const ack = encodeSwimMessage({ type: 'ack', seqNo: ping.seqNo, payload })
  sendAnswer(state, replyAddress(state, ping, from), ping.sourceNode, ack)
}

/** True if the ping names us or nobody; otherwise tells. */
export function isForUs(state: SwimState, ping: Ping): boolean {
  if (ping.node === '' || ping.node === state.self.name) return true
  state.delegate.warn('ping-misdirected', `a ping for ${ping.node} came to ${state.self.name}`)
  return false
}

/** Pings on behalf of another. */
export function beginRelay(state: SwimState, request: IndirectPing, from: Address, now: number): void {
  if (request.target.length !== 4 && request.target.length !== 16) return
  const excess = excessOf(state, from)
  if (excess !== undefined) {
    state.delegate.warn('relay-limit', excess)
    return
  }
  const target = new Address(request.target, request.port === 0 ? state.self.address.port : request.port)
  if (!isAllowed(state, target, `a ping for ${request.node}, asked for by ${from.key}`)) return
  const seqNo = nextSeqNo(state)
  const ping = encodeSwimMessage(pingOf(state, request.node, seqNo))
  if (ping.length > packetRoom(state)) return // a name that no member bears
  state.relays.set(seqNo, {
    requester: replyAddress(state, request, from),
    // A name that no member bears names nobody, and is not kept.
    requesterName: request.sourceNode.length > MAX_NAME_LENGTH ? '' : request.sourceNode,
    requesterSeqNo: request.seqNo,
    wantsNack: request.nack,
    source: from.host,
  })
  state.deadlines.set(relayKey(seqNo), now + state.options.probeTimeoutMs, { kind: 'relay-timeout', seqNo })
  sendAnswer(state, target, request.node, ping)
}

/** An ack for a ping we made for another goes on to it, without its payload. True if it was one. */
export function relayAck(state: SwimState, seqNo: number): boolean {
  const relay = state.relays.get(seqNo)
  if (relay === undefined) return false
  state.relays.delete(seqNo)
  state.deadlines.delete(relayKey(seqNo))
  const ack = encodeSwimMessage({ type: 'ack', seqNo: relay.requesterSeqNo, payload: null })
  sendAnswer(state, relay.requester, relay.requesterName, ack)
  return true
}

/** The target did not answer us either. */
export function relayTimeout(state: SwimState, seqNo: number): void {
  const relay = state.relays.get(seqNo)
  if (relay === undefined) return
  state.relays.delete(seqNo)
  if (!relay.wantsNack) return
  const nack = encodeSwimMessage({ type: 'nack', seqNo: relay.requesterSeqNo })
  sendAnswer(state, relay.requester, relay.requesterName, nack)
}

/** We stood still for `byMs`: a nack for that time would be a lie, since the answer may lie unread. */
export function postponeRelays(state: SwimState, byMs: number): void {
  for (const seqNo of state.relays.keys()) state.deadlines.postpone(relayKey(seqNo), byMs)
}

/** Why one more relay for `from` is too many. Counted only where it matters, so the table needs no second one beside it. */
function excessOf(state: SwimState, from: Address): string | undefined {
  const { relays } = state
  if (relays.size >= MAX_RELAYS) return `more than ${MAX_RELAYS} indirect pings at once`
  if (relays.size < MAX_RELAYS_PER_SOURCE) return undefined
  let own = 0
  for (const { source } of relays.values()) if (source === from.host) own++
  return own < MAX_RELAYS_PER_SOURCE
    ? undefined
    : `more than ${MAX_RELAYS_PER_SOURCE} indirect pings at once for ${from.host}`
}

/** Where the sender says it listens, or, from old senders and from those who point outside the allowed ranges, where the packet
 *  came from. */
function replyAddress(state: SwimState, message: Ping | IndirectPing, from: Address): Address {
  const { sourceAddr, sourcePort } = message
  const isTold = sourceAddr !== null && (sourceAddr.length === 4 || sourceAddr.length === 16) && sourcePort > 0
  if (!isTold || (state.allowedCidrs !== undefined && !isWithin(state.allowedCidrs, sourceAddr))) return from
  return new Address(sourceAddr, sourcePort)
}

function relayKey(seqNo: number): string {
  return `relay:${seqNo}`
}
