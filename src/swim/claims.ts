// The transition table: which claim beats which, and what follows (SWIM §4.2; serf-behaviour §4). The only file that
// changes a member's record. An alive claim needs a strictly higher incarnation, suspect and dead an equal one will do;
// only the member itself raises its incarnation. What is accepted is gossiped on once; what is dropped, never.
import { assert } from '../base/assert.ts'
import { sameBytes } from '../base/bytes.ts'
import { tracer } from '../base/log.ts'
import { type Address, sameEndpoint } from '../wire/address.ts'
import { PART_OVERHEAD_BYTES } from '../wire/compound.ts'
import { encodeSwimMessage } from '../wire/swim-messages.ts'
import { type Alive, type Dead, type PushPullMember, type Suspect, WireState } from '../wire/types.ts'
import {
  INCARNATION_CEILING,
  isAccusation,
  isAllowed,
  isDeniable,
  isWelcome,
  MAX_INCARNATION,
  mayTakeOver,
  problemOf,
} from './admission.ts'
import { isPresent, type MemberRecord } from './member.ts'
import { packetRoom } from './piggyback.ts'
import { encodeSelf, remindAccused, remindAccuser } from './reminders.ts'
import { sharedAddress, sharedBytes, sharedName } from './shared.ts'
import type { SwimState } from './state.ts'
import { Suspicion } from './suspicion.ts'
import { noteAccusation, noteConfirmation, noteDenial, noteReturn, noteSuspicion, noteVerdict } from './trail-notes.ts'

const trace = tracer('swim:claims')

/** Probe intervals before the end of a suspicion at which the suspect is told once more. A peer of another kind may deny by gossip alone,
 *  which takes one to two seconds to reach us at `lan`. */
const LAST_PING_INTERVALS = 2

/** The six version bytes of a member that never told them. */
const NO_VERSIONS: Uint8Array = new Uint8Array(6)

/** Not `NO_BYTES`: that goes out as nil. */
const NO_META: Uint8Array = new Uint8Array(0)

/** Where a claim comes from, beside its words. */
export interface ClaimNote {
  /** The message as received, to be gossiped on unchanged, and ours to keep; absent where the claim was not a message of its own. */
  readonly received?: Uint8Array
  /** Reported by the queue when our own claim has been told. */
  readonly ticket?: number
  /** Who told us: the sender of the packet, the other side of the exchange. */
  readonly from?: Address
  /** It was told because we asked. */
  readonly isAnswer?: boolean
  /** The exchange that it answers, by our number. */
  readonly exchange?: number
}

/** A record for a member nobody has claimed anything of yet: dead, at incarnation 0. */
export function newRecord(name: string, address: Address, now: number): MemberRecord {
  return {
    name,
    address,
    meta: NO_META,
    vsn: NO_VERSIONS,
    incarnation: 0,
    status: 'dead',
    changedAt: now,
    suspicion: undefined,
    remindedAt: undefined,
    hasAnswered: false,
    told: undefined,
  }
}

/** Takes an alive claim (serf-behaviour §4.1). Keeps the bytes of its fields, which the decoder has copied. */
export function applyAlive(state: SwimState, claim: Alive, now: number, note: ClaimNote = {}): void {
  const isSelf = claim.node === state.self.name
  if (isSelf && state.isLeaving) return
  const known = state.members.get(claim.node)
  const problem = problemOf(claim)
  if (problem !== undefined) {
    state.delegate.warn('claim-invalid', `alive of ${claim.node}: ${problem}`)
    return
  }
  const address = addressOf(state, claim, known)
  // Differs: memberlist compares the bytes, and the 4- and 16-byte forms of one address are a conflict to it.
  const moves = known !== undefined && !sameEndpoint(known.address, address)
  if ((known === undefined || moves) && !isAllowed(state, address, `alive of ${claim.node}`)) return
  if (known !== undefined && moves && !mayTakeOver(state, known, now)) {
    trace('%s is claimed by %s, but is at %s', claim.node, address.key, known.address.key)
    if (isSelf) meetRival(state, address, 'alive', note, now)
    else state.delegate.nameConflict(known, address, now)
    return
  }
  if (known !== undefined && !moves) {
    if (isSelf ? claim.incarnation < known.incarnation : claim.incarnation <= known.incarnation) {
      if (!isSelf) remindAccused(state, known, now)
      return
    }
    if (isSelf) {
      const isOurOwn =
        claim.incarnation === known.incarnation && sameBytes(claim.meta, known.meta) && sameBytes(claim.vsn, known.vsn)
      const isOtherForm = adoptForm(state, address)
      if (!isOurOwn) refute(state, claim, note, now)
      // What is still to be told of us is told in the form that is known.
      else if (isOtherForm && state.queue.has(state.self.name)) spreadSelf(state)
      return
    }
  }
  const bytes = toSpread(state, claim, note.received)
  if (bytes === undefined) {
    state.delegate.warn('claim-invalid', `alive of ${claim.node}: too long to gossip on`)
    return
  }
  if (!isWelcome(state, claim, address, known, now)) return
  const member = known ?? newRecord(sharedName(claim.node), address, now)
  if (known === undefined) state.members.add(member)
  acceptAlive(state, member, claim, address, bytes, now)
}

