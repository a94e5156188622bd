// Leaves that were announced and do not come. A leave takes seconds; who is still there a minute later, and answers, stays: it was
// declared to have left by another and its denial was lost, or it came back where nobody had heard that it left, so that its new join is
// no later than that leave. Nobody else would ever tell us.
import { tracer } from '../base/log.ts'
import { type SerfState, tell } from './state.ts'

const trace = tracer('serf:overdue')

/** More than a leave takes with all its parts, and more than it takes to find out that a member died in the midst of it. */
export const OVERDUE_MS = 60_000

/** A member counts as leaving from now on. */
export function awaitGoodbye(state: SerfState, name: string, now: number): void {
  state.deadlines.set(`goodbye:${name}`, now + OVERDUE_MS, { kind: 'goodbye', name })
}

/** The goodbye has not come. One that is suspected is given as long again.
 *  Differs: Serf holds such a member for leaving until it joins anew, and for left when it crashes. */
export function goodbyeDue(state: SerfState, name: string, now: number): void {
  const record = state.members.get(name)
  if (record?.status !== 'leaving') return
  if (record.swim.status !== 'alive') {
    awaitGoodbye(state, name, now)
    return
  }
  trace('%s announced that it leaves, and is still there', name)
  const previous = state.members.view(name)
  record.status = 'alive'
  tell(state, 'member-recover', name, previous)
}
