// Two members of one name (serf-behaviour §32): who learns that another bears ours asks everybody whom they know under it. Who has not
// the more voices goes. Normally that is the newcomer: all others kept the holder's address.

import { utf8 } from '../base/bytes.ts'
import { DecodeError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import { Address, isIp, sameEndpoint } from '../wire/address.ts'
import { decodeSerfMessage } from '../wire/serf-messages.ts'
import type { SerfConflictResponse } from '../wire/types.ts'
import { ask } from './asking.ts'
import { InternalQuery } from './internal-queries.ts'
import { type SerfState, warn } from './state.ts'

const trace = tracer('serf:conflict')

/** Asks for a vote about our own name, unless one is under way, or we are not to, or leave anyway.
 *  Differs: Serf asks anew for every claim it hears, and they come with every round of gossip. */
export function beginConflictVote(state: SerfState, now: number): void {
  if (!state.options.resolveConflicts || state.isVoting || state.departure !== undefined) return
  state.isVoting = true
  trace('ask who bears our name')
  let voices = 0
  let ours = 0
  const request = {
    name: InternalQuery.conflict,
    payload: utf8(state.name),
    filters: [],
    wantsAcks: false,
    relayFactor: 0,
    // Every voice counts, also of those whom we do not know.
    endsEarly: false,
  }
  const sink = {
    acked: (): void => {},
    answered(_from: string, payload: Uint8Array): void {
      const vote = readVote(payload)
      if (vote === undefined) return
      voices++
      if (isForUs(state, vote)) ours++
    },
    ended(): void {
      state.isVoting = false
      judge(state, voices, ours)
    },
  }
  ask(state, request, sink, now)
}

/** Differs: Serf shuts down where nobody voted at all; we cannot know, and stay. */
function judge(state: SerfState, voices: number, ours: number): void {
  const count = `${ours} of ${voices} members know us as ${state.name}`
  trace('%s', count)
  if (voices === 0) {
    warn(
      state,
      'conflict-undecided',
      `another member is called ${state.name}, and nobody says who is known by the name`,
    )
  } else if (ours < Math.floor(voices / 2) + 1) {
    warn(state, 'conflict-lost', `another member is called ${state.name}, and ${count}: this instance closes`)
    state.outbox.notify({ type: 'conflict-lost' })
  }
}

/** A voice: a member, or null for none of that name. Absent: no voice at all. */
function readVote(payload: Uint8Array): SerfConflictResponse | undefined {
  try {
    const message = decodeSerfMessage(payload)
    return message.type === 'conflict-response' ? message : undefined
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

function isForUs(state: SerfState, { member }: SerfConflictResponse): boolean {
  if (member === null || !isIp(member.addr)) return false
  return sameEndpoint(new Address(member.addr, member.port), state.swim.self.address)
}
