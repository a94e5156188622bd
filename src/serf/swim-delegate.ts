// What Serf makes of SWIM's news (serf-behaviour §22), and what it lends to SWIM's packets and exchanges.
// SWIM knows silence from goodbye; Serf adds what was announced: a member that goes after a leave intent has left, not failed.
import { DecodeError } from '../base/errors.ts'
import type { Slices } from '../base/slices.ts'
import type { BroadcastsWaiting, PingEnd, SwimDelegate, SwimWarning } from '../swim/delegate.ts'
import { retransmitLimit } from '../swim/formulas.ts'
import type { MemberRecord } from '../swim/member.ts'
import type { Address } from '../wire/address.ts'
import { MAX_COMPOUND_PART_BYTES } from '../wire/limits.ts'
import { type Alive, type SerfMessage, SerfType } from '../wire/types.ts'
import type { Acceptance } from './acceptance.ts'
import { awaitNoMore, takeAnswer } from './collecting.ts'
import { beginConflictVote } from './conflict-vote.ts'
import { readSerfMessage } from './intent-memo.ts'
import { applyJoinIntent, applyLeaveIntent } from './intents.ts'
import { makeRoom } from './member-limit.ts'
import { awaitGoodbye } from './overdue.ts'
import { cancelPrune } from './prune.ts'
import { LocalState, mergeRemoteState } from './push-pull.ts'
import { applyQuery } from './queries.ts'
import { lossNoticed, reconnectEnded } from './reconnect.ts'
import { applyRelay } from './responding.ts'
import { type SerfState, tell, warn } from './state.ts'
import { applyUserEvent } from './user-events.ts'

/** Time between two notices of a conflict about one name. */
const CONFLICT_INTERVAL_MS = 10_000

/** SWIM's delegate over Serf's state. */
export class SerfDelegate implements SwimDelegate {
  readonly #state: () => SerfState
  readonly #retransmitMult: number
  readonly #acceptance: Acceptance | undefined
  readonly #localState = new LocalState()

  /** @param state gives the state SWIM's machine is a part of; asked for only once SWIM runs
   *  @param acceptance the user's veto, where there is one */
  constructor(state: () => SerfState, retransmitMult: number, acceptance?: Acceptance) {
    this.#state = state
    this.#retransmitMult = retransmitMult
    this.#acceptance = acceptance
  }

  accepts(claim: Alive, address: Address, now: number): boolean {
    return this.#acceptance?.accepts(claim, address, now) ?? true
  }

  memberJoined(swim: MemberRecord, now: number): void {
    const state = this.#state()
    const { name } = swim
    const record = state.members.get(name)
    const previous = state.members.lastView(name)
    if (record === undefined) {
      makeRoom(state)
      const intent = state.recentIntents.get(name)
      const status = intent?.kind === 'leave' ? 'leaving' : 'alive'
      if (status === 'leaving') awaitGoodbye(state, name, now)
      state.members.add({
        name,
        swim,
        status,
        statusLtime: intent?.ltime ?? 0,
        goneAt: 0,
        conflictToldAt: undefined,
      })
    } else {
      record.swim = swim
      state.members.mark(record, 'alive')
      record.leftLtime = undefined
      cancelPrune(state, name)
    }
    tell(state, 'member-join', name, previous)
  }

  memberGone(swim: MemberRecord, now: number): void {
    const state = this.#state()
    const record = state.members.get(swim.name)
    if (record === undefined || record.status === 'left' || record.status === 'failed') return
    const previous = state.members.lastView(swim.name)
    // Differs: Serf says failed where the leave intent was lost, though the goodbye itself arrived.
    const isLeft = record.status === 'leaving' || swim.status === 'left'
    state.members.mark(record, isLeft ? 'left' : 'failed')
    record.goneAt = now
    awaitNoMore(state, swim.name)
    tell(state, isLeft ? 'member-left' : 'member-dead', swim.name, previous)
    if (!isLeft) lossNoticed(state, now)
  }

  memberLeftAfterAll(swim: MemberRecord): void {
    const state = this.#state()
    const record = state.members.get(swim.name)
    if (record?.status !== 'failed') return
    const previous = state.members.lastView(swim.name)
    state.members.mark(record, 'left')
    tell(state, 'member-left', swim.name, previous)
  }

  memberSuspected(swim: MemberRecord): void {
    const state = this.#state()
    const { name } = swim
    const previous = state.members.lastView(name)
    // Only what changes the state a host sees: a suspicion of a member that is leaving does not.
    if (state.members.view(name)?.state !== previous?.state) tell(state, 'member-suspect', name, previous)
  }

