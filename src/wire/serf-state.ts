// Serf's part of a push/pull, read a slice at a time: in a large cluster it names tens of thousands, and a stranger may send 20 MiB.
// The same message as `serf-messages.ts` reads at once, and read alike, but for the events, which are passed over.
// Source: wire-protocol §7. A struct comes as a map, an array or nil (§1.2).
import { DecodeError } from '../base/errors.ts'
import { MAX_SERF_NAMES } from './limits.ts'
import { decodeWellFormed, Reader, text } from './msgpack.ts'
import { Skipper } from './skipper.ts'
import { SerfType, type Uint64 } from './types.ts'

/** What is read of it. */
export interface SerfState {
  ltime: Uint64
  /** Every member a sender knows, with the time of its last intent. */
  readonly statusLtimes: Map<string, Uint64>
  readonly leftMembers: Set<string>
  eventLtime: Uint64
  queryLtime: Uint64
}

/** Names read in one slice: about a millisecond. */
const SLICE_NAMES = 4096
/** Bytes passed over in one slice. */
const SLICE_BYTES = 65_536

/** The fields, in the order in which Go declares them. */
const FIELDS = ['LTime', 'StatusLTimes', 'LeftMembers', 'EventLTime', 'Events', 'QueryLTime'] as const

/** A Serf push/pull, type byte first; yields between slices. Bytes behind it are ignored. Throws `DecodeError`. */
export function* readSerfState(all: Uint8Array): Generator<void, SerfState, unknown> {
  if (all[0] !== SerfType.pushPull) throw new DecodeError(`Serf message of type ${all[0]} where a push/pull belongs`)
  const reader = new Reader(all, 1)
  const state: SerfState = {
    ltime: 0,
    statusLtimes: new Map(),
    leftMembers: new Set(),
    eventLtime: 0,
    queryLtime: 0,
  }
  if (reader.isNil()) return state
  const head = reader.peek()
  const isArray = (head & 0xf0) === 0x90 || head === 0xdc || head === 0xdd
  const count = isArray ? reader.arrayLength() : reader.mapLength()
  for (let index = 0; index < count; index++) {
    yield* readField(reader, isArray ? FIELDS[index] : reader.text(), state)
  }
  return state
}

function* readField(reader: Reader, name: string | undefined, state: SerfState): Generator<void, void, unknown> {
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
      if (!reader.isNil()) yield* readTimes(reader, state.statusLtimes)
      return
    case 'LeftMembers':
      if (!reader.isNil()) yield* readNames(reader, state.leftMembers)
      return
    default:
      yield* passOver(reader)
  }
}

/** Of a repeated name the last time counts; names that are no text are left out. */
function* readTimes(reader: Reader, times: Map<string, Uint64>): Generator<void, void, unknown> {
  const count = bounded(reader.mapLength())
  for (let done = 0; done < count; done++) {
    if (done > 0 && done % SLICE_NAMES === 0) yield
    const name = decodeWellFormed(text, reader)
    const ltime = reader.uint64()
    if (name !== undefined) times.set(name, ltime)
  }
}

function* readNames(reader: Reader, names: Set<string>): Generator<void, void, unknown> {
  const count = bounded(reader.arrayLength())
  for (let done = 0; done < count; done++) {
    if (done > 0 && done % SLICE_NAMES === 0) yield
    const name = decodeWellFormed(text, reader)
    if (name !== undefined) names.add(name)
  }
}

/** One value of any kind. */
function* passOver(reader: Reader): Generator<void, void, unknown> {
  const skipper = new Skipper()
  for (;;) {
    const end = Math.min(reader.at + SLICE_BYTES, reader.end)
    const at = skipper.advance(reader.bytes, reader.at, end, reader.end)
    if (skipper.done) {
      reader.at = at
      return
    }
    if (end === reader.end) throw new DecodeError('message cut short')
    reader.at = at
    yield
  }
}

function bounded(count: number): number {
  if (count > MAX_SERF_NAMES) throw new DecodeError(`${count} names, at most ${MAX_SERF_NAMES} are taken`)
  return count
}
