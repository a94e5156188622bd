// What we remember beyond the end of the process (serf-behaviour §28): who is there, and the three clocks. Hears every notice before
// anybody else does, and says what is to be written. Knows no time but what it is told: when to write is recording.ts's.
//
//   writing ──a write failed──► broken ──all anew──► writing        writing, broken ──our leave──► left: clocks only
import { utf8 } from '../base/bytes.ts'
import { tracer } from '../base/log.ts'
import type { SerfNotice, SnapshotNotice } from './notices.ts'
import {
  clockLine,
  emptySnapshot,
  eventClockLine,
  forgetAll,
  incarnationLine,
  isRecordable,
  LEAVE_LINE,
  markAlive,
  markGone,
  queryClockLine,
  type SnapshotState,
  snapshotText,
} from './snapshot-format.ts'

const trace = tracer('serf:snapshot')

/** Lines that wait for no limit: so many bytes are written at once. */
const MAX_PENDING_BYTES = 65_536
/** The file is written anew beyond this size, or so many bytes a member (serf-behaviour §28). */
const LEAST_COMPACT_BYTES = 131_072
const COMPACT_BYTES_A_MEMBER = 256
/** How far above the number that the file knows of us we begin: a crash forgets what we claimed since the last write. */
const INCARNATION_MARGIN = 8

export interface SnapshotSetup {
  /** What the file said; absent: there was none. */
  readonly recovered?: SnapshotState
  /** How much it holds. */
  readonly fileBytes: number
  /** Goodbyes forget nothing. */
  readonly rejoinAfterLeave: boolean
  /** It could be read, and not be written. */
  readonly isBroken?: boolean
  /** For tests of many compactions. */
  readonly leastCompactBytes?: number
}

/** The snapshot of one member. */
export class Snapshot {
  readonly #setup: SnapshotSetup
  readonly #self: string
  /** What the file says once all is written. */
  readonly #state: SnapshotState
  /** Members of the file that nobody has told of since. */
  readonly #unseen: Set<string>
  #pending: string[] = []
  #pendingBytes = 0
  /** A time to write is set. */
  isAwaited = false
  #fileBytes: number
  #compactBytes: number
  #isBroken: boolean
  #hasLeft = false
  #triedAt = Number.NEGATIVE_INFINITY

  /** @param self our own name */
  constructor(setup: SnapshotSetup, self: string) {
    this.#setup = setup
    this.#self = self
    this.#state = setup.recovered ?? emptySnapshot()
    this.#unseen = new Set(this.#state.alive.keys())
    this.#unseen.delete(self)
    this.#fileBytes = setup.fileBytes
    this.#compactBytes = setup.leastCompactBytes ?? LEAST_COMPACT_BYTES
    this.#isBroken = setup.isBroken ?? false
  }

  get clock(): number {
    return this.#state.clock
  }

  get eventClock(): number {
    return this.#state.eventClock
  }

  get queryClock(): number {
    return this.#state.queryClock
  }

  /** The number to announce ourselves above: that of our last life, and a little more; 0 where it is not known.
   *  Differs: Serf begins at 1 each time, and is not heard until it has been told of its old number. */
  get incarnation(): number {
    const { incarnation, incarnationOf } = this.#state
    return incarnationOf === this.#self && incarnation > 0 ? incarnation + INCARNATION_MARGIN : 0
  }

  /** When writing anew was last tried. */
  get triedAt(): number {
    return this.#triedAt
  }

  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Takes down what is about to be told. Differs: Serf leaves one that is pruned while it lives in its file. */
  note(notice: SerfNotice): void {
    if (notice.type === 'user-event') this.event(notice.ltime)
    if (!('member' in notice && 'previous' in notice)) return
    const { member, type } = notice
    const isThere = type !== 'member-reap' && member.state !== 'left' && member.state !== 'dead'
    this.member(member.name, isThere ? member.address : undefined)
  }

