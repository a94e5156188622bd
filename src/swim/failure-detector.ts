// One probe at a time (SWIM §3.1): a ping, then pings through others and over a stream, then the verdict.
//
//   tick ─► direct ──ack──► success
//              └─ probe timeout, or the network refused ─► indirect ──ack, stream ack──► success
//                                                             └─ probe interval × (health + 1) ─► suspect
//
// A stall of ours moves both deadlines: nobody is judged by time in which we could not hear.
//
// Knows when to ask and when to judge; what a suspicion does is in `claims.ts`, how others' pings are answered in `relays.ts`.
import { tracer } from '../base/log.ts'
import { Address, sameEndpoint } from '../wire/address.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import type { Ack, IndirectPing, Ping } from '../wire/types.ts'
import { applySuspect } from './claims.ts'
import { Feature, isPresent, type MemberRecord, understands } from './member.ts'
import { sendWithBroadcasts } from './piggyback.ts'
import { nextSeqNo, type Probe, type SwimState } from './state.ts'
import { shortName } from './trail.ts'

const trace = tracer('swim:probe')

/** Of the text of an error that is remembered. */
const MAX_ERROR_LENGTH = 200

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

/** The probe timeout, set for `at`: no direct ack came. Asks everyone else who could know. */
export function probeTimeout(state: SwimState, seqNo: number, at: number, now: number): void {
  const probe = state.probe
  if (probe?.seqNo !== seqNo || probe.stage !== 'direct') return
  // However late we are, those we ask have all their time: question and verdict must never fall together.
  if (state.options.stallRule) postponeEnd(state, probe, now - at)
  const { awareness, options, trail } = state
  const { probeTimeoutMs: timeoutMs } = options
  trail.saw(probe.target.name, { kind: 'unanswered', timeoutMs, health: awareness.score }, now)
  beginIndirect(state, probe, now)
}

/** The end of a probe: judges. */
export function probeEnd(state: SwimState, seqNo: number, now: number): void {
  const probe = state.probe
  if (probe?.seqNo !== seqNo) return
  if (probe.streamAcked) {
    state.delegate.warn('stream-only', `${probe.target.name} answers over TCP, but not over UDP`)
    succeed(state, probe, now, 'over-stream')
    return
  }
  const nacks = probe.asked?.nackedBy.size ?? 0
  const missed = probe.nacksWanted > 0 ? probe.nacksWanted - nacks : 1
  state.awareness.apply(missed)
  trace('%s did not answer, %d nacks missing, local health %d', probe.target.name, missed, state.awareness.score)
  const { target, incarnation, nacksWanted } = probe
  const health = state.awareness.score
  state.trail.saw(target.name, { kind: 'probe-failed', nacks, nacksWanted, health }, now)
  finish(state, probe)
  // Whoever announced itself while we waited is not the one that kept silent: under a higher incarnation the claim is
  // stale by itself, and one that took the name over from elsewhere may have a lower one.
  if (sameEndpoint(target.address, probe.address)) {
    applySuspect(state, { type: 'suspect', node: target.name, incarnation, from: state.self.name }, now)
  }
  catchUp(state, now)
}

/** An ack to a ping of ours, direct or relayed. True if it belonged to the running probe. */
export function probeAcked(
  state: SwimState,
  { seqNo, payload }: Pick<Ack, 'seqNo' | 'payload'>,
  from: Address,
  now: number,
): boolean {
  const probe = state.probe
  if (probe?.seqNo !== seqNo) return false
  // Only an ack within the probe timeout can be taken for the direct one; later ones may have come through others. One that lay
  // unread while we stood still tells how long we stood.
  if (probe.stage === 'direct' && !probe.isDisturbed) {
    trace('%s answers after %d ms', probe.target.name, now - probe.sentAt)
    state.delegate.pingCompleted(probe.target, now - probe.sentAt, payload, now)
  }
  const helper = probe.asked?.helpers.get(from.key)
  succeed(state, probe, now, helper === undefined ? 'directly' : 'through-helper', helper)
  return true
}

/** A helper could not reach the target either, but reached us. Each address counts once: a packet that comes twice, or a forger's
 *  hundred, is one helper's word. That it is the address the helper tells is not asked: behind NAT, or with two interfaces, its
 *  packets come from another. Differs: memberlist counts every nack, so one helper's copies stand for the silence of the others. */
export function probeNacked(state: SwimState, seqNo: number, from: Address, now: number): void {
  const probe = state.probe
  if (probe?.seqNo !== seqNo || probe.asked === undefined) return
  const { helpers, nackedBy } = probe.asked
  if (nackedBy.size >= probe.nacksWanted || nackedBy.has(from.key)) return
  nackedBy.add(from.key)
  const helper = helpers.get(from.key) ?? from.key
  state.trail.saw(probe.target.name, { kind: 'helper-nack', helper }, now)
}

/** The fallback ping over a stream was answered. Counts only when the time for packets is over. */
export function probeStreamAcked(state: SwimState, seqNo: number, now: number): void {
  const probe = state.probe
  if (probe?.seqNo !== seqNo) return
  probe.streamAcked = true
  state.trail.saw(probe.target.name, { kind: 'stream-answered' }, now)
}

/** The fallback ping over a stream came to nothing. That decides nothing: the end of the probe does. */
export function probeStreamFailed(state: SwimState, seqNo: number, error: string, now: number): void {
  const probe = state.probe
  if (probe?.seqNo !== seqNo) return
  state.trail.saw(probe.target.name, { kind: 'stream-failed', error: error.slice(0, MAX_ERROR_LENGTH) }, now)
}

