// The bound of the member list. SWIM's table has one of its own, but forgets the dead soon; Serf remembers them for a day, and with
// them every name that a stranger ever invented. Here those give way.
import { MAX_MEMBERS } from '../swim/member.ts'
import { erase } from './prune.ts'
import type { SerfState } from './state.ts'

/** Erased together, so that not every newcomer to a full list costs a look at everyone. */
const STEP = MAX_MEMBERS / 16

/** Where the list is full, erases those longest gone ahead of their time. Those that SWIM still holds stay, and are fewer.
 *  Differs: Serf holds as many as come. */
export function makeRoom(state: SerfState): void {
  if (state.members.size < MAX_MEMBERS) return
  const gone = state.members
    .gone()
    .filter(({ name }) => state.swim.member(name) === undefined)
    .sort((left, right) => left.goneAt - right.goneAt)
  for (const { name } of gone.slice(0, STEP)) erase(state, name)
}
