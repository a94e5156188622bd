// Intents about members we do not know, or no longer: the newest of each name for a while, in case the member appears
// (serf-behaviour §23). Bounded, since any stranger can name as many strangers as it likes.
import { MAX_NAME_LENGTH } from '../swim/member.ts'
import type { Outbox } from '../swim/outbox.ts'
import type { SerfNotice } from './notices.ts'

/** An intent about a member we do not know yet. */
export interface RecentIntent {
  readonly kind: 'join' | 'leave'
  readonly ltime: number
  readonly at: number
}

/** Names kept at once of those that packets told of. */
const MAX_TOLD = 4096
/** The same of exchanges: each lists everyone who left within a day, and lists them all again next time. So the oldest go without
 *  a word, and never in place of one that was told once and is not told again. */
const MAX_LISTED = 16_384

/** Where an intent was learnt. */
export type IntentSource = 'told' | 'listed'

/** The newest intent of each name, wherever it was learnt. */
export class RecentIntents {
  /** The newest stand last. */
  readonly #told = new Map<string, RecentIntent>()
  readonly #listed = new Map<string, RecentIntent>()

  get(name: string): RecentIntent | undefined {
    return this.#told.get(name) ?? this.#listed.get(name)
  }

  /** Takes the place of whatever is known of the name. Gives whose intent was told and had to go for it. */
  set(name: string, intent: RecentIntent, source: IntentSource): string | undefined {
    // What is told again from elsewhere stays where it is held longer.
    const into = source === 'told' || this.#told.has(name) ? this.#told : this.#listed
    this.#listed.delete(name)
    this.#told.delete(name)
    into.set(name, intent)
    if (into.size <= (into === this.#told ? MAX_TOLD : MAX_LISTED)) return undefined
    const [oldest] = into.keys()
    into.delete(oldest as string)
    return into === this.#told ? oldest : undefined
  }

  /** Forgets those learnt before `at`. */
  purge(at: number): void {
    for (const intents of [this.#told, this.#listed]) {
      for (const [name, intent] of intents) if (intent.at < at) intents.delete(name)
    }
  }
}

/** The part of Serf's state that is needed here. */
interface Memory {
  readonly recentIntents: RecentIntents
  readonly outbox: Outbox<SerfNotice>
}

/** Keeps the newest intent of a stranger. True if this one is. */
export function remember(state: Memory, name: string, intent: RecentIntent, source: IntentSource): boolean {
  if (name.length > MAX_NAME_LENGTH) {
    const text = `an intent of a stranger with a name of ${name.length} characters`
    state.outbox.notify({ type: 'warning', code: 'message-invalid', message: text })
    return false
  }
  const { recentIntents } = state
  const known = recentIntents.get(name)
  if (known !== undefined && known.ltime >= intent.ltime) return false
  const forgotten = recentIntents.set(name, intent, source)
  if (forgotten !== undefined) {
    const text = `intents of more than ${MAX_TOLD} strangers: that of ${forgotten} is forgotten`
    state.outbox.notify({ type: 'warning', code: 'intent-limit', message: text })
  }
  return true
}
