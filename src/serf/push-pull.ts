// Serf's part of a full exchange: every member's last intent, who left, and the user events of late (serf-behaviour §23, §25). Nothing
// learnt here is told on.
import { DecodeError } from '../base/errors.ts'
import type { Slices } from '../base/slices.ts'
import { encodeSerfMessage } from '../wire/serf-messages.ts'
import { readSerfState, type SerfState as Theirs } from '../wire/serf-state.ts'
import type { Uint64 } from '../wire/types.ts'
import { applyJoinIntent, applyLeaveIntent } from './intents.ts'
import type { LamportClock } from './lamport-clock.ts'
import type { SerfRecord, SerfStatus } from './members.ts'
import { type SerfState, warn } from './state.ts'
import { applyListedEvents } from './user-events.ts'

/** Intents taken in one slice: a few milliseconds where each is news. */
const SLICE_INTENTS = 1024
/** Slots of events that go with so many intents at most. */
const SLICE_SLOTS = 256

/** What we tell, encoded once and kept until something changes. Queries are not told again: of them there is the clock alone. */
export class LocalState {
  #bytes: Uint8Array | undefined
  /** As told last: the clocks, the events, and of each member its name, status and time. */
  #ltime = 0
  #eventLtime = 0
  #eventRevision = 0
  #queryLtime = 0
  #names: string[] = []
  #statuses: SerfStatus[] = []
  #ltimes: number[] = []

  /** The very same bytes as last time where nothing has changed. */
  encode(state: SerfState): Uint8Array {
    const isSame = this.#update(state.members.records())
    if (this.#bytes !== undefined && isSame && this.#areClocksSame(state)) return this.#bytes
    this.#ltime = state.clock.time
    this.#eventLtime = state.events.clock.time
    this.#eventRevision = state.events.revision
    this.#queryLtime = state.queries.clock.time
    const statusLtimes = new Map<string, Uint64>()
    const leftMembers: string[] = []
    for (const [index, name] of this.#names.entries()) {
      const status = this.#statuses[index]
      const ltime = this.#ltimes[index] as number
      // Who hears a time here, and no goodbye, takes it for a join. Differs: Serf tells the time of the leave itself, so an exchange
      // within a leave undoes it: the leave that comes after is not newer, and the member counts as failed.
      statusLtimes.set(name, status === 'leaving' ? Math.max(0, ltime - 1) : ltime)
      if (status === 'left') leftMembers.push(name)
    }
    this.#bytes = encodeSerfMessage({
      type: 'push-pull',
      ltime: this.#ltime,
      statusLtimes,
      leftMembers,
      eventLtime: this.#eventLtime,
      events: state.events.slots(),
      queryLtime: this.#queryLtime,
    })
    return this.#bytes
  }

  #areClocksSame({ clock, events, queries }: SerfState): boolean {
    const areEventsSame = this.#eventLtime === events.clock.time && this.#eventRevision === events.revision
    return areEventsSame && this.#ltime === clock.time && this.#queryLtime === queries.clock.time
  }

  /** Takes down how the members stand. True if that is how they stood. */
  #update(records: Iterable<SerfRecord>): boolean {
    let isSame = true
    let count = 0
    for (const { name, status, statusLtime, leftLtime } of records) {
      // Of one that left a leave is told, and the join that was heard of since is none. Differs: Serf tells the leave at the time of that
      // join, and who missed the join, but sees the member back, holds it for leaving ever after.
      const ltime = status === 'left' ? (leftLtime ?? statusLtime) : statusLtime
      if (this.#names[count] !== name || this.#statuses[count] !== status || this.#ltimes[count] !== ltime) {
        this.#names[count] = name
        this.#statuses[count] = status
        this.#ltimes[count] = ltime
        isSame = false
      }
      count++
    }
    if (count === this.#names.length) return isSame
    this.#names.length = count
    this.#statuses.length = count
    this.#ltimes.length = count
    return false
  }
}

/** Takes what they told, a slice at a time; what is not read whole is not taken.
 *  @param exchange they told it since we asked, by that number */
export function* mergeRemoteState(
  state: SerfState,
  bytes: Uint8Array,
  exchange: number | undefined,
  begun: number,
): Slices {
  let now = begun
  const reading = readSerfState(bytes)
  let theirs: Theirs | undefined
  try {
    for (let step = reading.next(); ; step = reading.next()) {
      if (step.done === true) {
        theirs = step.value
        break
      }
      now = yield
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const message = `state in an exchange: ${error.message}`
    warn(state, 'message-invalid', message)
    return
  }
  yield* take(state, theirs, exchange, now)
}

function* take(state: SerfState, theirs: Theirs, exchange: number | undefined, begun: number): Slices {
  let now = begun
  const { statusLtimes, leftMembers, eventLtime } = theirs
  const isAnswer = exchange !== undefined
  heed(state, state.clock, theirs.ltime, isAnswer, now)
  if (heed(state, state.events.clock, eventLtime, isAnswer, now)) state.events.heed(eventLtime, exchange)
  heed(state, state.queries.clock, theirs.queryLtime, isAnswer, now)
  let left = SLICE_INTENTS
  for (const node of leftMembers) {
    if (left-- === 0) {
      now = yield
      left = SLICE_INTENTS - 1
    }
    const ltime = statusLtimes.get(node) ?? 0
    if (typeof ltime !== 'number' || hasComeBack(state, node, ltime)) continue
    // One more: a departure must beat the very intent it ended (serf-behaviour §23).
    applyLeaveIntent(state, { type: 'leave', ltime: ltime + 1, node, prune: false }, now)
  }
  for (const [node, ltime] of statusLtimes) {
    if (leftMembers.has(node)) continue
    if (left-- === 0) {
      now = yield
      left = SLICE_INTENTS - 1
    }
    applyJoinIntent(state, { type: 'join', ltime, node }, now)
  }
  if (theirs.events.length > SLICE_SLOTS) now = yield
  yield* applyListedEvents(state, theirs.events, now)
}

/** Whether the member is alive though it left at that time, or before: had it left since, the row that says so in the same exchange would
 *  have been taken. Differs: Serf holds it for leaving, at a time that its new join, which others heard, may not be above. */
function hasComeBack(state: SerfState, node: string, leftAt: number): boolean {
  const record = state.members.get(node)
  if (record === undefined || node === state.name) return false
  return record.status === 'alive' && record.swim.status === 'alive' && leftAt <= record.statusLtime
}

/** Takes note of a clock of theirs, which shows the time of their next message; what they have seen is one less. One that cannot be
 *  believed is left aside; what is told with it is held against ours message by message. */
function heed(state: SerfState, ours: LamportClock, theirs: Uint64, isAnswer: boolean, now: number): theirs is number {
  const isBelieved = typeof theirs === 'number' && (theirs <= 1 || witness(ours, theirs - 1, isAnswer, now))
  if (!isBelieved) {
    const message = `an exchange says ${theirs}, we are at ${ours.time}`
    warn(state, 'lamport-leap', message)
  }
  return isBelieved
}

function witness(clock: LamportClock, seen: number, isAnswer: boolean, now: number): boolean {
  return isAnswer ? clock.witnessAnswer(seen, now) : clock.witness(seen, now)
}
