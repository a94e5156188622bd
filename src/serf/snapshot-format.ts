// The snapshot file (serf-behaviour §28): lines to state and back, in Serf's own format, so that either program starts from the file
// of the other. Knows bytes and lines; when to write which is snapshot.ts's, and how is the driver's.
//
//   alive: NAME ADDR    not-alive: NAME    clock: N    event-clock: N    query-clock: N    leave    # comment
//   # incarnation: N NAME       ours: to Serf a comment
import { textOf, utf8 } from '../base/bytes.ts'
import { INCARNATION_CEILING } from '../swim/admission.ts'
import { MAX_MEMBERS } from '../swim/member.ts'
import { Address, parseHostAndPort, parseIp } from '../wire/address.ts'
import { MAX_FIRST_TIME } from './lamport-clock.ts'

/** Bytes of a line; a longer one is skipped. Beyond any name that a packet could bring. */
export const MAX_LINE_BYTES = 4096
/** Of members that were lost or left, the last so many are kept as addresses to ask where nobody else is known. */
export const MAX_GONE = 32

/** What a file says, or is to say. Mutable: the reader fills it, and its owner goes on with it. */
export interface SnapshotState {
  /** `host:port` of the members that were there, by name; ourselves among them. */
  readonly alive: Map<string, string>
  /** The same of those that were there and went, the latest last. Differs: Serf forgets them, and who lost all others before it restarts
   *  stays alone. */
  readonly gone: Map<string, string>
  /** The highest time seen of each kind; 0: none. */
  clock: number
  eventClock: number
  queryClock: number
  /** The number we claimed last, and under which name; 0: unknown. */
  incarnation: number
  incarnationOf: string
}

export function emptySnapshot(): SnapshotState {
  return {
    alive: new Map(),
    gone: new Map(),
    clock: 0,
    eventClock: 0,
    queryClock: 0,
    incarnation: 0,
    incarnationOf: '',
  }
}

/** What a file came to. */
export interface SnapshotReport {
  /** Bytes up to and with the last line end: what follows was torn off. */
  readonly wholeBytes: number
  /** Lines that nobody understands. */
  readonly skipped: number
  /** The number of the first of them, from 1. */
  readonly firstSkipped: number
  /** Its last line ends a compaction. */
  readonly isComplete: boolean
}

const LINE_END = 0x0a
const NUL = 0

/** Reads a file piece by piece, in memory that its size has no say in. */
export class SnapshotReader {
  readonly state: SnapshotState = emptySnapshot()
  readonly #rejoinAfterLeave: boolean
  /** The beginning of a line whose end is still to come. */
  readonly #line = new Uint8Array(MAX_LINE_BYTES)
  #lineBytes = 0
  #isTooLong = false
  #readBytes = 0
  #wholeBytes = 0
  #lines = 0
  #skipped = 0
  #firstSkipped = 0
  #isComplete = false

  /** @param rejoinAfterLeave a goodbye forgets nothing */
  constructor(rejoinAfterLeave: boolean) {
    this.#rejoinAfterLeave = rejoinAfterLeave
  }

  /** Takes the next bytes; keeps none of the array. */
  take(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length) {
      const found = bytes.indexOf(LINE_END, at)
      const end = found < 0 ? bytes.length : found
      this.#append(bytes.subarray(at, end))
      at = end
      if (found < 0) break
      at++
      this.#endLine(this.#readBytes + at)
    }
    this.#readBytes += bytes.length
  }

  /** What stands so far. A last line without an end is none. */
  report(): SnapshotReport {
    return {
      wholeBytes: this.#wholeBytes,
      skipped: this.#skipped,
      firstSkipped: this.#firstSkipped,
      isComplete: this.#isComplete,
    }
  }

  #append(bytes: Uint8Array): void {
    if (this.#isTooLong || this.#lineBytes + bytes.length > MAX_LINE_BYTES) {
      this.#isTooLong = true
      return
    }
    this.#line.set(bytes, this.#lineBytes)
    this.#lineBytes += bytes.length
  }

  #endLine(wholeBytes: number): void {
    const bytes = this.#line.subarray(0, this.#lineBytes)
    // Zeros are what some file systems leave where a crash took the bytes (consul#3362).
    // Differs: Serf takes them for a part of the line, and of a name.
    const line = this.#isTooLong || bytes.includes(NUL) ? undefined : textOf(bytes)
    this.#lines++
    this.#lineBytes = 0
    this.#isTooLong = false
    this.#wholeBytes = wholeBytes
    this.#isComplete = line?.startsWith(QUERY_CLOCK) === true
    if (line !== undefined && this.#applyLine(line)) return
    this.#skipped++
    this.#firstSkipped ||= this.#lines
  }

  /** False where it says nothing. */
  #applyLine(line: string): boolean {
    const { state } = this
    if (line.startsWith(ALIVE)) return this.#applyAlive(line.slice(ALIVE.length))
    if (line.startsWith(NOT_ALIVE)) {
      markGone(state, line.slice(NOT_ALIVE.length))
      return true
    }
    if (line.startsWith(CLOCK)) return applyTime(line.slice(CLOCK.length), (time) => (state.clock = time))
    if (line.startsWith(EVENT_CLOCK)) {
      return applyTime(line.slice(EVENT_CLOCK.length), (time) => (state.eventClock = time))
    }
    if (line.startsWith(QUERY_CLOCK)) {
      return applyTime(line.slice(QUERY_CLOCK.length), (time) => (state.queryClock = time))
    }
    if (line === LEAVE) {
      if (!this.#rejoinAfterLeave) forgetAll(state)
      return true
    }
    applyComment(state, line)
    return line.startsWith('#') || line.startsWith('coordinate: ')
  }

  #applyAlive(text: string): boolean {
    // Names may hold spaces, addresses never do.
    const space = text.lastIndexOf(' ')
    const [name, address] = [text.slice(0, space), text.slice(space + 1)]
    if (space < 1 || addressOf(address) === undefined) return false
    const { alive } = this.state
    if (alive.size >= MAX_MEMBERS && !alive.has(name)) return false
    markAlive(this.state, name, address)
    return true
  }
}

