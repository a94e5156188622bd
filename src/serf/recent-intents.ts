// Intents about members we do not know, or no longer: the newest of each name for a while, in case the member appears
// (serf-behaviour §23). Bounded, since any stranger can name as many strangers as it likes.
import { MAX_NAME_LENGTH } from '../swim/member.ts'
import type { RecentIntent, SerfState } from './state.ts'

/** Names kept at once. */
const MAX_RECENT_INTENTS = 4096

/** Keeps the newest intent of a stranger. True if this one is. */
export function remember(state: SerfState, name: string, intent: RecentIntent): boolean {
  if (name.length > MAX_NAME_LENGTH) {
    const text = `an intent of a stranger with a name of ${name.length} characters`
    state.outbox.notify({ type: 'warning', code: 'message-invalid', message: text })
    return false
  }
  const { recentIntents } = state
  const known = recentIntents.get(name)
  if (known !== undefined && known.ltime >= intent.ltime) return false
  recentIntents.delete(name) // the newest stand last
  recentIntents.set(name, intent)
  if (recentIntents.size > MAX_RECENT_INTENTS) {
    const [oldest] = recentIntents.keys()
    recentIntents.delete(oldest as string)
    const text = `intents of more than ${MAX_RECENT_INTENTS} strangers: that of ${oldest} is forgotten`
    state.outbox.notify({ type: 'warning', code: 'intent-limit', message: text })
  }
  return true
}

/** Forgets intents about strangers that never came. */
export function purgeIntents(state: SerfState, now: number): void {
  for (const [name, { at }] of state.recentIntents) {
    if (now - at > state.options.recentIntentTimeoutMs) state.recentIntents.delete(name)
  }
}
