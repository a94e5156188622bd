// One probe at a time (SWIM §3.1): a ping, then pings through others and over a stream, then the verdict.
//
//   tick ─► direct ──ack──► success
//              └─ probe timeout, or the network refused ─► indirect ──ack, stream ack──► success
//                                                             └─ probe interval × (health + 1) ─► suspect
//
// Knows when to ask and when to judge; what a suspicion does is in `claims.ts`, how others' pings are answered in `relays.ts`.
import { tracer } from '../base/log.ts'
import { type Address, sameEndpoint } from '../wire/address.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import type { IndirectPing, Ping } from '../wire/types.ts'
import { applySuspect } from './claims.ts'
import { Feature, isPresent, type MemberRecord, understands } from './member.ts'
import { sendWithBroadcasts } from './piggyback.ts'
import { nextSeqNo, type Probe, type SwimState } from './state.ts'

const trace = tracer('swim:probe')

/** A probe tick: probes the next member of the round, unless a probe is still under way. */
export function probeTick(state: SwimState, now: number): void {
  if (state.probe !== undefined) {
    state.probeTickMissed = true
    return
  }
  const { gossipToTheDeadMs } = state.options
  const target = state.members.nextInRound(
    (member) => member !== state.self && isPresent(member),
    (member) => !isPresent(member) && member !== state.self && now - member.changedAt > gossipToTheDeadMs,
  )
  if (target !== undefined) beginProbe(state, target, now)
}

/** The probe timeout: no direct ack came. Asks everyone else who could know. */
export function probeTimeout(state: SwimState, seqNo: number, now: number): void {
  if (state.probe?.seqNo === seqNo && state.probe.stage === 'direct') beginIndirect(state, state.probe, now)
}

/** The end of a probe: judges. */
export function probeEnd(state: SwimState, seqNo: number, now: number): void {
  const probe = state.probe
  if (probe?.seqNo !== seqNo) return
  if (probe.streamAcked) {
    state.delegate.warn('stream-only', `${probe.target.name} answers over TCP, but not over UDP`)
    succeed(state, probe, now)
    return
  }
  const missed = probe.nacksWanted > 0 ? probe.nacksWanted - probe.nacksReceived : 1
  state.awareness.apply(missed)
  trace('%s did not answer, %d nacks missing, local health %d', probe.target.name, missed, state.awareness.score)
  const { target, incarnation } = probe
  finish(state, probe)
  // Whoever announced itself while we waited is not the one that kept silent: under a higher incarnation the claim is
  // stale by itself, and one that took the name over from elsewhere may have a lower one.
  if (sameEndpoint(target.address, probe.address)) {
    applySuspect(state, { type: 'suspect', node: target.name, incarnation, from: state.self.name }, now)
  }
  catchUp(state, now)
}

/** An ack to a ping of ours, direct or relayed. True if it belonged to the running probe. */
export function probeAcked(state: SwimState, seqNo: number, payload: Uint8Array | null, now: number): boolean {
  const probe = state.probe
  if (probe?.seqNo !== seqNo) return false
  // Only an ack within the probe timeout can be taken for the direct one; later ones may have come through others.
  if (probe.stage === 'direct') {
    trace('%s answers after %d ms', probe.target.name, now - probe.sentAt)
    state.delegate.pingCompleted(probe.target, now - probe.sentAt, payload, now)
  }
  succeed(state, probe, now)
  return true
}

/** A helper could not reach the target either, but reached us. */
export function probeNacked(state: SwimState, seqNo: number): void {
  const probe = state.probe
  if (probe?.seqNo === seqNo && probe.nacksReceived < probe.nacksWanted) probe.nacksReceived++
}

/** The fallback ping over a stream was answered. Counts only when the time for packets is over. */
export function probeStreamAcked(state: SwimState, seqNo: number): void {
  if (state.probe?.seqNo === seqNo) state.probe.streamAcked = true
}

/** A packet to `to` could not be sent. If it was the running probe's ping: the network's refusal goes on to the others
 *  at once, our own socket's failure says nothing about the member and ends the probe. */