/** We stood still for `lengthMs`: the running probe gets that time back, and tells no round trip. */
export function probeStalled(state: SwimState, lengthMs: number): void {
  const probe = state.probe
  if (probe === undefined) return
  probe.isDisturbed = true
  state.deadlines.postpone('probe-timeout', lengthMs)
  postponeEnd(state, probe, lengthMs)
}

/** A packet to `to` could not be sent. The network's refusal of whatever packet to the probed address holds for the ping too, and
 *  the others are asked at once; a wrong guess costs a few packets. A failure of our own socket says nothing about the member: if
 *  the ping itself was never sent, the probe ends without verdict; another packet's failure does not touch it, or gossip that
 *  cannot be sent would keep the dead alive. Which packet it was is told by `to`: the very object the ping was sent to. */
export function probeSendFailed(state: SwimState, to: Address, isRemote: boolean, now: number): void {
  const probe = state.probe
  if (probe === undefined || probe.stage !== 'direct' || !sameEndpoint(probe.address, to)) return
  if (!isRemote) {
    if (to !== probe.address) return
    trace('ping of %s could not be sent', probe.target.name)
    state.trail.saw(probe.target.name, { kind: 'unsent' }, now)
    finish(state, probe)
    catchUp(state, now)
    return
  }
  probe.skipped = true
  state.trail.saw(probe.target.name, { kind: 'unsendable' }, now)
  beginIndirect(state, probe, now)
}

function beginProbe(state: SwimState, target: MemberRecord, now: number): void {
  const seqNo = nextSeqNo(state)
  const endsAt = now + state.awareness.scale(state.options.probeIntervalMs)
  const probe: Probe = {
    seqNo,
    target,
    incarnation: target.incarnation,
    address: new Address(target.address.ip, target.address.port),
    sentAt: now,
    endsAt,
    stage: 'direct',
    skipped: false,
    isDisturbed: false,
    asked: undefined,
    nacksWanted: 0,
    streamAcked: false,
  }
  state.probe = probe
  state.deadlines.set('probe-timeout', now + state.options.probeTimeoutMs, { kind: 'probe-timeout', seqNo })
  if (target.status === 'alive' || !state.options.buddySystem) {
    sendWithBroadcasts(state, probe.address, encodeSwimMessage(pingOf(state, target.name, seqNo)))
    return
  }
  pingAccused(state, target, seqNo, probe.incarnation, probe.address)
}

function beginIndirect(state: SwimState, probe: Probe, now: number): void {
  const asked = { helpers: new Map<string, string>(), nackedBy: new Set<string>() }
  probe.stage = 'indirect'
  probe.asked = asked
  const { target, address, seqNo } = probe
  state.deadlines.delete('probe-timeout')
  state.deadlines.set('probe-end', probe.endsAt, { kind: 'probe-end', seqNo })
  const helpers = state.members.sample(
    state.options.indirectChecks,
    (member) => member.status === 'alive' && member !== state.self && member !== target,
  )
  for (const helper of helpers) {
    const nack = understands(helper, Feature.nack)
    if (nack) probe.nacksWanted++
    asked.helpers.set(helper.address.key, shortName(helper.name))
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
  const overStream = state.options.streamPings && understands(target, Feature.streamPing)
  state.trail.saw(target.name, { kind: 'helpers-asked', helpers: [...asked.helpers.values()], overStream }, now)
  if (!overStream) return
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

/** Pings a member and tells it in the same packet that we accuse it, and nothing else: it can deny that with its answer (Lifeguard §IV-C,
 *  the buddy system).
 *  @param incarnation of the accusation
 *  @param to where it is, and by whose identity a failure to send this is known again */
export function pingAccused(
  state: Pick<SwimState, 'self' | 'outbox'>,
  member: MemberRecord,
  seqNo: number,
  incarnation: number = member.incarnation,
  to: Address = member.address,
): void {
  const { name } = member
  const ping = encodeSwimMessage(pingOf(state, name, seqNo))
  const accusation = encodeSwimMessage({ type: 'suspect', node: name, incarnation, from: state.self.name })
  state.outbox.push({ kind: 'packet', to, parts: [ping, accusation], crc: understands(member, Feature.crc) })
}

/** A ping that names its target, so that a stranger at the address does not answer for it. */
export function pingOf(state: Pick<SwimState, 'self'>, node: string, seqNo: number): Ping {
  return { ...sourceOf(state), type: 'ping', seqNo, node }
}

function sourceOf(state: Pick<SwimState, 'self'>): { sourceAddr: Uint8Array; sourcePort: number; sourceNode: string } {
  const { address, name } = state.self
  return { sourceAddr: address.ip, sourcePort: address.port, sourceNode: name }
}

function postponeEnd(state: SwimState, probe: Probe, byMs: number): void {
  probe.endsAt += byMs
  state.deadlines.postpone('probe-end', byMs)
}

function succeed(
  state: SwimState,
  probe: Probe,
  now: number,
  how: 'directly' | 'through-helper' | 'over-stream',
  helper?: string,
): void {
  // What goes as it should is not worth a word.
  if (probe.stage === 'indirect' || probe.target.status === 'suspect') {
    const by = helper === undefined ? {} : { helper }
    state.trail.saw(probe.target.name, { kind: 'answered', afterMs: now - probe.sentAt, how, ...by }, now)
  }
  probe.target.hasAnswered = true
  if (!probe.skipped) state.awareness.apply(-1)
  finish(state, probe)
  state.delegate.memberAnswered(probe.target, now)
  catchUp(state, now)
}

function finish(state: SwimState, probe: Probe): void {
  state.probe = undefined
  state.deadlines.delete('probe-timeout')
  if (probe.stage === 'direct') return
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
