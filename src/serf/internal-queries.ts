// What Serf asks Serf (serf-behaviour §26.5): queries whose names begin with `_serf_`. They never reach the application, and what
// they carry may be anything: a payload that cannot be read is a warning and gets no answer.
import { textOf } from '../base/bytes.ts'
import { SizeError, TimeoutError } from '../base/errors.ts'
import { encodeSerfMessage } from '../wire/serf-messages.ts'
import type { SerfMember } from '../wire/types.ts'
import { answerKeyQuery } from './key-queries.ts'
import type { SerfRecord, SerfStatus } from './members.ts'
import type { ReceivedQuery } from './notices.ts'
import { mayAnswer, respond } from './responding.ts'
import { type SerfState, warn } from './state.ts'

const PREFIX = '_serf_'

/** The queries between Serf and Serf. */
export const InternalQuery = {
  /** Its ack is the answer. */
  ping: '_serf_ping',
  /** Who bears the name that is the payload? */
  conflict: '_serf_conflict',
} as const

/** Serf's numbers for where a member stands. */
const STATUS_NUMBERS: Readonly<Record<SerfStatus, number>> = { alive: 1, leaving: 2, left: 3, failed: 4 }

export function isInternal(name: string): boolean {
  return name.startsWith(PREFIX)
}

/** Does what a query between Serf and Serf asks for. */
export function answerInternally(state: SerfState, query: ReceivedQuery, now: number): void {
  switch (query.name) {
    case InternalQuery.ping:
      return
    case InternalQuery.conflict:
      answerConflict(state, query, now)
      return
    default:
      if (answerKeyQuery(state, query, now)) return
      warn(state, 'query-unknown', `${query.source || query.address.key} asks ${query.name}, which we do not know`)
  }
}

/** Tells what we know of whoever bears the name. Nothing where that is us: whoever asks is the other one. */
function answerConflict(state: SerfState, query: ReceivedQuery, now: number): void {
  const name = textOf(query.payload)
  if (name === undefined || name === '') {
    warn(state, 'message-invalid', `a vote that ${query.source} asks for is about no name`)
    return
  }
  if (name === state.name) return
  const record = state.members.get(name)
  const member = record === undefined ? null : memberOf(state, record)
  sendAnswer(state, query, encodeSerfMessage({ type: 'conflict-response', member }), now)
}

/** Answers; what is too large, or of no time at all, is a warning, and so is what would be too much. */
function sendAnswer(state: SerfState, query: ReceivedQuery, payload: Uint8Array, now: number): void {
  if (!query.isOurs && !mayAnswer(state, query, now)) return
  try {
    respond(state, query, payload, now)
  } catch (error) {
    if (!(error instanceof SizeError || error instanceof TimeoutError)) throw error
    warn(state, 'response-unsent', `${query.name} of ${query.source}: ${error.message}`)
  }
}

function memberOf(state: SerfState, record: SerfRecord): SerfMember {
  const { name, swim, status } = record
  const tags = new Map(Object.entries(state.members.view(name)?.rawTags ?? {}))
  return {
    name,
    addr: swim.address.ip,
    port: swim.address.port,
    tags,
    status: STATUS_NUMBERS[status],
    vsn: swim.vsn,
  }
}
