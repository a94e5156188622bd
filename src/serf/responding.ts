// Answering queries (serf-behaviour §26.3): an ack at once, one response in time, each straight to the asker and, where it wishes so,
// through others beside; and passing on what others answer through us. A query that waits for its answer is held by whoever answers it,
// and by nobody else: none of them fills a table.
import { NO_BYTES } from '../base/bytes.ts'
import { DecodeError, QueryError, SizeError, TimeoutError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import { Feature, understands } from '../swim/member.ts'
import { Address, sameEndpoint } from '../wire/address.ts'
import { decodeSerfMessage, encodeSerfMessage } from '../wire/serf-messages.ts'
import { type SerfQueryResponse, type SerfRelay, SerfType } from '../wire/types.ts'
import { ResponseFlag, takeAnswer } from './collecting.ts'
import type { SerfRecord } from './members.ts'
import type { ReceivedQuery } from './notices.ts'
import { type SerfState, warn } from './state.ts'

const trace = tracer('serf:queries')

/** Relays of one answer. Each asker may wish for 255: with that many, one packet of a stranger makes each member send as many.
 *  Differs: Serf sends an answer through as many others as the asker wishes. */
export const MAX_RELAYS = 16

/** Whether we may send a packet for another's query that nobody here has a say in: an ack, or an answer of Serf's own.
 *  Differs: Serf sends as many as it is asked for, wherever the asker says that it is, so that one packet may become ten thousand. */
export function mayAnswer(state: SerfState, { name, source, address }: ReceivedQuery, now: number): boolean {
  const { packets, strangersPackets } = state.queries
  // What strangers are refused must not be taken from the members.
  const isAllowed = isMember(state, address, source) || strangersPackets.take(1, now)
  if (isAllowed && packets.take(1, now)) return true
  warn(state, 'query-limit', `query ${name} of ${source || address.key}: more in a second than we answer by ourselves`)
  return false
}

/** Tells the asker that its query has come.
 *  Differs: Serf sends its answers to queries of its own through the network, to itself; ours are taken as they are. */
export function acknowledge(state: SerfState, query: ReceivedQuery, now: number): void {
  const { ltime, id } = query
  const ack: SerfQueryResponse = {
    type: 'query-response',
    ltime,
    id,
    from: state.name,
    flags: ResponseFlag.ack,
    payload: NO_BYTES,
  }
  if (query.isOurs) takeAnswer(state, ack, true)
  else if (mayAnswer(state, query, now)) send(state, query, encodeSerfMessage(ack), undefined, now)
}

/** Answers a query, once. @throws QueryError where it has been, TimeoutError where the time is up, SizeError; nothing is sent then */
export function respond(state: SerfState, query: ReceivedQuery, payload: Uint8Array, now: number): void {
  const { name } = query
  if (query.isAnswered) throw new QueryError(`the query ${name} is answered already`)
  if (now >= query.deadline) {
    throw new TimeoutError(`the time to answer the query ${name} is over since ${Math.ceil(now - query.deadline)} ms`)
  }
  const response = responseOf(state, query, payload)
  const message = encodeSerfMessage(response)
  const limit = state.options.queryResponseSizeLimit
  if (message.length > limit) throw new SizeError('response', message.length, limit)
  if (query.isOurs) {
    query.isAnswered = true
    takeAnswer(state, response, true)
    return
  }
  send(state, query, message, limit, now)
  query.isAnswered = true
}

/** Sends an answer on to whom it is for. Differs: Serf sends whatever it is handed to whatever address it says: we send answers,
 *  and to members. */
export function applyRelay(state: SerfState, relay: SerfRelay, from: Address, now: number): void {
  const to = new Address(relay.destAddr, relay.destPort)
  if (relay.message[0] !== SerfType.queryResponse) {
    warn(state, 'relay-refused', `${from.key} wants something passed on that is no answer to a query`)
  } else if (sameEndpoint(to, state.swim.self.address)) {
    takeRelayed(state, relay.message, from)
  } else if (!isMember(state, to, relay.destName)) {
    warn(state, 'relay-refused', `${from.key} wants an answer passed on to ${to.key}, where no member is`)
  } else if (!state.queries.packets.take(1, now)) {
    warn(state, 'relay-refused', `${from.key} wants an answer passed on: more in a second than we pass on`)
  } else {
    trace('pass an answer on to %s', to)
    state.swim.sendUser(to, relay.message)
  }
}

/** An answer to us, which another was to send on to us. */
function takeRelayed(state: SerfState, message: Uint8Array, from: Address): void {
  try {
    const answer = decodeSerfMessage(message)
    if (answer.type === 'query-response') takeAnswer(state, answer)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    warn(state, 'message-invalid', `an answer relayed by ${from.key}: ${error.message}`)
  }
}

function responseOf(state: SerfState, { ltime, id }: ReceivedQuery, payload: Uint8Array): SerfQueryResponse {
  return { type: 'query-response', ltime, id, from: state.name, flags: 0, payload }
}

function envelopeOf({ address, source }: ReceivedQuery, message: Uint8Array): Uint8Array {
  const { ip: destAddr, port: destPort } = address
  return encodeSerfMessage({ type: 'relay', destAddr, destPort, destZone: '', destName: source, message })
}

/** @param limit what the answer may take within a relay; absent: what is too large goes straight alone. @throws SizeError */
function send(
  state: SerfState,
  query: ReceivedQuery,
  message: Uint8Array,
  limit: number | undefined,
  now: number,
): void {
  const relays = relaysOf(state, query, now)
  const most = state.options.queryResponseSizeLimit
  const envelope = relays.length === 0 ? message : envelopeOf(query, message)
  // Differs: Serf sends the answer, then finds that it is too large to be relayed, and reports an error for what has been answered.
  if (limit !== undefined && envelope.length > limit) {
    throw new SizeError('response, to be relayed,', envelope.length, limit)
  }
  state.swim.sendUser(query.address, message)
  if (envelope.length > most) return
  for (const { swim } of relays) state.swim.sendUser(swim.address, envelope)
}

/** Who else is to carry the answer: as many as the asker wishes, of those alive that can. Nobody to where no member is: it would be refused
 *  there; nor where that were more packets than we may send. */
function relaysOf(state: SerfState, query: ReceivedQuery, now: number): readonly SerfRecord[] {
  const { name: asked, relayFactor, address, source } = query
  if (relayFactor === 0 || state.members.size < relayFactor + 1) return []
  if (!isMember(state, address, source)) {
    trace('no relays for %s, where no member is', address)
    // Who has only just come is no news; a name that lives elsewhere is.
    const text = `query ${asked} of ${source} wants relays to ${address.key}, where no member is`
    if (state.members.get(source) !== undefined) warn(state, 'relay-refused', text)
    return []
  }
  const able = [...state.members.records()].filter(
    ({ name, status, swim }) =>
      name !== state.name &&
      status === 'alive' &&
      understands(swim, Feature.relay) &&
      !sameEndpoint(swim.address, address),
  )
  const count = Math.min(relayFactor, MAX_RELAYS, able.length)
  if (state.queries.packets.take(count, now)) return state.random.shuffle(able).slice(0, count)
  const text = `query ${asked} of ${source || address.key}: an answer goes without relays, there were too many`
  warn(state, 'query-limit', text)
  return []
}

/** Looks by the name first: all others only where that is none, or another's. */
function isMember(state: SerfState, address: Address, name: string): boolean {
  const named = state.members.get(name)
  if (named !== undefined && sameEndpoint(named.swim.address, address)) return true
  for (const { swim } of state.members.records()) if (sameEndpoint(swim.address, address)) return true
  return false
}
