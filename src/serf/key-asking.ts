// Asking every member about keys (serf-behaviour §33): a query of Serf to Serf, whose answers are handed on all together.
import { ask } from './asking.ts'
import { KEY_QUERIES } from './key-queries.ts'
import type { KeyOperation } from './key-state.ts'
import type { KeyAnswer } from './notices.ts'
import { nextTicket, type SerfState } from './state.ts'

/** Asks; a `key-answers` notice with the number returned follows once all have answered, or the time is up.
 *  @throws SizeError, QueryError: nothing is asked */
export function askKeys(
  state: SerfState,
  operation: KeyOperation,
  payload: Uint8Array,
  relayFactor: number,
  now: number,
): number {
  const ticket = nextTicket(state)
  const answers: KeyAnswer[] = []
  const name = KEY_QUERIES[operation]
  const request = { name, payload, filters: [], wantsAcks: false, relayFactor, endsEarly: true, isOfSerf: true }
  const sink = {
    acked: () => {},
    answered: (from: string, answer: Uint8Array) => void answers.push({ from, payload: answer }),
    ended: () => state.outbox.notify({ type: 'key-answers', ticket, answers }),
  }
  ask(state, request, sink, now)
  return ticket
}
