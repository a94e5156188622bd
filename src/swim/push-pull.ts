// Anti-entropy: two members tell each other all they know over a stream, now and then and at every join (serf-behaviour §9). Who asks
// whom, and what is said; how what is heard is taken stands in merge.ts.
//
//   join, knowing nobody:   ask, telling nothing ──their state──► merged ──► tell all, to join ──their state──► merged ──► done
//   otherwise:                                                               tell all          ──their state──► merged ──► done
import { NO_BYTES } from '../base/bytes.ts'
import { tracer } from '../base/log.ts'
import { type Address, isIpv4 } from '../wire/address.ts'
import { encodePushPull, encodeSwimMessage } from '../wire/swim-messages.ts'
import type { PushPull } from '../wire/types.ts'
import { beginMerge } from './merge.ts'
import type { PushPullRequest, SwimState } from './state.ts'

const trace = tracer('swim:push-pull')

/** The periodic exchange, with one member that nobody suspects. */
export function pushPullTick(state: SwimState): void {
  const [partner] = state.members.sample(1, (member) => member.status === 'alive' && member !== state.self)
  if (partner !== undefined) requestPushPull(state, partner.address, false)
}

/** Begins an exchange; its end is told as `exchangeDone` under the number returned, later. */
export function requestPushPull(state: SwimState, to: Address, join: boolean): number {
  const id = ++state.requestId
  const asks = join && knowsNobody(state)
  trace('exchange %d with %s%s%s', id, to.key, join ? ', to join' : '', asks ? ', asking first' : '')
  open(state, id, { purpose: 'push-pull', to, stage: asks ? 'ask' : 'tell' }, join)
  return id
}

/** An exchange they began: our state goes out first, since a refused merge must still be answered. */
export function answerPushPull(state: SwimState, id: number, theirs: PushPull, from: Address, now: number): void {
  state.outbox.push({ kind: 'reply', id, body: ourState(state, theirs.join) })
  const problem = beginMerge(state, theirs, { from }, now, () => {})
  if (problem !== undefined) state.delegate.warn('merge-refused', problem)
}

/** The answer to an exchange we began. */
export function completePushPull(
  state: SwimState,
  id: number,
  { to, stage }: PushPullRequest,
  theirs: PushPull,
  now: number,
): void {
  const problem = beginMerge(state, theirs, { from: to, isAnswer: true, exchange: id }, now, (taken) => {
    if (stage === 'tell') state.delegate.exchangeDone(id, undefined, taken)
    else if (state.isLeaving) state.delegate.exchangeDone(id, 'we are leaving', taken)
    else open(state, id, { purpose: 'push-pull', to, stage: 'tell' }, true)
  })
  if (problem === undefined) return
  state.delegate.warn('merge-refused', problem)
  state.delegate.exchangeDone(id, problem, now)
}

/** The answer to a ping over a stream. */
export function answerStreamPing(state: SwimState, id: number, seqNo: number): void {
  state.outbox.push({ kind: 'reply', id, body: encodeSwimMessage({ type: 'ack', seqNo, payload: null }) })
}

/** Whoever knows nobody does not know how a cluster that it was in before holds its name: in which bytes of its address, which Go
 *  compares, and up to which incarnation. It learns that before it tells of itself. Differs: memberlist tells at once. Where a Go
 *  agent told IPv4 in 16 bytes and we came back with 4, each Go member would log a conflict. An IPv6 address has one form only.
 *  Of several seeds asked at once each is asked so and then told: which of them answers first nobody knows, and none may wait for
 *  another that could be dead. */
function knowsNobody({ members, self }: SwimState): boolean {
  return members.size <= 1 && isIpv4(self.address.ip)
}

function open(state: SwimState, id: number, request: PushPullRequest, join: boolean): void {
  const { to, stage } = request
  state.requests.set(id, request)
  const body = stage === 'ask' ? NOTHING : ourState(state, join)
  state.outbox.push({ kind: 'request', id, purpose: 'push-pull', to, body, timeoutMs: state.options.streamTimeoutMs })
}

function ourState(state: SwimState, join: boolean): Uint8Array {
  return state.ourState.encode(state.members.records(), state.delegate.localState(join), join)
}

/** An exchange that tells of nobody. Go answers it with all it knows. */
const NOTHING: Uint8Array = encodePushPull({ type: 'push-pull', join: false, members: [], userState: NO_BYTES })
