// Erasing those long gone (serf-behaviour §31): the dead and those that left stay in the list for a day, then are reaped.
import type { SerfRecord } from './members.ts'
import { erase } from './prune.ts'
import type { SerfState } from './state.ts'

/** One look at all that are gone. */
export function reap(state: SerfState, now: number): void {
  const expired = state.members.gone().filter((record) => now - record.goneAt > timeoutFor(state, record))
  for (const { name } of expired) if (name !== state.name) erase(state, name)
  state.recentIntents.purge(now - state.options.recentIntentTimeoutMs)
}

/** How long one that is gone stays in the list, by the user's own word if there is one. */
function timeoutFor(state: SerfState, { name, status }: SerfRecord): number {
  const { reconnectTimeoutMs, tombstoneTimeoutMs } = state.options
  const defaultMs = status === 'failed' ? reconnectTimeoutMs : tombstoneTimeoutMs
  const member = state.members.view(name)
  if (state.reconnectTimeoutFor === undefined || member === undefined || member.isSelf) return defaultMs
  return state.reconnectTimeoutFor(member, defaultMs)
}
