// Who holds whom for what, across a cluster: agreement with the truth, and a summary a person can read. Reads members, changes none.
import type { Membership } from '../membership.ts'
import type { MemberState } from '../serf/members.ts'

/** What one member holds of each member by name, itself included. */
export type View = ReadonlyMap<string, MemberState>

export function viewOf(membership: Membership): View {
  return new Map(membership.members().map(({ name, state }) => [name, state]))
}

/** A question to be asked again and again: whether every one of `running` holds every one of them for alive, as that one is now (same
 *  incarnation, so same tags), and nobody else for a member still. Whoever disagreed is asked first the next time: while one does, the
 *  question costs one look at one view, and not one at all of them. */
export function settledQuestion(running: ReadonlyMap<string, Membership>): () => boolean {
  const views = [...running.values()]
  return () => {
    const incarnations = new Map([...running].map(([name, membership]) => [name, membership.local.incarnation]))
    const dissenter = views.findIndex((membership) => !agrees(membership, incarnations))
    if (dissenter > 0) views.unshift(...views.splice(dissenter, 1))
    return dissenter < 0
  }
}

/** Whether a member holds those of that name and incarnation for alive, all of them and nobody else. */
function agrees(membership: Membership, incarnations: ReadonlyMap<string, number>): boolean {
  if (membership.size < incarnations.size) return false
  let alive = 0
  for (const { name, state, incarnation } of membership.members()) {
    if (state === 'dead' || state === 'left') {
      if (incarnations.has(name)) return false
      continue
    }
    if (state !== 'alive' || incarnations.get(name) !== incarnation) return false
    alive++
  }
  return alive === incarnations.size
}

/** Views of the running members, one line for each different one: who holds it, how many are alive in it, and who is not. */
export function summaryOf(running: ReadonlyMap<string, Membership>): string {
  const holders = new Map<string, string[]>()
  for (const [name, membership] of running) {
    const said = summarize(viewOf(membership))
    const same = holders.get(said)
    if (same === undefined) holders.set(said, [name])
    else same.push(name)
  }
  return [...holders].map(([said, names]) => `  ${shorten(names)}: ${said}`).join('\n')
}

function summarize(view: View): string {
  const byState = new Map<MemberState, string[]>()
  for (const [name, state] of view) {
    const names = byState.get(state)
    if (names === undefined) byState.set(state, [name])
    else names.push(name)
  }
  const parts = [`${byState.get('alive')?.length ?? 0} alive`]
  for (const state of ['suspect', 'leaving', 'left', 'dead'] as const) {
    const names = byState.get(state)?.sort()
    if (names !== undefined) parts.push(`${state}: ${shorten(names)}`)
  }
  return parts.join(', ')
}

function shorten(names: readonly string[]): string {
  return names.length <= 6 ? names.join(' ') : `${names.slice(0, 5).join(' ')} and ${names.length - 5} more`
}
