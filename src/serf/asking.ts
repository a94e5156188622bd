// Asking the cluster (serf-behaviour §26.1): a query is told to everybody by gossip, and whoever its filters mean answers us straight.
// We are one of those, and answer without the network. How the answers are taken stands in collecting.ts.
import { QueryError, SizeError } from '../base/errors.ts'
import type { Address } from '../wire/address.ts'
import { encodeQueryFilter, type QueryFilter } from '../wire/query-filter.ts'
import { encodeSerfMessage } from '../wire/serf-messages.ts'
import type { SerfQuery } from '../wire/types.ts'
import { endIfComplete, queryKey } from './collecting.ts'
import { InternalQuery } from './internal-queries.ts'
import { deliver, QueryFlag } from './queries.ts'
import { MAX_QUERY_WORK, QueryFilters } from './query-filters.ts'
import type { OpenQuery, QuerySink } from './query-state.ts'
import { spread, USER_TYPE_BYTES } from './spread.ts'
import type { SerfState } from './state.ts'

/** Queries of ours at once: more than gossip could carry. */
const MAX_OPEN = 1024
/** Room beside for those that Serf asks itself. */
const MAX_OPEN_OF_SERF = MAX_OPEN + 64

/** Work to find out who is meant, over all members; see `QueryFilters.work`. */
const MAX_MEANT_WORK = 2 ** 20

/** Where gossip is off, as if it were not: a query must last some time. */
const DEFAULT_GOSSIP_INTERVAL_MS = 200

/** What is asked. All has been checked. */
export interface QueryRequest {
  readonly name: string
  readonly payload: Uint8Array
  readonly filters: readonly QueryFilter[]
  readonly wantsAcks: boolean
  /** How many others each answer goes through beside; 0 to 255. */
  readonly relayFactor: number
  /** Absent: as long as gossip needs in a cluster of this size. */
  readonly timeoutMs?: number | undefined
  /** False where it lasts its full time, whoever answers. */
  readonly endsEarly: boolean
  /** False where nobody here listens, so that our own response is not waited for. Absent: somebody does. */
  readonly isHeard?: boolean
  /** Serf itself asks, not the user: the user's limits do not hold. */
  readonly isOfSerf?: boolean
  /** Somebody who is told straight too, beside gossip. */
  readonly alsoTo?: Address | undefined
}

/** Asks. The sink hears of each answer, and of the end; some may come in this very call. Gives the query's time, its name among ours.
 *  @throws SizeError where it is too large, QueryError where too many are open: nothing is asked then */
export function ask(state: SerfState, request: QueryRequest, sink: QuerySink, now: number): number {
  const { queries, swim } = state
  const { name, payload, wantsAcks, relayFactor, timeoutMs = defaultTimeoutMs(state), isOfSerf = false } = request
  const mostOpen = isOfSerf ? MAX_OPEN_OF_SERF : MAX_OPEN
  if (queries.open.size >= mostOpen) throw new QueryError(`${mostOpen} queries are open at once`)
  const filters = request.filters.map(encodeQueryFilter)
  const query: SerfQuery = {
    type: 'query',
    ltime: queries.clock.time,
    id: state.random.uint32() >>> 1,
    addr: swim.self.address.ip,
    port: swim.self.address.port,
    sourceNode: state.name,
    filters,
    flags: wantsAcks ? QueryFlag.ack : 0,
    relayFactor,
    timeoutNs: Math.round(timeoutMs * 1e6),
    name,
    payload,
  }
  const message = encodeSerfMessage(query)
  // Differs: Serf queues a query that no packet holds, where its limit was raised, and it is never told.
  const most = state.broadcasts.maxBytes - USER_TYPE_BYTES
  const limit = isOfSerf ? most : Math.min(state.options.querySizeLimit, most)
  if (message.length > limit) throw new SizeError('query', message.length, limit)
  const ltime = queries.clock.increment()
  const meant = request.endsEarly ? meantBy(state, filters) : undefined
  const open: OpenQuery = {
    ltime,
    id: query.id,
    sink,
    unacked: new Set(wantsAcks ? meant : []),
    unanswered: new Set(name === InternalQuery.ping ? [] : meant),
    endsEarly: meant !== undefined,
    acked: new Set(),
    answered: new Set(),
    strangers: 0,
  }
  if (request.isHeard === false) open.unanswered.delete(state.name)
  queries.open.set(ltime, open)
  queries.seen.note(ltime, query.id)
  state.deadlines.set(queryKey(ltime), now + timeoutMs, { kind: 'query', ltime })
  spread(state, 'queries', message)
  if (request.alsoTo !== undefined) swim.sendUser(request.alsoTo, message)
  deliver(state, query, now, true)
  // We may have been all that was meant.
  if (queries.open.has(ltime)) endIfComplete(state, open)
  return ltime
}

/** Asks; the answers become notices. @throws as `ask` */
export function askByNotices(state: SerfState, request: QueryRequest, now: number): number {
  const { outbox } = state
  // As `ask` will name it: answers may come before it returns.
  const ltime = state.queries.clock.time
  const sink: QuerySink = {
    acked: (from) => outbox.notify({ type: 'query-ack', ltime, from }),
    answered: (from, payload) => outbox.notify({ type: 'query-response', ltime, from, payload }),
    ended: (reason) => outbox.notify({ type: 'query-done', ltime, reason }),
  }
  return ask(state, request, sink, now)
}

/** How long a query lasts where nothing else is said: `queryTimeoutMult` rounds of gossip for each digit of the number of members. */
export function defaultTimeoutMs({ options, swim }: Pick<SerfState, 'options' | 'swim'>): number {
  const intervalMs = swim.gossipIntervalMs || DEFAULT_GOSSIP_INTERVAL_MS
  return queryTimeoutMs(intervalMs, options.queryTimeoutMult, swim.presentCount)
}

/** serf-behaviour §26.1. @param members alive and suspect, ourselves included */
export function queryTimeoutMs(gossipIntervalMs: number, mult: number, members: number): number {
  return gossipIntervalMs * mult * Math.ceil(Math.log10(members + 1))
}

/** Everybody alive who passes the filters, as far as we know their tags; also who is accused, and may yet answer. Absent where we cannot
 *  know that these are all: nobody is, or somebody is named who is not here, and may be so to others; or it takes too long to find out.
 *  Differs: Serf waits its full time, though all have answered. */
function meantBy(state: SerfState, filters: readonly Uint8Array[]): string[] | undefined {
  const read = QueryFilters.read(filters, state.queries.patterns, () => {})
  if (read === undefined) return undefined
  const present = state.members.views().filter((member) => member.state === 'alive' || member.state === 'suspect')
  const here = new Set(present.map(({ name }) => name))
  if (read.named.some((names) => [...names].some((name) => !here.has(name)))) return undefined
  const meant: string[] = []
  let work = 0
  for (const { name, rawTags: tags } of present) {
    if (!read.passesNames(name)) continue
    const its = read.work({ tags })
    work += its
    if (its > MAX_QUERY_WORK || work > MAX_MEANT_WORK) return undefined
    if (read.passes({ name, tags }, () => {})) meant.push(name)
  }
  return meant.length === 0 ? undefined : meant
}