/** What an exchange says of ourselves, looked at before it is taken: it teaches the form of our address, or shows that another
 *  holds our name. An alive row does so as the claim that it is; one that left holds nothing. */
export function heedOwnRow(state: SwimState, row: PushPullMember, note: ClaimNote, now: number): void {
  if (state.isLeaving || row.state === WireState.alive) return
  const address = addressOf(state, row)
  if (sameEndpoint(state.self.address, address)) {
    if (row.incarnation >= state.self.incarnation) adoptForm(state, address)
  } else if (row.state === WireState.suspect || row.state === WireState.dead) {
    meetRival(state, address, row.state === WireState.dead ? 'dead' : 'suspect', note, now)
  }
}

/** Where a claim says its member lives: the very object where that is where we know it. One of protocol 1 tells no port: all of its cluster
 *  listens on one. */
function addressOf(state: SwimState, { addr, port }: Pick<Alive, 'addr' | 'port'>, known?: MemberRecord): Address {
  const told = port === 0 ? state.self.address.port : port
  if (known?.address.port === told && sameBytes(known.address.ip, addr)) return known.address
  return sharedAddress(addr, told)
}

/** Takes the bytes of our own address from whoever tells of us: a cluster that knows us by other ones, as a Go agent here before us
 *  told them, would take what we tell for a conflict. True if they were other ones. */
function adoptForm(state: SwimState, address: Address): boolean {
  if (sameBytes(state.self.address.ip, address.ip)) return false
  state.self.address = address
  return true
}

/** Our name stands at another address. Whoever holds it there refuses us; only what the rival says itself proves nothing.
 *  Differs: memberlist tells the others of the conflict, and leaves the one that is refused in the belief that it has joined. */
function meetRival(
  state: SwimState,
  address: Address,
  status: 'alive' | 'suspect' | 'dead',
  { from, isAnswer = false }: ClaimNote,
  now: number,
): void {
  const { self, delegate } = state
  delegate.nameConflict(self, address, now)
  // Whoever opens a stream speaks from another port than it listens on: the host alone is compared.
  if (from === undefined || (!isAnswer && from.host === address.host)) return
  const holder = `${address.key}, which is ${status}`
  delegate.warn('name-refused', `${self.name}, our name, is held for ${holder}, by ${from.key}: it does not take us in`)
}

/** Announces ourselves: at the start, and when our metadata changes. Raises the incarnation. */
export function announceSelf(state: SwimState, meta: Uint8Array, now: number, ticket?: number): void {
  assert(!state.isLeaving, 'who leaves does not announce itself again')
  state.self.meta = meta
  state.self.incarnation = Math.min(state.self.incarnation + 1, MAX_INCARNATION)
  if (state.members.get(state.self.name) === undefined) {
    state.members.add(state.self)
    state.self.status = 'alive'
    state.self.changedAt = now
    state.delegate.memberJoined(state.self, now)
  } else {
    state.delegate.memberUpdated(state.self, now)
  }
  spreadSelf(state, ticket)
}

