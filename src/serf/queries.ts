// Queries as they come by gossip (serf-behaviour §26.2): each is taken once, told on, and handed to whom its filters mean, with the time
// it leaves for an answer. Asking stands in asking.ts, answering in responding.ts, what Serf asks itself in internal-queries.ts.
import { tracer } from '../base/log.ts'
import { Address } from '../wire/address.ts'
import type { SerfQuery } from '../wire/types.ts'
import { answerInternally, isInternal } from './internal-queries.ts'
import type { ReceivedQuery } from './notices.ts'
import { MAX_QUERY_WORK, QueryFilters } from './query-filters.ts'
import { MAX_AT_ONE_TIME, RING_SLOTS } from './query-state.ts'
import { acknowledge } from './responding.ts'
import { spread } from './spread.ts'
import { type SerfState, warn } from './state.ts'

const trace = tracer('serf:queries')

/** Flags of a query. */
export const QueryFlag = { ack: 1, noBroadcast: 2 } as const

/** The longest time for an answer that we keep: who asks for more gets a day. */
const MAX_TIMEOUT_MS = 86_400_000

/** Takes a query that came by gossip. @param received its bytes, to be told on */
export function applyQuery(state: SerfState, query: SerfQuery, received: Uint8Array, now: number): void {
  const { queries } = state
  const { ltime, id, flags } = query
  if (!queries.clock.witness(ltime, now)) {
    warn(state, 'lamport-leap', `query ${query.name} at ${ltime}, we are at ${queries.clock.time}`)
    return
  }
  if (ltime < queries.minTime) return
  const { time } = queries.clock
  if (time > RING_SLOTS && ltime < time - RING_SLOTS) {
    warn(state, 'query-old', `query ${query.name} of ${query.sourceNode} at ${ltime}, we are at ${time}`)
    return
  }
  const novelty = queries.seen.note(ltime, id)
  if (novelty === 'too-many') warn(state, 'query-limit', `more than ${MAX_AT_ONE_TIME} queries at the time ${ltime}`)
  if (novelty !== 'new') return
  if ((flags & QueryFlag.noBroadcast) === 0 && !isDeadly(query)) spread(state, 'queries', received)
  deliver(state, query, now, false)
}

/** Whether it ends Go members that hear it, by a filter of no bytes: told on, it would reach all of them. */
function isDeadly({ filters }: SerfQuery): boolean {
  return filters.some(({ length }) => length === 0)
}

/** Hands a query to whom it is for: to nobody here where its filters leave us out.
 *  @param isOurs we asked it */
export function deliver(state: SerfState, query: SerfQuery, now: number, isOurs: boolean): void {
  const { name, sourceNode, flags } = query
  const self = state.members.view(state.name)
  if (self === undefined) return
  if (!isMeant(state, query, { name: self.name, tags: self.rawTags }, now, isOurs)) return
  if (query.port === 0) {
    warn(state, 'message-invalid', `query ${name} of ${sourceNode} wants answers at port 0`)
    return
  }
  trace('query %s of %s, time %s', name, sourceNode, query.ltime)
  const received: ReceivedQuery = {
    ltime: query.ltime as number,
    id: query.id,
    name,
    payload: query.payload,
    source: sourceNode,
    address: new Address(query.addr, query.port),
    relayFactor: query.relayFactor,
    deadline: now + Math.min(MAX_TIMEOUT_MS, Math.max(0, Number(query.timeoutNs) / 1e6)),
    isOurs,
    isAnswered: false,
  }
  if ((flags & QueryFlag.ack) !== 0) acknowledge(state, received, now)
  state.snapshot?.query(received.ltime)
  if (isInternal(name)) answerInternally(state, received, now)
  else state.outbox.notify({ type: 'query', query: received })
}

/** Whether the filters let us pass. What strangers may have us work for it is bounded, by the query and by the second: `queries.patternWork`. */
function isMeant(
  state: SerfState,
  { name, sourceNode, filters }: SerfQuery,
  self: { readonly name: string; readonly tags: Readonly<Record<string, string>> },
  now: number,
  isOurs: boolean,
): boolean {
  const told = (message: string): void => warn(state, 'filter-invalid', `query ${name} of ${sourceNode}: ${message}`)
  const read = QueryFilters.read(filters, state.queries.patterns, told)
  if (read === undefined || !read.passesNames(self.name)) return false
  if (!isOurs && read.work(self) <= MAX_QUERY_WORK && !state.queries.patternWork.take(read.cost(self), now)) {
    warn(state, 'query-limit', `query ${name} of ${sourceNode}: more patterns in a second than are looked at`)
    return false
  }
  return read.passes(self, told)
}
