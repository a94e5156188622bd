// What Serf makes of SWIM's news (serf-behaviour §22), and what it lends to SWIM's packets and exchanges.
// SWIM knows silence from goodbye; Serf adds what was announced: a member that goes after a leave intent has left, not failed.
import { DecodeError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import type { SwimDelegate, SwimWarning } from '../swim/delegate.ts'
import { retransmitLimit } from '../swim/formulas.ts'
import type { MemberRecord } from '../swim/member.ts'
import type { Address } from '../wire/address.ts'
import { decodeSerfMessage } from '../wire/serf-messages.ts'
import type { SerfMessage } from '../wire/types.ts'
import { applyJoinIntent, applyLeaveIntent } from './intents.ts'
import type { Member } from './members.ts'
import { localState, mergeRemoteState } from './push-pull.ts'
import { type SerfState, tell } from './state.ts'

const trace = tracer('serf')

/** Time between two notices of a conflict about one name. */
const CONFLICT_INTERVAL_MS = 10_000

/** SWIM's delegate over Serf's state. */
export class SerfDelegate implements SwimDelegate {
  readonly #state: () => SerfState
  readonly #retransmitMult: number

  /** @param state gives the state SWIM's machine is a part of; asked for only once SWIM runs */
  constructor(state: () => SerfState, retransmitMult: number) {
    this.#state = state
    this.#retransmitMult = retransmitMult
  }

  memberJoined(swim: MemberRecord): void {
    const state = this.#state()
    const { name } = swim
    const record = state.members.get(name)
    const previous = state.members.lastView(name)
    if (record === undefined) {
      const intent = state.recentIntents.get(name)
      const status = intent?.kind === 'leave' ? 'leaving' : 'alive'
      state.members.add({
        name,
        swim,
        status,
        statusLtime: intent?.ltime ?? 0,
        goneAt: 0,
        conflictToldAt: Number.NEGATIVE_INFINITY,
      })
    } else {
      record.swim = swim
      record.status = 'alive'
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
    record.status = isLeft ? 'left' : 'failed'
    record.goneAt = now
    tell(state, isLeft ? 'member-left' : 'member-dead', swim.name, previous)
  }

  memberLeftAfterAll(swim: MemberRecord): void {
    const state = this.#state()
    const record = state.members.get(swim.name)
    if (record?.status !== 'failed') return
    const previous = state.members.lastView(swim.name)
    record.status = 'left'
    tell(state, 'member-left', swim.name, previous)
  }

  memberSuspected(swim: MemberRecord): void {
    this.#tellIfSeen('member-suspect', swim.name)
  }

  memberRecovered(swim: MemberRecord): void {
    const previous = this.#state().members.lastView(swim.name)
    this.#tellIfSeen('member-recover', swim.name)
    // A refutation may bring new tags. By the time `memberUpdated` is told of them, they have been looked at.
    this.#tellNewTags(swim.name, previous)
  }

  memberUpdated(swim: MemberRecord): void {
    this.#tellNewTags(swim.name, this.#state().members.lastView(swim.name))
  }

  nameConflict(existing: MemberRecord, claimed: Address, now: number): void {
    const state = this.#state()
    const { name, address } = existing
    const record = state.members.get(name)
    // The rival's claim comes again with every packet that carries it.
    if (record === undefined || now - record.conflictToldAt < CONFLICT_INTERVAL_MS) return
    record.conflictToldAt = now
    state.outbox.notify({ type: 'conflict', name, address: address.key, claimedBy: claimed.key })
  }

  userMessage(bytes: Uint8Array, from: Address, now: number): void {
    const state = this.#state()
    let message: SerfMessage
    try {
      message = decodeSerfMessage(bytes)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      const text = `Serf message from ${from.key}: ${error.message}`
      state.outbox.notify({ type: 'warning', code: 'message-invalid', message: text })
      return
    }
    switch (message.type) {
      case 'leave':
        applyLeaveIntent(state, message, now, bytes)
        return
      case 'join':
        applyJoinIntent(state, message, now, bytes)
        return
      default:
        // Differs: Serf takes user events and queries and passes them on.
        trace('%s from %s is not handled', message.type, from.key)
        state.outbox.notify({
          type: 'warning',
          code: 'message-unsupported',
          message: `a ${message.type} came from ${from.key}; events and queries are not supported yet`,
        })
    }
  }

  drawBroadcasts(overheadBytes: number, budgetBytes: number, maxParts: number): readonly Uint8Array[] {
    const state = this.#state()
    if (state.intents.size === 0) return []
    const limit = retransmitLimit(this.#retransmitMult, state.members.size)
    return state.intents.draw(overheadBytes, budgetBytes, maxParts, limit)
  }

  localState(): Uint8Array {
    return localState(this.#state())
  }

  mergeRemoteState(bytes: Uint8Array, _join: boolean, now: number): void {
    mergeRemoteState(this.#state(), bytes, now)
  }

  ackPayload(): null {
    return null
  }

  pingCompleted(): void {}

  exchangeDone(id: number, error: string | undefined): void {
    this.#state().outbox.notify({ type: 'exchange-done', id, error })
  }

  warn(code: SwimWarning, message: string): void {
    this.#state().outbox.notify({ type: 'warning', code, message })
  }

  /** Tells only what changes the state a host sees: a suspicion of a member that is leaving does not. */
  #tellIfSeen(type: 'member-suspect' | 'member-recover', name: string): void {
    const state = this.#state()
    const previous = state.members.lastView(name)
    if (state.members.view(name)?.state !== previous?.state) tell(state, type, name, previous)
  }

  #tellNewTags(name: string, previous: Member | undefined): void {
    const state = this.#state()
    if (previous !== undefined && state.members.view(name)?.tags !== previous.tags) {
      tell(state, 'member-update', name, previous)
    }
  }
}