/** Takes a suspicion (serf-behaviour §4.2). */
export function applySuspect(state: SwimState, claim: Suspect, now: number, note: ClaimNote = {}): void {
  const member = accused(state, claim, now, note)
  if (member === undefined) return
  if (member.suspicion !== undefined) {
    // Differs: memberlist forgets the higher number of a second accuser, and the verdict could be stale to those who heard it.
    member.incarnation = claim.incarnation
    if (!member.suspicion.confirm(claim.from)) return
    trace('%s confirms that %s is suspect, %d by now', claim.from, member.name, member.suspicion.confirmations)
    spread(state, claim, note)
    awaitEnd(state, member.name, member.suspicion)
    noteConfirmation(state, member, claim, note, now)
    return
  }
  if (member.status !== 'alive') {
    // Differs: memberlist forgets the higher number, and an older alive claim could then bring the member back.
    member.incarnation = claim.incarnation
    return
  }
  if (member === state.self) {
    trace('%s suspects us at %d', claim.from, claim.incarnation)
    refute(state, claim, note, now)
    return
  }
  trace('%s suspects %s at %d', claim.from, member.name, claim.incarnation)
  spread(state, claim, note)
  member.incarnation = claim.incarnation
  member.status = 'suspect'
  member.changedAt = now
  member.suspicion = new Suspicion(claim.from, state.members.size, now, state.options)
  awaitEnd(state, member.name, member.suspicion)
  noteSuspicion(state, member, claim, note, now)
  state.delegate.memberSuspected(member, now)
}

/** The end of a suspicion that nobody refuted. */
export function concludeSuspicion(state: SwimState, name: string, now: number): void {
  const member = state.members.get(name)
  if (member?.suspicion === undefined) return
  applyDead(state, { type: 'dead', node: name, incarnation: member.incarnation, from: state.self.name }, now)
}

/** Takes a verdict, or a goodbye where `node` and `from` are one (serf-behaviour §4.3). */
export function applyDead(state: SwimState, claim: Dead, now: number, note: ClaimNote = {}): void {
  const member = accused(state, claim, now, note)
  if (member === undefined) return
  const isGoodbye = claim.node === claim.from
  if (!isPresent(member)) {
    member.incarnation = claim.incarnation
    if (isGoodbye && member.status === 'dead') {
      // Differs: memberlist keeps it dead, and its name stays locked to its address.
      member.status = 'left'
      spread(state, claim, note)
      noteVerdict(state, member, claim, note, now)
      state.delegate.memberLeftAfterAll(member, now)
    }
    return
  }
  if (member === state.self && !state.isLeaving) {
    trace('%s declares us dead at %d', claim.from, claim.incarnation)
    refute(state, claim, note, now)
    return
  }
  trace('%s declares %s %s at %d', claim.from, member.name, isGoodbye ? 'left' : 'dead', claim.incarnation)
  endSuspicion(state, member)
  spread(state, claim, note)
  member.incarnation = claim.incarnation
  member.status = isGoodbye ? 'left' : 'dead'
  member.changedAt = now
  noteVerdict(state, member, claim, note, now)
  state.delegate.memberGone(member, now)
}

/** Says goodbye: from now on what is said of us stands. */
export function announceLeave(state: SwimState, now: number, ticket: number): void {
  state.isLeaving = true
  const { name, incarnation } = state.self
  applyDead(state, { type: 'dead', node: name, incarnation, from: name }, now, { ticket })
}

/** Denies what is said of us: our own alive claim, above the accusation's incarnation (SWIM §4.2, Lifeguard §IV-A).
 *  Differs: memberlist denies also where no number is left, and its own wraps to 0. */
function refute(state: SwimState, claim: Alive | Suspect | Dead, note: ClaimNote, now: number): void {
  const { type, incarnation } = claim
  noteAccusation(state, claim, note, now)
  if (incarnation >= INCARNATION_CEILING) {
    state.delegate.warn(
      'refutation-impossible',
      `${type} of ${state.self.name}, ourselves, at incarnation ${incarnation}`,
    )
    return
  }
  state.self.incarnation = Math.max(state.self.incarnation, incarnation) + 1
  state.awareness.apply(1)
  trace('refute with %d, local health %d', state.self.incarnation, state.awareness.score)
  noteDenial(state, now)
  spreadSelf(state)
}

/** The record an accusation is about, or `undefined` where it is stale or of an unknown. Whoever says stale things of us hears better. */
export function accused(
  state: SwimState,
  claim: Suspect | Dead,
  now: number,
  { from }: ClaimNote,
): MemberRecord | undefined {
  if (!isAccusation(state, claim)) return undefined
  const member = state.members.get(claim.node)
  if (member === undefined) return undefined
  if (claim.incarnation < member.incarnation) {
    if (member === state.self) remindAccuser(state, claim, from, now)
    return undefined
  }
  return isDeniable(state, member, claim) ? member : undefined
}

