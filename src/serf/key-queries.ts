// How key queries look on the wire (wire-protocol §10): their names, and the way of the answer. What they do is key-manager.ts's.
import { QueryError, SizeError, TimeoutError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import { encodeSerfMessage } from '../wire/serf-messages.ts'
import { receiveKeyQuery } from './key-manager.ts'
import type { KeyOperation } from './key-state.ts'
import type { ReceivedQuery } from './notices.ts'
import { mayAnswer, respond } from './responding.ts'
import { type SerfState, warn } from './state.ts'

const trace = tracer('serf:keys')

/** The names of the queries. */
export const KEY_QUERIES: Readonly<Record<KeyOperation, string>> = {
  install: '_serf_install-key',
  use: '_serf_use-key',
  remove: '_serf_remove-key',
  list: '_serf_list-keys',
}

const OPERATIONS: ReadonlyMap<string, KeyOperation> = new Map(
  Object.entries(KEY_QUERIES).map(([operation, name]) => [name, operation as KeyOperation]),
)

/** Does what a key query asks for, and answers it, now or when its turn comes. False for any other query. */
export function answerKeyQuery(state: SerfState, query: ReceivedQuery, now: number): boolean {
  const operation = OPERATIONS.get(query.name)
  if (operation === undefined) return false
  trace('%s keys, asked by %s', operation, query.source || query.address.key)
  const fits = (payload: Uint8Array): boolean =>
    answerBytes(state, query, payload) <= state.options.queryResponseSizeLimit
  const answer = (payload: Uint8Array, answeredAt: number): void => sendAnswer(state, query, payload, answeredAt)
  receiveKeyQuery(state, operation, query.payload, { fits, answer }, now)
  return true
}

/** Bytes of an answer, within a relay where the asker wants some. */
function answerBytes(state: SerfState, query: ReceivedQuery, payload: Uint8Array): number {
  const { ltime, id, address, relayFactor, source } = query
  const message = encodeSerfMessage({ type: 'query-response', ltime, id, from: state.name, flags: 0, payload })
  if (relayFactor === 0) return message.length
  const { ip: destAddr, port: destPort } = address
  return encodeSerfMessage({ type: 'relay', destAddr, destPort, destZone: '', destName: source, message }).length
}

/** Answers; where it cannot, or would be too much, the asker counts us as one that did not, and here it is a warning. What was asked for is
 *  done in any case: without a key that all others use we would hear nothing more. */
function sendAnswer(state: SerfState, query: ReceivedQuery, payload: Uint8Array, now: number): void {
  if (!query.isOurs && !mayAnswer(state, query, now)) return
  try {
    respond(state, query, payload, now)
  } catch (error) {
    if (!(error instanceof SizeError || error instanceof TimeoutError || error instanceof QueryError)) throw error
    warn(state, 'response-unsent', `${query.name} of ${query.source}: ${error.message}`)
  }
}