export function probeSendFailed(state: SwimState, to: Address, isRemote: boolean, now: number): void {
  const probe = state.probe
  if (probe === undefined || probe.stage !== 'direct' || !sameEndpoint(probe.address, to)) return
  if (!isRemote) {
    trace('ping of %s could not be sent', probe.target.name)
    finish(state, probe)
    catchUp(state, now)
    return
  }
  probe.skipped = true
  beginIndirect(state, probe, now)
}

function beginProbe(state: SwimState, target: MemberRecord, now: number): void {
  const seqNo = nextSeqNo(state)
  const endsAt = now + state.awareness.scale(state.options.probeIntervalMs)
  const probe: Probe = {
    seqNo,
    target,
    incarnation: target.incarnation,
    address: target.address,
    sentAt: now,
    endsAt,
    stage: 'direct',
    skipped: false,
    nacksWanted: 0,
    nacksReceived: 0,
    streamAcked: false,
  }
  state.probe = probe
  state.deadlines.set('probe-timeout', now + state.options.probeTimeoutMs, { kind: 'probe-timeout', seqNo })
  state.deadlines.set('probe-end', endsAt, { kind: 'probe-end', seqNo })
  const ping = encodeSwimMessage(pingOf(state, target.name, seqNo))
  if (target.status === 'alive') {
    sendWithBroadcasts(state, target.address, ping)
    return
  }
  // Lifeguard's buddy system: tell a suspect so in the same packet, and it can refute with its answer.
  const { name, incarnation } = target
  const suspect = encodeSwimMessage({ type: 'suspect', node: name, incarnation, from: state.self.name })
  const crc = understands(target, Feature.crc)
  state.outbox.push({ kind: 'packet', to: target.address, parts: [ping, suspect], crc })
}

function beginIndirect(state: SwimState, probe: Probe, now: number): void {
  probe.stage = 'indirect'
  state.deadlines.delete('probe-timeout')
  const { target, address, seqNo } = probe
  const helpers = state.members.sample(
    state.options.indirectChecks,
    (member) => member.status === 'alive' && member !== state.self && member !== target,
  )
  for (const helper of helpers) {
    const nack = understands(helper, Feature.nack)
    if (nack) probe.nacksWanted++
    const message: IndirectPing = {
      ...sourceOf(state),
      type: 'indirect-ping',
      seqNo,
      target: address.ip,
      port: address.port,
      node: target.name,
      nack,
    }
    sendWithBroadcasts(state, helper.address, encodeSwimMessage(message))
  }
  trace('%s is late, %d others are asked', target.name, helpers.length)
  if (!state.options.streamPings || !understands(target, Feature.streamPing)) return
  const id = ++state.requestId
  state.requests.set(id, { purpose: 'probe', seqNo })
  const body = encodeSwimMessage(pingOf(state, target.name, seqNo))
  state.outbox.push({
    kind: 'request',
    id,
    purpose: 'probe',
    to: address,
    body,
    timeoutMs: Math.max(1, probe.endsAt - now),
  })
}

/** A ping that names its target, so that a stranger at the address does not answer for it. */
export function pingOf(state: SwimState, node: string, seqNo: number): Ping {
  return { ...sourceOf(state), type: 'ping', seqNo, node }
}

function sourceOf(state: SwimState): { sourceAddr: Uint8Array; sourcePort: number; sourceNode: string } {
  const { address, name } = state.self
  return { sourceAddr: address.ip, sourcePort: address.port, sourceNode: name }
}

function succeed(state: SwimState, probe: Probe, now: number): void {
  if (!probe.skipped) state.awareness.apply(-1)
  finish(state, probe)
  catchUp(state, now)
}

function finish(state: SwimState, probe: Probe): void {
  state.probe = undefined
  state.deadlines.delete('probe-timeout')
  state.deadlines.delete('probe-end')
  for (const [id, request] of state.requests) {
    if (request.purpose === 'probe' && request.seqNo === probe.seqNo) state.requests.delete(id)
  }
}

/** Probes do not overlap: a tick that fell during one is made up for at its end, further ones are lost. */
function catchUp(state: SwimState, now: number): void {
  if (!state.probeTickMissed) return
  state.probeTickMissed = false
  probeTick(state, now)
}