function acceptAlive(
  state: SwimState,
  member: MemberRecord,
  claim: Alive,
  address: Address,
  bytes: Uint8Array,
  now: number,
): void {
  const before = member.status
  const isNew = member.incarnation === 0
  const vsn = claim.vsn.length === 6 ? claim.vsn : claim.vsn.length > 6 ? claim.vsn.slice(0, 6) : member.vsn
  const isChanged =
    !sameBytes(claim.meta, member.meta) || !sameBytes(vsn, member.vsn) || !sameBytes(address.ip, member.address.ip)
  endSuspicion(state, member)
  state.queue.push(bytes, { name: member.name })
  member.vsn = vsn
  member.incarnation = claim.incarnation
  member.address = address
  if (isChanged) member.meta = sharedBytes(claim.meta)
  if (before !== 'alive') {
    member.status = 'alive'
    member.changedAt = now
  }
  if (before !== 'alive' && !isNew) noteReturn(state, member, before, now)
  if (before === 'dead' || before === 'left') {
    trace('%s is alive at %s, incarnation %d', member.name, address.key, claim.incarnation)
    state.delegate.memberJoined(member, now)
    return
  }
  if (before === 'suspect') {
    trace('%s refutes with %d', member.name, claim.incarnation)
    state.delegate.memberRecovered(member, now)
  }
  if (isChanged) state.delegate.memberUpdated(member, now)
}

/** Every running suspicion ends later, by what of the `byMs` that end now it has been running: the accused could not be heard for so long. */
export function extendSuspicions(state: SwimState, byMs: number, now: number): void {
  for (const { name, suspicion } of state.members.all()) {
    if (suspicion === undefined) continue
    suspicion.extend(byMs, now)
    awaitEnd(state, name, suspicion)
  }
}

/** The verdict falls at the end; before that a suspect whom too few others accuse is told once more, and only once. */
function awaitEnd(state: SwimState, name: string, suspicion: Suspicion): void {
  const { deadlines, options } = state
  deadlines.set(suspicionKey(name), suspicion.endsAt, { kind: 'suspicion', name })
  const at = suspicion.endsAt - LAST_PING_INTERVALS * options.probeIntervalMs
  const isPlanned = options.lastPings && !suspicion.isConfirmed && !suspicion.isToldLast && at > suspicion.startedAt
  if (isPlanned) deadlines.set(lastPingKey(name), at, { kind: 'last-ping', name })
  else deadlines.delete(lastPingKey(name))
}

function endSuspicion(state: SwimState, member: MemberRecord): void {
  if (member.suspicion === undefined) return
  member.suspicion = undefined
  state.deadlines.delete(suspicionKey(member.name))
  state.deadlines.delete(lastPingKey(member.name))
}

function spreadSelf(state: SwimState, ticket?: number): void {
  const { name } = state.self
  // What replaces our last word before it was told says all of it too: whoever waits for that goes on waiting.
  const handedOn = ticket ?? state.queue.release(name)
  state.queue.push(encodeSelf(state), {
    name,
    urgent: true,
    ...(handedOn === undefined ? {} : { ticket: handedOn }),
  })
}

function spread(state: SwimState, claim: Suspect | Dead, { received, ticket }: ClaimNote): void {
  const bytes = toSpread(state, claim, received)
  if (bytes === undefined) return
  // Of ourselves this can only be our goodbye.
  const urgent = claim.node === state.self.name
  state.queue.push(bytes, { name: claim.node, urgent, ...(ticket === undefined ? {} : { ticket }) })
}

/** The received bytes where they fit a packet, else our own encoding, which leaves out what we do not know of. */
function toSpread(
  state: SwimState,
  claim: Alive | Suspect | Dead,
  received: Uint8Array | undefined,
): Uint8Array | undefined {
  const budget = packetRoom(state) - PART_OVERHEAD_BYTES
  if (received !== undefined && received.length <= budget) return received
  const bytes = encodeSwimMessage(claim)
  return bytes.length <= budget ? sharedBytes(bytes) : undefined
}

function lastPingKey(name: string): string {
  return `last-ping:${name}`
}

function suspicionKey(name: string): string {
  return `suspicion:${name}`
}
