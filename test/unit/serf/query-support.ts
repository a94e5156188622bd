// What the tests of queries share: queries as ghosts ask them, answers as ghosts give them, and what a machine sent and told of both.
// Not a test.
import { NO_BYTES } from '../../../src/base/bytes.ts'
import type { QueryRequest } from '../../../src/serf/asking.ts'
import type { ReceivedQuery } from '../../../src/serf/notices.ts'
import type { SerfOptions } from '../../../src/serf/options.ts'
import { encodeQueryFilter, type QueryFilter } from '../../../src/wire/query-filter.ts'
import { decodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import type { PacketMessage, SerfMessage, SerfQuery, SerfQueryResponse, Uint64 } from '../../../src/wire/types.ts'
import { addressOf, alive, Mesh, type Station, type StationOptions } from './support.ts'

/** A query of ghost 2 for everybody. */
export function query(more: Partial<SerfQuery> = {}, ...filters: QueryFilter[]): SerfQuery {
  const { ip: addr, port } = addressOf(2)
  return {
    type: 'query',
    ltime: 7,
    id: 77,
    addr,
    port,
    sourceNode: 'ghost-2',
    filters: filters.map(encodeQueryFilter),
    flags: 0,
    relayFactor: 0,
    timeoutNs: 3_000_000_000,
    name: 'load',
    payload: Uint8Array.of(1),
    ...more,
  }
}

export function request(more: Partial<QueryRequest> = {}): QueryRequest {
  return { name: 'load', payload: NO_BYTES, filters: [], wantsAcks: false, relayFactor: 0, endsEarly: true, ...more }
}

/** A machine that knows ghosts 2 to `last`. */
export function amongGhosts(
  last: number,
  options: StationOptions & Partial<SerfOptions> = {},
): { mesh: Mesh; us: Station } {
  const mesh = new Mesh()
  const us = mesh.add('us', 1, options)
  for (let number = 2; number <= last; number++) mesh.feed(us, alive(number))
  us.told()
  mesh.forgetSent()
  return { mesh, us }
}

/** Queries told since the last call; others are put away. */
export function queriesTold(station: Station): ReceivedQuery[] {
  return station.told().flatMap((notice) => (notice.type === 'query' ? [notice.query] : []))
}

/** Serf messages that were sent alone in a user message to `to`, or, without it, to anybody but by gossip. */
export function direct(mesh: Mesh, from: string, to?: string): SerfMessage[] {
  return mesh.sent
    .filter((one) => one.from === from && one.message.type === 'user' && (to === undefined || one.to === to))
    .map(({ message }) => decodeSerfMessage((message as Extract<PacketMessage, { type: 'user' }>).payload))
    .filter(({ type }) => type === 'query-response' || type === 'relay')
}

export function answer(
  from: string,
  ltime: Uint64,
  id: number,
  more: Partial<SerfQueryResponse> = {},
): SerfQueryResponse {
  return { type: 'query-response', ltime, id, from, flags: 0, payload: NO_BYTES, ...more }
}

/** The query that a machine gossiped last. */
export function asked(mesh: Mesh, from: string): SerfQuery {
  const queries = mesh.gossiped(from).filter((message): message is SerfQuery => message.type === 'query')
  const last = queries.at(-1)
  if (last === undefined) throw new Error('no query was gossiped')
  return last
}

/** `<kind> <name>` of the answers told since the last call, and how the query ended. */
export function answersTold(station: Station): string[] {
  return station.told().flatMap((notice) => {
    if (notice.type === 'query-ack') return [`ack ${notice.from}`]
    if (notice.type === 'query-response') return [`response ${notice.from}`]
    return notice.type === 'query-done' ? [notice.reason] : []
  })
}

/** Codes of the warnings since the last call. */
export function warningsTold(station: Station): string[] {
  return station.told().flatMap((notice) => (notice.type === 'warning' ? [notice.code] : []))
}
