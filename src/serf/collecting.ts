// What comes back for a query that we asked (serf-behaviour §26.4): one ack and one response a member, until time is up, or until
// everybody has answered whom we knew to be meant. Late answers find nothing here and are gone; so are those of a relay that come twice.
import { tracer } from '../base/log.ts'
import type { SerfQueryResponse } from '../wire/types.ts'
import type { QueryEnd } from './notices.ts'
import type { OpenQuery } from './query-state.ts'
import { type SerfState, warn } from './state.ts'

const trace = tracer('serf:queries')

/** Flags of a response. */
export const ResponseFlag = { ack: 1 } as const

/** Answers taken from names that we do not know: of members that came while we asked. All others are bounded by the table of members. */
const MAX_STRANGERS = 64

/** Takes an answer.
 *  @param isOurs we have answered ourselves: that comes by no network */
export function takeAnswer(state: SerfState, answer: SerfQueryResponse, isOurs = false): void {
  const { ltime, id, from, flags, payload } = answer
  const open = typeof ltime === 'number' ? state.queries.open.get(ltime) : undefined
  if (open?.id !== id) {
    // Late ones are normal, and so are those of an asker that had our address before.
    trace('an answer of %s to no open query, time %s', from, ltime)
    return
  }
  if (from === '') {
    warn(state, 'message-invalid', `an answer to our query at ${ltime} comes from nobody`)
    return
  }
  if (from === state.name && !isOurs) {
    open.sink.namesake?.()
    return
  }
  const isAck = (flags & ResponseFlag.ack) !== 0
  const taken = isAck ? open.acked : open.answered
  if (taken.has(from) || !isExpected(state, open, from)) return
  taken.add(from)
  if (isAck) {
    open.unacked.delete(from)
    open.sink.acked(from)
  } else {
    open.unanswered.delete(from)
    open.sink.answered(from, payload)
  }
  endIfComplete(state, open)
}

/** A member is gone: nobody waits for it any more. */
export function awaitNoMore(state: SerfState, name: string): void {
  for (const open of [...state.queries.open.values()]) {
    const isAwaited = open.unacked.delete(name)
    if (open.unanswered.delete(name) || isAwaited) endIfComplete(state, open)
  }
}

/** Ends a query that everybody has answered; one that lasts its time goes on. */
export function endIfComplete(state: SerfState, open: OpenQuery): void {
  if (!open.endsEarly || open.unacked.size > 0 || open.unanswered.size > 0) return
  end(state, open, 'complete')
}

/** The time of a query is up. */
export function queryDue(state: SerfState, ltime: number): void {
  const open = state.queries.open.get(ltime)
  if (open !== undefined) end(state, open, 'timeout')
}

/** Whoever asked wants no more answers. Nothing is told of it. */
export function cancelQuery(state: SerfState, ltime: number): void {
  state.queries.open.delete(ltime)
  state.deadlines.delete(queryKey(ltime))
}

/** We stood still for `byMs`: so much longer the answers may take, and our question with them. */
export function postponeQueries(state: SerfState, byMs: number): void {
  for (const ltime of state.queries.open.keys()) state.deadlines.postpone(queryKey(ltime), byMs)
}

export function queryKey(ltime: number): string {
  return `query:${ltime}`
}

function end(state: SerfState, open: OpenQuery, reason: QueryEnd): void {
  cancelQuery(state, open.ltime)
  trace('query %d: %s, %d responses', open.ltime, reason, open.answered.size)
  open.sink.ended(reason)
}

/** Whether to take an answer of that name. Differs: Serf takes answers under any name until as many came as it has members, so
 *  that who invents names silences all others. */
function isExpected(state: SerfState, open: OpenQuery, from: string): boolean {
  if (state.members.get(from) !== undefined) return true
  if (open.acked.has(from) || open.answered.has(from)) return true
  if (open.strangers < MAX_STRANGERS) {
    open.strangers++
    return true
  }
  const message = `more than ${MAX_STRANGERS} strangers answer one query: ${from} is not heard`
  warn(state, 'query-limit', message)
  return false
}
