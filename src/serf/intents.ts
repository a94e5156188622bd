// What members intend: join and leave intents, ordered by Lamport time (serf-behaviour §22, §23). An intent newer than the
// last one accepted of its member is taken, and told on once, byte for byte as received; others are dropped in silence.
//
//   alive ──leave──► leaving ──join──► alive        failed ──leave──► left
import { concat } from '../base/bytes.ts'
import { tracer } from '../base/log.ts'
import { MAX_NAME_LENGTH } from '../swim/member.ts'
import { encodeSerfMessage } from '../wire/serf-messages.ts'
import { type SerfJoin, type SerfLeave, SwimType } from '../wire/types.ts'
import { type RecentIntent, type SerfState, tell } from './state.ts'

const trace = tracer('serf:intents')

/** Intents about strangers kept at once. Bounded because any stranger can name as many strangers as it likes. */
const MAX_RECENT_INTENTS = 4096

/** Takes a leave intent. @param received its bytes, to be told on; absent where it was learnt in an exchange */
export function applyLeaveIntent(state: SerfState, intent: SerfLeave, now: number, received?: Uint8Array): void {
  const { node, ltime } = intent
  if (!witness(state, ltime, `leave of ${node}`)) return
  const record = state.members.get(node)
  if (record === undefined) {
    if (remember(state, node, { kind: 'leave', ltime, at: now })) spread(state, received)
    return
  }
  if (ltime <= record.statusLtime) return
  if (node === state.name && state.departure === undefined) {
    trace('someone says we leave; we do not')
    announceJoin(state)
    return
  }
  const previous = state.members.view(node)
  record.statusLtime = ltime
  spread(state, received)
  if (record.status === 'alive') {
    record.status = 'leaving'
    tell(state, 'member-leaving', node, previous)
  } else if (record.status === 'failed') {
    record.status = 'left'
    tell(state, 'member-left', node, previous)
  }
}

/** Takes a join intent: a leave taken back, or just a newer time. @param received see `applyLeaveIntent` */
export function applyJoinIntent(state: SerfState, intent: SerfJoin, now: number, received?: Uint8Array): void {
  const { node, ltime } = intent
  if (!witness(state, ltime, `join of ${node}`)) return
  const record = state.members.get(node)
  if (record === undefined) {
    if (remember(state, node, { kind: 'join', ltime, at: now })) spread(state, received)
    return
  }
  if (ltime <= record.statusLtime) return
  const previous = state.members.view(node)
  record.statusLtime = ltime
  spread(state, received)
  if (record.status === 'leaving') {
    record.status = 'alive'
    const isSuspect = state.members.view(node)?.state === 'suspect'
    tell(state, isSuspect ? 'member-suspect' : 'member-recover', node, previous)
  }
}

/** Tells the cluster that we are here by intent: after an explicit join, and against a leave that is not ours. */
export function announceJoin(state: SerfState): void {
  const ltime = state.clock.time
  const self = state.members.get(state.name)
  if (self !== undefined) self.statusLtime = ltime
  state.clock.witness(ltime)
  spread(state, encodeSerfMessage({ type: 'join', ltime, node: state.name }))
}

/** Tells the cluster that we leave. @param ticket reported once it has been told */
export function announceLeaveIntent(state: SerfState, ticket: number): void {
  const ltime = state.clock.increment()
  const self = state.members.get(state.name)
  if (self !== undefined) {
    self.status = 'leaving'
    self.statusLtime = ltime
  }
  spread(state, encodeSerfMessage({ type: 'leave', ltime, node: state.name, prune: false }), ticket)
}

/** Forgets intents about strangers that never came. */
export function purgeIntents(state: SerfState, now: number): void {
  for (const [name, { at }] of state.recentIntents) {
    if (now - at > state.options.recentIntentTimeoutMs) state.recentIntents.delete(name)
  }
}

function witness(state: SerfState, ltime: SerfJoin['ltime'], what: string): ltime is number {
  if (state.clock.witness(ltime)) return true
  state.outbox.notify({
    type: 'warning',
    code: 'lamport-leap',
    message: `${what} at ${ltime}, we are at ${state.clock.time}`,
  })
  return false
}

/** Keeps the newest intent of a stranger. True if this one is. */
function remember(state: SerfState, name: string, intent: RecentIntent): boolean {
  if (name.length > MAX_NAME_LENGTH) {
    const text = `an intent of a stranger with a name of ${name.length} characters`
    state.outbox.notify({ type: 'warning', code: 'message-invalid', message: text })
    return false
  }
  const { recentIntents } = state
  const known = recentIntents.get(name)
  if (known !== undefined && known.ltime >= intent.ltime) return false
  recentIntents.delete(name) // the newest stand last
  recentIntents.set(name, intent)
  if (recentIntents.size > MAX_RECENT_INTENTS) {
    const [oldest] = recentIntents.keys()
    recentIntents.delete(oldest as string)
    const text = `intents of more than ${MAX_RECENT_INTENTS} strangers: that of ${oldest} is forgotten`
    state.outbox.notify({ type: 'warning', code: 'intent-limit', message: text })
  }
  return true
}

/** Queues a Serf message to be told. Alone there is nobody to tell, and the queue would never drain. */
function spread(state: SerfState, message: Uint8Array | undefined, ticket?: number): void {
  if (message === undefined || !state.swim.hasPeers()) return
  const bytes = concat([USER_TYPE, message])
  if (bytes.length > state.swim.largestBroadcastBytes) {
    const text = `an intent of ${bytes.length} bytes fits no packet and is not told on`
    state.outbox.notify({ type: 'warning', code: 'message-invalid', message: text })
    return
  }
  state.intents.push(bytes, ticket === undefined ? {} : { ticket })
}

const USER_TYPE = Uint8Array.of(SwimType.user)
