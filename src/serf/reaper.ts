// Erasing those long gone (serf-behaviour §31): the dead and those that left stay in the list for a day, then are reaped.
import { erase } from './prune.ts'
import type { SerfState } from './state.ts'

/** One look at everyone. */
export function reap(state: SerfState, now: number): void {
  const { reconnectTimeoutMs, tombstoneTimeoutMs } = state.options
  const expired = [...state.members.records()].filter(({ status, goneAt }) => {
    if (status === 'failed') return now - goneAt > reconnectTimeoutMs
    return status === 'left' && now - goneAt > tombstoneTimeoutMs
  })
  for (const { name } of expired) if (name !== state.name) erase(state, name)
  state.recentIntents.purge(now - state.options.recentIntentTimeoutMs)
}
