// Serf's part of a push/pull, read a slice at a time: in a large cluster it names tens of thousands, and a stranger may send 20 MiB.
// The same message as `serf-messages.ts` reads at once, and read alike.
// Source: wire-protocol §7. A struct comes as a map, an array or nil (§1.2).
import { DecodeError } from '../base/errors.ts'
import { MAX_SERF_EVENTS, MAX_SERF_NAMES } from './limits.ts'
import { decodeWellFormed, fieldCount, Reader, text } from './msgpack.ts'
import { slotEvent } from './serf-messages.ts'
import { Skipper } from './skipper.ts'
import { type SerfEventSlot, SerfType, type Uint64 } from './types.ts'

/** What is read of it. */
export interface SerfState {
  ltime: Uint64
  /** Every member a sender knows, with the time of its last intent. */
  readonly statusLtimes: Map<string, Uint64>
  readonly leftMembers: Set<string>
  eventLtime: Uint64
  /** As they came: the slots in use, empty ones left out. */
  readonly events: SerfEventSlot[]
  queryLtime: Uint64
}

/** Names read in one slice: about a millisecond. */
const SLICE_NAMES = 4096
/** Bytes read or passed over in one slice, about; whatever fields they are in. */
const SLICE_BYTES = 65_536

/** The fields, in the order in which Go declares them. */
const FIELDS: readonly string[] = ['LTime', 'StatusLTimes', 'LeftMembers', 'EventLTime', 'Events', 'QueryLTime']

/** A Serf push/pull, type byte first; yields between slices. Bytes behind it are ignored. Throws `DecodeError`. */
export function* readSerfState(all: Uint8Array): Generator<void, SerfState, unknown> {
  if (all[0] !== SerfType.pushPull) throw new DecodeError(`Serf message of type ${all[0]} where a push/pull belongs`)
  const reader = new Reader(all, 1)
  const state: SerfState = {
    ltime: 0,
    statusLtimes: new Map(),
    leftMembers: new Set(),
    eventLtime: 0,
    events: [],
    queryLtime: 0,
  }
  if (reader.isNil()) return state
  const progress = new Progress(reader)
  for (const name of fieldNames(reader, FIELDS)) yield* readField(reader, name, state, progress)
  return state
}

/** What was done since the last pause, and how many names and events there were in all: a field may come again. */
class Progress {
  readonly #reader: Reader
  #names = 0
  #from: number
  readonly #announced = { times: 0, left: 0, slots: 0, events: 0 }

  constructor(reader: Reader) {
    this.#reader = reader
    this.#from = reader.at
  }