  /** @param address where it is reached; absent: it is not there any more */
  member(name: string, address: string | undefined): void {
    this.#unseen.delete(name)
    if (this.#hasLeft || !isRecordable(name) || this.#state.alive.get(name) === address) return
    this.#add(address === undefined ? markGone(this.#state, name) : markAlive(this.#state, name, address))
  }

  /** A user event was delivered. */
  event(ltime: number): void {
    if (this.#hasLeft || ltime <= this.#state.eventClock) return
    this.#state.eventClock = ltime
    this.#add(eventClockLine(ltime))
  }

  /** A query was taken, an internal one too. */
  query(ltime: number): void {
    if (this.#hasLeft || ltime <= this.#state.queryClock) return
    this.#state.queryClock = ltime
    this.#add(queryClockLine(ltime))
  }

  /** We leave: from now on only the clock is written. */
  leave(): void {
    if (this.#hasLeft) return
    const { clock } = this.#state
    if (!this.#setup.rejoinAfterLeave) {
      forgetAll(this.#state)
      // The time of our own leave is told on, and what we say in another life must be above it.
      this.#state.clock = clock
    }
    this.#add(LEAVE_LINE)
    this.#hasLeft = true
  }

  /** Members of the file whom nobody has told of in all the time that the dead are remembered are none any more.
   *  Differs: Serf keeps them for ever, and asks each of them after every restart. */
  forgetUnseen(): void {
    for (const name of [...this.#unseen]) this.member(name, undefined)
  }

  /** Whether anything is to be written. @param clock the highest time seen */
  isDue(clock: number, incarnation: number): boolean {
    return this.#isBroken || this.#pendingBytes > 0 || this.#isNews(clock, incarnation)
  }

  /** More waits than may. */
  get isFull(): boolean {
    return this.#pendingBytes >= MAX_PENDING_BYTES
  }

  /** All that is to be written now. */
  take(clock: number, incarnation: number, now: number, isSynced: boolean): SnapshotNotice | undefined {
    if (this.#isNews(clock, incarnation)) this.#takeNews(clock, incarnation)
    const threshold = Math.max(this.#compactBytes, this.#state.alive.size * COMPACT_BYTES_A_MEMBER)
    if (this.#isBroken || this.#fileBytes + this.#pendingBytes > threshold) return this.#replace(now)
    if (this.#pendingBytes === 0) return undefined
    const bytes = utf8(this.#pending.join(''))
    this.#fileBytes += bytes.length
    this.#clear()
    return { type: 'snapshot', op: 'append', bytes, isSynced }
  }

  /** What was to be written is not, or not whole. */
  failed(): void {
    this.#isBroken = true
    this.#clear()
  }

  #isNews(clock: number, incarnation: number): boolean {
    return clock > this.#state.clock || (!this.#hasLeft && incarnation !== this.#state.incarnation)
  }

  #takeNews(clock: number, incarnation: number): void {
    if (clock > this.#state.clock) {
      this.#state.clock = clock
      this.#add(clockLine(clock))
    }
    if (this.#hasLeft || incarnation === this.#state.incarnation) return
    this.#state.incarnation = incarnation
    this.#state.incarnationOf = this.#self
    if (isRecordable(this.#self)) this.#add(incarnationLine(incarnation, this.#self))
  }

  #replace(now: number): SnapshotNotice {
    trace('write all anew: %d members', this.#state.alive.size)
    const text = snapshotText(this.#state)
    // Read back, a goodbye takes the clocks: they follow it, as Serf writes them.
    const { clock } = this.#state
    const bytes = utf8(this.#hasLeft ? `${text}${LEAVE_LINE}${clockLine(clock)}` : text)
    this.#fileBytes = bytes.length
    // Where members have long names the file may be larger than the bound as it is new.
    this.#compactBytes = Math.max(this.#setup.leastCompactBytes ?? LEAST_COMPACT_BYTES, 2 * bytes.length)
    this.#isBroken = false
    this.#triedAt = now
    this.#clear()
    return { type: 'snapshot', op: 'replace', bytes, isSynced: true }
  }

  #add(line: string): void {
    // All of it will be written anew.
    if (this.#isBroken) return
    this.#pending.push(line)
    this.#pendingBytes += utf8(line).length
  }

  #clear(): void {
    this.#pending = []
    this.#pendingBytes = 0
  }
}
