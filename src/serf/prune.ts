// Erasing members before their time, by an operator's word (serf-behaviour §24). Who is declared to have left and lives has time to deny
// it; who is erased and lives all the same comes back with its next sign of life, see swim-delegate.ts. Reaping is in reaper.ts.
import { tracer } from '../base/log.ts'
import { isPresent } from '../swim/member.ts'
import type { SerfRecord } from './members.ts'
import { remember } from './recent-intents.ts'
import { type SerfState, tell } from './state.ts'

const trace = tracer('serf:prune')

/** Erases a member that is declared to have left: at once where it is gone, else once it has had time to deny.
 *  Differs: Serf waits with its locks held, and answers nothing for six seconds. */
export function prune(state: SerfState, record: SerfRecord, now: number): void {
  if (record.status === 'left') {
    eraseForNow(state, record, now)
    return
  }
  const { broadcastTimeoutMs, leavePropagateDelayMs } = state.options
  const { name } = record
  state.deadlines.set(keyOf(name), now + broadcastTimeoutMs + leavePropagateDelayMs, { kind: 'prune', name })
}

/** The time to deny is over. */
export function pruneDue(state: SerfState, name: string, now: number): void {
  const record = state.members.get(name)
  if (record?.status === 'leaving' || record?.status === 'left') eraseForNow(state, record, now)
}

/** It denied, or came back. */
export function cancelPrune(state: SerfState, name: string): void {
  state.deadlines.delete(keyOf(name))
}

/** Takes a member off the list, with a notice. */
export function erase(state: SerfState, name: string): void {
  cancelPrune(state, name)
  tell(state, 'member-reap', name, state.members.view(name))
  state.members.delete(name)
  state.coordinates?.forget(name)
}

/** Remembers what was intended last: the intent that erases still travels, and must not count as news of a stranger. It is newer than
 *  what was remembered before the member came.
 *  Differs: Serf takes it for news, tells it on once more, and shows a member that comes back within five minutes as leaving. */
function eraseForNow(state: SerfState, { name, swim, statusLtime }: SerfRecord, now: number): void {
  trace('%s is pruned%s', name, isPresent(swim) ? ', though it lives' : '')
  erase(state, name)
  state.swim.trail.heard(name, { kind: 'erased' }, now)
  remember(state, name, { kind: 'join', ltime: statusLtime, at: now }, 'told')
}

function keyOf(name: string): string {
  return `prune:${name}`
}
