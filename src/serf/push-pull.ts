// Serf's part of a full exchange: every member's last intent, and who left (serf-behaviour §23). Nothing learnt here is told on.
import { DecodeError } from '../base/errors.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../wire/serf-messages.ts'
import type { SerfMessage, SerfPushPull, Uint64 } from '../wire/types.ts'
import { applyJoinIntent, applyLeaveIntent } from './intents.ts'
import type { SerfState } from './state.ts'

/** What we tell. Events and queries are not kept, so their clocks stand at the start. */
export function localState(state: SerfState): Uint8Array {
  const statusLtimes = new Map<string, Uint64>()
  const leftMembers: string[] = []
  for (const { name, status, statusLtime } of state.members.records()) {
    // Who hears a time here, and no goodbye, takes it for a join. Differs: Serf tells the time of the leave itself, so an exchange
    // within a leave undoes it: the leave that comes after is not newer, and the member counts as failed.
    statusLtimes.set(name, status === 'leaving' ? Math.max(0, statusLtime - 1) : statusLtime)
    if (status === 'left') leftMembers.push(name)
  }
  return encodeSerfMessage({
    type: 'push-pull',
    ltime: state.clock.time,
    statusLtimes,
    leftMembers,
    eventLtime: 1,
    events: [],
    queryLtime: 1,
  })
}

/** Takes what they told. */
export function mergeRemoteState(state: SerfState, bytes: Uint8Array, now: number): void {
  const theirs = readState(bytes)
  if (theirs instanceof DecodeError) {
    state.outbox.notify({
      type: 'warning',
      code: 'message-invalid',
      message: `state in an exchange: ${theirs.message}`,
    })
    return
  }
  // Their clock shows the time of their next message; what they have seen is one less. A clock that cannot be believed is left
  // aside; each intent below is held against ours by itself.
  const isBelieved = typeof theirs.ltime === 'number' && (theirs.ltime <= 1 || state.clock.witness(theirs.ltime - 1))
  if (!isBelieved) {
    const message = `an exchange says ${theirs.ltime}, we are at ${state.clock.time}`
    state.outbox.notify({ type: 'warning', code: 'lamport-leap', message })
  }
  const left = new Set(theirs.leftMembers)
  for (const node of left) {
    const ltime = theirs.statusLtimes.get(node) ?? 0
    // One more: a departure must beat the very intent it ended (serf-behaviour §23).
    if (typeof ltime === 'number') applyLeaveIntent(state, { type: 'leave', ltime: ltime + 1, node, prune: false }, now)
  }
  for (const [node, ltime] of theirs.statusLtimes) {
    if (!left.has(node)) applyJoinIntent(state, { type: 'join', ltime, node }, now)
  }
}

function readState(bytes: Uint8Array): SerfPushPull | DecodeError {
  let message: SerfMessage
  try {
    message = decodeSerfMessage(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return error
    throw error
  }
  return message.type === 'push-pull' ? message : new DecodeError(`a ${message.type} where a push-pull belongs`)
}
