// Answering: acks to pings, and pings made for others (SWIM §3.1, ping-req). A requester gets one answer:
// an ack with its own number, or, if it asked for one and our probe timeout passed, a nack (Lifeguard §IV-A).
import { Address } from '../wire/address.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import type { IndirectPing, Ping } from '../wire/types.ts'
import { pingOf } from './failure-detector.ts'
import { packetRoom, sendAnswer } from './piggyback.ts'
import { nextSeqNo, type SwimState } from './state.ts'

/** Pings under way for others. Each lives one probe timeout; more at once than any cluster asks of one member is a flood. */
const MAX_RELAYS = 1024

/** Answers a ping, unless it is meant for another: then a restarted namesake would keep the dead alive. */
export function answerPing(state: SwimState, ping: Ping, from: Address): void {
  if (!isForUs(state, ping)) return
  const payload = state.delegate.ackPayload()
  const ack = encodeSwimMessage({ type: 'ack', seqNo: ping.seqNo, payload })
  sendAnswer(state, replyAddress(ping, from), ping.sourceNode, ack)
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
  if (state.relays.size >= MAX_RELAYS) {
    state.delegate.warn('relay-limit', `more than ${MAX_RELAYS} indirect pings at once`)
    return
  }
  const seqNo = nextSeqNo(state)
  const ping = encodeSwimMessage(pingOf(state, request.node, seqNo))
  if (ping.length > packetRoom(state)) return // a name that no member bears
  state.relays.set(seqNo, {
    requester: replyAddress(request, from),
    requesterName: request.sourceNode,
    requesterSeqNo: request.seqNo,
    wantsNack: request.nack,
  })
  state.deadlines.set(relayKey(seqNo), now + state.options.probeTimeoutMs, { kind: 'relay-timeout', seqNo })
  const target = new Address(request.target, request.port === 0 ? state.self.address.port : request.port)
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

/** Where the sender says it listens, or, from old senders, where the packet came from. */
function replyAddress(message: Ping | IndirectPing, from: Address): Address {
  const { sourceAddr, sourcePort } = message
  const isTold = sourceAddr !== null && (sourceAddr.length === 4 || sourceAddr.length === 16) && sourcePort > 0
  return isTold ? new Address(sourceAddr, sourcePort) : from
}

function relayKey(seqNo: number): string {
  return `relay:${seqNo}`
}
