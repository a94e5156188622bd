// Leaves and returns that were announced and do not come. A leave takes seconds; who is still there after that was declared to have left by another,
// and has not heard of it, or its denial was lost; or it came back where nobody had heard that it left. It is asked: told of the leave,
// alone and at a time newer than any, it denies, and all who hear the denial see it alive again, Go members too. Who does not answer so
// and is still there a minute later stays, for us.
//
//   leaving ── 12 s, alive ──► asked ── its join ──► alive (intents.ts)
//                                └──── no join by 60 s, alive ──► alive
//
// Who left and announces that it joins is seen alive soon. If it is not, it went again before we saw it, and nobody may know how.
import { concat } from '../base/bytes.ts'
import { tracer } from '../base/log.ts'
import { encodeSerfMessage } from '../wire/serf-messages.ts'
import { SwimType } from '../wire/types.ts'
import { type SerfState, tell } from './state.ts'

const trace = tracer('serf:overdue')

/** More than a leave takes with all its parts: twice `broadcastTimeoutMs` and `leavePropagateDelayMs`, as Serf has them. */
export const ASK_MS = 12_000
/** More than it takes to find out that a member died in the midst of its leave. */
export const OVERDUE_MS = 60_000

/** A member counts as leaving from now on. */
export function awaitGoodbye(state: SerfState, name: string, now: number): void {
  askLater(state, name, now, now)
}

/** One that left, to us, has joined anew, and it itself was not heard yet. Until it is, or for a minute, others are told its leave at the time of
 *  the leave. After that at the time of the join: who holds it for dead since would not believe it else, and never agree with us. */
export function awaitReturn(state: SerfState, name: string, now: number): void {
  state.deadlines.set(`return:${name}`, now + OVERDUE_MS, { kind: 'return', name })
}

/** It has not come since. */
export function returnDue(state: SerfState, name: string): void {
  const record = state.members.get(name)
  if (record?.status === 'left') record.leftLtime = undefined
}

/** The goodbye has not come since. One that is suspected is given as long again.
 *  Differs: Serf holds such a member for leaving until it joins anew, and for left when it crashes. */
export function goodbyeDue(state: SerfState, name: string, since: number, now: number): void {
  const record = state.members.get(name)
  if (record?.status !== 'leaving' || name === state.name) return
  if (record.swim.status !== 'alive') {
    awaitGoodbye(state, name, now)
    return
  }
  if (now - since < OVERDUE_MS) {
    trace('%s is asked whether it leaves', name)
    const leave = encodeSerfMessage({ type: 'leave', ltime: state.clock.time, node: name, prune: false })
    const part = concat([USER_TYPE, leave])
    // One with a name that fits no packet cannot be asked.
    if (part.length <= state.swim.largestBroadcastBytes) {
      state.outbox.push({ kind: 'packet', to: record.swim.address, parts: [part], crc: false })
    }
    askLater(state, name, since, now)
    return
  }
  trace('%s announced that it leaves, and is still there', name)
  const previous = state.members.view(name)
  state.members.mark(record, 'alive')
  tell(state, 'member-recover', name, previous)
}

function askLater(state: SerfState, name: string, since: number, now: number): void {
  state.deadlines.set(`goodbye:${name}`, now + ASK_MS, { kind: 'goodbye', name, since })
}

const USER_TYPE = Uint8Array.of(SwimType.user)