  memberRecovered(swim: MemberRecord, now: number): void {
    if (this.#isBack(swim, now)) return
    const state = this.#state()
    const previous = state.members.lastView(swim.name)
    const member = state.members.view(swim.name)
    if (previous === undefined || member === undefined || member.isSelf) return
    // A refutation may bring new tags. By the time `memberUpdated` is told of them, they have been looked at. Each notice tells one
    // change, and begins where the one before it ended.
    const between =
      member.rawTags === previous.rawTags
        ? member
        : Object.freeze({ ...member, tags: previous.tags, rawTags: previous.rawTags })
    const isSeen = member.state !== previous.state
    if (isSeen) state.outbox.notify({ type: 'member-recover', member: between, previous })
    if (between !== member) {
      state.outbox.notify({ type: 'member-update', member, previous: isSeen ? between : previous })
    }
  }

  memberUpdated(swim: MemberRecord, now: number): void {
    if (this.#isBack(swim, now)) return
    const state = this.#state()
    const previous = state.members.lastView(swim.name)
    if (previous !== undefined && state.members.view(swim.name)?.rawTags !== previous.rawTags) {
      tell(state, 'member-update', swim.name, previous)
    }
  }

  nameConflict(existing: MemberRecord, claimed: Address, now: number): void {
    const state = this.#state()
    const { name, address } = existing
    const record = state.members.get(name)
    // The rival's claim comes again with every packet that carries it.
    if (record === undefined) return
    if (record.conflictToldAt !== undefined && now - record.conflictToldAt < CONFLICT_INTERVAL_MS) return
    record.conflictToldAt = now
    state.outbox.notify({ type: 'conflict', name, address: address.key, claimedBy: claimed.key })
    if (name === state.name) beginConflictVote(state, claimed, now)
  }

  userMessage(bytes: Uint8Array, from: Address, now: number): void {
    const state = this.#state()
    let message: SerfMessage
    try {
      message = readSerfMessage(checked(bytes))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      const text = `Serf message from ${from.key}: ${error.message}`
      warn(state, 'message-invalid', text)
      return
    }
    switch (message.type) {
      case 'leave':
        applyLeaveIntent(state, message, now, bytes)
        return
      case 'join':
        applyJoinIntent(state, message, now, bytes)
        return
      case 'query':
        applyQuery(state, message, bytes, now)
        return
      case 'query-response':
        takeAnswer(state, message)
        return
      case 'relay':
        applyRelay(state, message, from, now)
        return
      case 'user-event':
        applyUserEvent(state, message, now, bytes)
        return
      default:
        warn(state, 'message-invalid', `a ${message.type} came from ${from.key}, where no query asks for it`)
    }
  }

  broadcastsWaiting(overheadBytes: number): BroadcastsWaiting {
    return this.#state().broadcasts.waiting(overheadBytes)
  }

  drawBroadcasts(
    overheadBytes: number,
    budgetBytes: number,
    maxParts: number,
    isCounted: boolean,
  ): readonly Uint8Array[] {
    const { broadcasts, members } = this.#state()
    if (broadcasts.size === 0) return []
    if (!isCounted) return broadcasts.copy(overheadBytes, budgetBytes, maxParts)
    return broadcasts.draw(overheadBytes, budgetBytes, maxParts, retransmitLimit(this.#retransmitMult, members.size))
  }

  localState(): Uint8Array {
    return this.#localState.encode(this.#state())
  }

  mergeRemoteState(bytes: Uint8Array, _join: boolean, now: number, exchange: number | undefined): Slices {
    return mergeRemoteState(this.#state(), bytes, exchange, now)
  }

  ackPayload(): Uint8Array | null {
    return this.#state().coordinates?.ackPayload() ?? null
  }

  memberAnswered(swim: MemberRecord, now: number): void {
    this.#isBack(swim, now)
  }

  pingCompleted({ name }: MemberRecord, rttMs: number, payload: Uint8Array | null): void {
    const state = this.#state()
    const { coordinates, members } = state
    // One that was erased comes back with this answer, and its coordinate with the next.
    if (members.get(name) === undefined) return
    const problem = coordinates?.measured(name, rttMs, payload)
    if (problem === undefined) return
    warn(state, 'coordinate-refused', `${name} tells ${problem}`)
  }

  pinged(id: number, end: PingEnd): void {
    this.#state().outbox.notify({ type: 'pinged', id, end })
  }

  exchangeDone(id: number, error: string | undefined): void {
    reconnectEnded(this.#state(), id)
    this.#state().events.ignoring.delete(id)
    this.#state().outbox.notify({ type: 'exchange-done', id, error })
  }

  warn(code: SwimWarning, message: string): void {
    warn(this.#state(), code, message)
  }

  /** A sign of life. True of a member that was erased: SWIM never lost it and will not tell of it as new, so it is taken in anew; while it
   *  stands accused not yet, since nobody joins as a suspect: its denial brings it back.
   *  Differs: Serf goes without it for good, while the member still sees us. */
  #isBack(swim: MemberRecord, now: number): boolean {
    const isErased = this.#state().members.get(swim.name) === undefined && swim.status === 'alive'
    if (isErased) this.memberJoined(swim, now)
    return isErased
  }
}

/** Throws `DecodeError` for what no member tells by a user message, and would take long to read: exchanges, which are read in slices
 *  elsewhere, and what came by stream and is larger than any packet. */
function checked(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_COMPOUND_PART_BYTES) throw new DecodeError(`${bytes.length} bytes, more than a packet holds`)
  if (bytes[0] === SerfType.pushPull) throw new DecodeError('an exchange outside an exchange')
  return bytes
}