/** The address of a line; `undefined` where it is none. */
export function addressOf(text: string): Address | undefined {
  const { host, port, name } = parseHostAndPort(text) ?? {}
  const ip = host === undefined || name !== undefined ? undefined : parseIp(host)
  return ip === undefined || !port ? undefined : new Address(ip, port)
}

/** Whether a line can hold the name. One with a line end would forge lines of its own. Differs: Serf writes it as it is. */
export function isRecordable(name: string): boolean {
  return name !== '' && !/[\n\0]/.test(name) && utf8(name).length <= MAX_LINE_BYTES / 2
}

/** The member is there. @returns the line that says so */
export function markAlive(state: SnapshotState, name: string, address: string): string {
  state.gone.delete(name)
  state.alive.set(name, address)
  return `${ALIVE}${name} ${address}\n`
}

/** The member is not there any more. @returns the line that says so */
export function markGone({ alive, gone }: SnapshotState, name: string): string {
  const address = alive.get(name)
  alive.delete(name)
  if (address !== undefined) {
    gone.delete(name)
    gone.set(name, address)
    for (const first of gone.keys()) if (gone.size > MAX_GONE) gone.delete(first)
  }
  return `${NOT_ALIVE}${name}\n`
}

/** What a goodbye does. @returns the line */
export function forgetAll(state: SnapshotState): string {
  state.alive.clear()
  state.gone.clear()
  state.clock = 0
  state.eventClock = 0
  state.queryClock = 0
  return LEAVE_LINE
}

export const LEAVE_LINE = 'leave\n'

export function clockLine(time: number): string {
  return `${CLOCK}${time}\n`
}

export function eventClockLine(time: number): string {
  return `${EVENT_CLOCK}${time}\n`
}

export function queryClockLine(time: number): string {
  return `${QUERY_CLOCK}${time}\n`
}

export function incarnationLine(incarnation: number, name: string): string {
  return `${INCARNATION}${incarnation} ${name}\n`
}

/** A whole file that says the state and nothing more. The query clock is last: with it the file is complete. */
export function snapshotText(state: SnapshotState): string {
  const lines: string[] = []
  // Serf has no word for who was there: two lines that come to nothing tell us of it, and Serf nothing.
  for (const [name, address] of state.gone) lines.push(`${ALIVE}${name} ${address}\n`, `${NOT_ALIVE}${name}\n`)
  for (const [name, address] of state.alive) lines.push(`${ALIVE}${name} ${address}\n`)
  if (state.incarnation > 0 && isRecordable(state.incarnationOf)) {
    lines.push(incarnationLine(state.incarnation, state.incarnationOf))
  }
  lines.push(clockLine(state.clock), eventClockLine(state.eventClock), queryClockLine(state.queryClock))
  return lines.join('')
}

/** A time that our clocks could go on from. */
function applyTime(text: string, set: (time: number) => void): boolean {
  const time = /^\d{1,20}$/.test(text) ? Number(text) : Number.NaN
  if (!(time <= MAX_FIRST_TIME)) return false
  set(time)
  return true
}

function applyComment(state: SnapshotState, line: string): void {
  const match = /^# incarnation: (\d{1,10}) (.+)$/s.exec(line)
  const incarnation = Number(match?.[1])
  // One so high that nothing could be denied any more is of no use.
  if (match === null || !(incarnation < INCARNATION_CEILING / 2)) return
  state.incarnation = incarnation
  state.incarnationOf = match[2] as string
}

const ALIVE = 'alive: '
const NOT_ALIVE = 'not-alive: '
const CLOCK = 'clock: '
const EVENT_CLOCK = 'event-clock: '
const QUERY_CLOCK = 'query-clock: '
const LEAVE = 'leave'
const INCARNATION = '# incarnation: '
