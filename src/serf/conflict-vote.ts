// Two members of one name (serf-behaviour §32): who learns that another bears ours asks everybody whom they know under it. Who has not
// the more voices goes, where the other one is there indeed. Normally that is the newcomer: all others kept the holder's address.

import { utf8 } from '../base/bytes.ts'
import { DecodeError, QueryError, SizeError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import { Address, isIp, sameEndpoint } from '../wire/address.ts'
import { decodeSerfMessage } from '../wire/serf-messages.ts'
import type { SerfConflictResponse } from '../wire/types.ts'
import { ask } from './asking.ts'
import { InternalQuery } from './internal-queries.ts'
import { type SerfState, warn } from './state.ts'

const trace = tracer('serf:conflict')

/** After a conflict, until we ask: it may come in the first exchange, before those whom we are to ask. */
const VOTE_DELAY_MS = 200

/** Will ask for a vote about our own name, unless one is under way, or we are not to, or leave anyway.
 *  Differs: Serf asks anew for every claim it hears, and they come with every round of gossip.
 *  @param rival where the other one is reached, as somebody says */
export function beginConflictVote(state: SerfState, rival: Address, now: number): void {
  if (!state.options.resolveConflicts || state.isVoting || state.departure !== undefined) return
  state.isVoting = true
  state.deadlines.set('conflict-vote', now + VOTE_DELAY_MS, { kind: 'conflict-vote', rival })
}

/** Asks. */
export function conflictVoteDue(state: SerfState, rival: Address, now: number): void {
  trace('ask who bears our name')
  const members: Voices = { all: 0, ours: 0 }
  const strangers: Voices = { all: 0, ours: 0 }
  let isThere = false
  const request = {
    name: InternalQuery.conflict,
    payload: utf8(state.name),
    filters: [],
    // The other one has no voice, but says that it is there.
    wantsAcks: true,
    relayFactor: 0,
    // Who is gone for us may have a voice.
    endsEarly: false,
    isOfSerf: true,
    // Gossip leaves one out now and then, and without this one nothing is decided.
    alsoTo: rival,
  }
  const sink = {
    acked: (): void => {},
    namesake(): void {
      isThere = true
    },
    answered(from: string, payload: Uint8Array): void {
      const vote = readVote(payload)
      if (vote === undefined) return
      const voices = state.members.get(from) === undefined ? strangers : members
      voices.all++
      if (isForUs(state, vote)) voices.ours++
    },
    ended(): void {
      state.isVoting = false
      // Differs: Serf counts voices of any name, and who invents names wins.
      judge(state, members.all > 0 ? members : strangers, isThere)
    },
  }
  try {
    ask(state, request, sink, now)
  } catch (error) {
    if (!(error instanceof SizeError || error instanceof QueryError)) throw error
    state.isVoting = false
    warn(
      state,
      'conflict-undecided',
      `another member is called ${state.name}, and nobody can be asked: ${error.message}`,
    )
  }
}

/** Those that said who bears the name. */
interface Voices {
  all: number
  /** Of those: for us. */
  ours: number
}

/** Differs: Serf shuts down where nobody voted at all, and where the others hold on to one that is dead. We stay: who was started again at
 *  another address gets in once the name is free.
 *  @param isThere the other one answered us */
function judge(state: SerfState, { all: voices, ours }: Readonly<Voices>, isThere: boolean): void {
  const count = `${ours} of ${voices} members know us as ${state.name}`
  trace('%s', count)
  const isLost = ours < Math.floor(voices / 2) + 1
  const rival = `another member is called ${state.name}`
  if (voices === 0) {
    warn(state, 'conflict-undecided', `${rival}, and nobody says who is known by the name`)
  } else if (isLost && !isThere) {
    warn(state, 'conflict-undecided', `${rival}, and ${count}; but it does not answer, and may be gone`)
  } else if (isLost) {
    warn(state, 'conflict-lost', `${rival}, and ${count}: this instance closes`)
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
