// What members intend: join and leave intents, ordered by Lamport time (serf-behaviour §22, §23). An intent newer than the
// last one accepted of its member is taken, and told on once, byte for byte as received; others are dropped in silence.
//
//   alive ──leave──► leaving ──join──► alive        failed ──leave──► left        with `prune`: and erased, see prune.ts
import { SizeError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import { encodeSerfMessage } from '../wire/serf-messages.ts'
import type { SerfJoin, SerfLeave } from '../wire/types.ts'
import { awaitGoodbye, awaitReturn } from './overdue.ts'
import { cancelPrune, prune } from './prune.ts'
import { type IntentSource, remember } from './recent-intents.ts'
import { spread, USER_TYPE_BYTES } from './spread.ts'
import { type SerfState, tell, warn } from './state.ts'

const trace = tracer('serf:intents')

/** Our own intents replace each other: the newest says it all. No name of the queue but this one.
 *  Differs: Serf goes on telling the older ones beside it. */
const OUR_INTENT = { name: 'ours', urgent: true } as const

/** Takes a leave intent. @param received its bytes, to be told on; absent where it was learnt in an exchange */
export function applyLeaveIntent(
  state: SerfState,
  intent: SerfLeave,
  now: number,
  received?: Uint8Array,
  source: IntentSource = sourceOf(received),
): void {
  const { node, ltime } = intent
  if (!witness(state, ltime, intent, now)) return
  const record = state.members.get(node)
  if (record === undefined) {
    if (remember(state, node, { kind: 'leave', ltime, at: now }, source)) spread(state, 'intents', received)
    return
  }
  if (node === state.name && state.departure === undefined) {
    // Differs: Serf denies only what is newer. A leave at the very time of our join wins where it comes first, and stands there for ever.
    if (ltime < record.statusLtime) return
    trace('someone says we leave; we do not')
    announceJoin(state)
    return
  }
  if (ltime <= record.statusLtime) return
  const previous = state.members.view(node)
  record.statusLtime = ltime
  record.leftLtime = undefined
  spread(state, 'intents', received)
  if (record.status === 'alive') {
    state.members.mark(record, 'leaving')
    awaitGoodbye(state, node, now)
    state.swim.trail.heard(node, { kind: 'leave-announced', ltime }, now)
    tell(state, 'member-leaving', node, previous)
  } else if (record.status === 'failed') {
    state.members.mark(record, 'left')
    state.swim.trail.heard(node, { kind: 'leave-announced', ltime }, now)
    tell(state, 'member-left', node, previous)
  }
  if (intent.prune && node !== state.name) prune(state, record, now)
}

/** Takes a join intent: a leave taken back, or just a newer time. @param received see `applyLeaveIntent` */
export function applyJoinIntent(state: SerfState, intent: SerfJoin, now: number, received?: Uint8Array): void {
  const { node, ltime } = intent
  if (!witness(state, ltime, intent, now)) return
  const record = state.members.get(node)
  if (record === undefined) {
    if (remember(state, node, { kind: 'join', ltime, at: now }, sourceOf(received))) spread(state, 'intents', received)
    return
  }
  if (ltime <= record.statusLtime) return
  if (node === state.name && state.departure !== undefined) {
    // Differs: Serf lets anybody take its own leave back, and counts as alive in the midst of it.
    trace('someone says we stay; we leave')
    return
  }
  const previous = state.members.view(node)
  // The join itself was heard, not only that somebody holds it for joined at that time: of one whose leave did not reach them others say that
  // in each exchange, and would never take the leave if it were told at its own time.
  if (record.status === 'left' && received !== undefined) {
    record.leftLtime ??= record.statusLtime
    awaitReturn(state, node, now)
  }
  record.statusLtime = ltime
  spread(state, 'intents', received)
  if (record.status === 'leaving') {
    state.members.mark(record, 'alive')
    cancelPrune(state, node)
    const isSuspect = state.members.view(node)?.state === 'suspect'
    tell(state, isSuspect ? 'member-suspect' : 'member-recover', node, previous)
  }
}

/** Tells the cluster that we are here by intent: after an explicit join, and against a leave that is not ours. */
export function announceJoin(state: SerfState): void {
  const ltime = state.clock.increment()
  const self = state.members.get(state.name)
  if (self !== undefined) self.statusLtime = ltime
  spread(state, 'intents', encodeSerfMessage({ type: 'join', ltime, node: state.name }), OUR_INTENT)
}

/** Tells the cluster that we leave. @param ticket reported once it has been told */
export function announceLeaveIntent(state: SerfState, ticket: number): void {
  const ltime = state.clock.increment()
  const self = state.members.get(state.name)
  if (self !== undefined) {
    state.members.mark(self, 'leaving')
    self.statusLtime = ltime
  }
  const message = encodeSerfMessage({ type: 'leave', ltime, node: state.name, prune: false })
  spread(state, 'intents', message, { ...OUR_INTENT, ticket })
}

/** An operator declares that a member, or a stranger, has left (serf-behaviour §24). @param ticket reported once it has been told, or at
 *  once where nobody is to be told
 *  @throws SizeError where the name fits no packet: nothing is changed */
export function forceLeave(state: SerfState, name: string, isPruned: boolean, ticket: number, now: number): void {
  const ltime = state.clock.time
  const intent: SerfLeave = { type: 'leave', ltime, node: name, prune: isPruned }
  const message = encodeSerfMessage(intent)
  const [usedBytes, allowedBytes] = [message.length, state.swim.largestBroadcastBytes - USER_TYPE_BYTES]
  if (usedBytes > allowedBytes) throw new SizeError('name', usedBytes, allowedBytes)
  trace('force %s to leave%s', name, isPruned ? ', and prune it' : '')
  state.clock.increment()
  // Differs: Serf looks for someone to tell after it has applied the intent, so of two members the one that is forced, and lives, never hears of it.
  const isAlone = !state.swim.hasPeers()
  applyLeaveIntent(state, intent, now, undefined, 'told')
  if (isAlone) state.outbox.notify({ type: 'told', ticket })
  else spread(state, 'intents', message, { ticket })
}

/** Packets tell an intent, exchanges list it. */
function sourceOf(received: Uint8Array | undefined): IntentSource {
  return received === undefined ? 'listed' : 'told'
}

function witness(
  state: SerfState,
  ltime: SerfJoin['ltime'],
  { type, node }: SerfJoin | SerfLeave,
  now: number,
): ltime is number {
  if (state.clock.witness(ltime, now)) return true
  warn(state, 'lamport-leap', `${type} of ${node} at ${ltime}, we are at ${state.clock.time}`)
  return false
}