  /** Where the slice ends at the latest. */
  get sliceEnd(): number {
    return Math.min(this.#from + SLICE_BYTES, this.#reader.end)
  }

  /** Before each name or event: true where a pause is due, which then counts as taken. */
  nameIsDue(): boolean {
    const isDue = this.#names >= SLICE_NAMES || this.#reader.at - this.#from >= SLICE_BYTES
    if (isDue) this.paused()
    this.#names++
    return isDue
  }

  /** A name was left out, which takes as long as a hundred others. */
  leftOut(): void {
    this.#names += 64
  }

  paused(): void {
    this.#names = 0
    this.#from = this.#reader.at
  }

  /** Throws `DecodeError` where `count` more are too many. */
  announce(kind: 'times' | 'left' | 'slots' | 'events', count: number): number {
    this.#announced[kind] += count
    const all = this.#announced[kind]
    const [most, what] = kind === 'times' || kind === 'left' ? [MAX_SERF_NAMES, 'names'] : [MAX_SERF_EVENTS, kind]
    if (all > most) throw new DecodeError(`${all} ${what}, at most ${most} are taken`)
    return count
  }
}

function* readField(
  reader: Reader,
  name: string | undefined,
  state: SerfState,
  progress: Progress,
): Generator<void, void, unknown> {
  switch (name) {
    case 'LTime':
      state.ltime = reader.uint64()
      return
    case 'EventLTime':
      state.eventLtime = reader.uint64()
      return
    case 'QueryLTime':
      state.queryLtime = reader.uint64()
      return
    case 'StatusLTimes':
      if (!reader.isNil()) yield* readTimes(reader, state.statusLtimes, progress)
      return
    case 'LeftMembers':
      if (!reader.isNil()) yield* readNames(reader, state.leftMembers, progress)
      return
    case 'Events':
      if (!reader.isNil()) yield* readSlots(reader, state.events, progress)
      return
    default:
      yield* passOver(reader, progress)
  }
}

/** Of a repeated name the last time counts; names that are no text are left out. */
function* readTimes(reader: Reader, times: Map<string, Uint64>, progress: Progress): Generator<void, void, unknown> {
  for (let left = progress.announce('times', reader.mapLength()); left > 0; left--) {
    if (progress.nameIsDue()) yield
    const name = decodeWellFormed(text, reader)
    const ltime = reader.uint64()
    if (name === undefined) progress.leftOut()
    else times.set(name, ltime)
  }
}

function* readNames(reader: Reader, names: Set<string>, progress: Progress): Generator<void, void, unknown> {
  for (let left = progress.announce('left', reader.arrayLength()); left > 0; left--) {
    if (progress.nameIsDue()) yield
    const name = decodeWellFormed(text, reader)
    if (name === undefined) progress.leftOut()
    else names.add(name)
  }
}

/** Of a field that comes again the last counts. */
function* readSlots(reader: Reader, slots: SerfEventSlot[], progress: Progress): Generator<void, void, unknown> {
  slots.length = 0
  for (let left = progress.announce('slots', reader.arrayLength()); left > 0; left--) {
    if (progress.nameIsDue()) yield
    if (!reader.isNil()) slots.push(yield* readSlot(reader, progress))
  }
}

const SLOT_FIELDS: readonly string[] = ['LTime', 'Events']

function* readSlot(reader: Reader, progress: Progress): Generator<void, SerfEventSlot, unknown> {
  let ltime: Uint64 = 0
  const events: SerfEventSlot['events'][number][] = []
  for (const name of fieldNames(reader, SLOT_FIELDS)) {
    if (name === 'LTime') ltime = reader.uint64()
    else if (name !== 'Events') yield* passOver(reader, progress)
    else if (!reader.isNil()) yield* readEvents(reader, events, progress)
  }
  return { ltime, events }
}

function* readEvents(
  reader: Reader,
  events: SerfEventSlot['events'][number][],
  progress: Progress,
): Generator<void, void, unknown> {
  events.length = 0
  for (let left = progress.announce('events', reader.arrayLength()); left > 0; left--) {
    if (progress.nameIsDue()) yield
    const event = decodeWellFormed(slotEvent, reader)
    if (event === undefined) progress.leftOut()
    else events.push(event)
  }
}

/** Takes the head of a struct, then before each field its name: the next one is asked for once the value was taken. */
function* fieldNames(reader: Reader, declared: readonly string[]): Generator<string | undefined, void, unknown> {
  const head = reader.peek()
  const isArray = (head & 0xf0) === 0x90 || head === 0xdc || head === 0xdd
  const count = fieldCount(isArray ? reader.arrayLength() : reader.mapLength())
  for (let index = 0; index < count; index++) yield isArray ? declared[index] : reader.text()
}

/** One value of any kind. */
function* passOver(reader: Reader, progress: Progress): Generator<void, void, unknown> {
  const skipper = new Skipper()
  for (;;) {
    const end = progress.sliceEnd
    if (end > reader.at) reader.at = skipper.advance(reader.bytes, reader.at, end, reader.end)
    if (skipper.done) return
    if (end === reader.end) throw new DecodeError('message cut short')
    progress.paused()
    yield
  }
}
