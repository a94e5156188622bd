// What a member knows of user events (serf-behaviour §25): the clock that orders them, and those of late, slot by slot of Lamport time, to
// know one again that comes again, and to tell them to who comes. Bounded, whatever strangers send. Says what becomes of an event; what
// follows from that stands in user-events.ts.
import { MAX_EVENT_BYTES } from '../wire/limits.ts'
import type { SerfEventSlot } from '../wire/types.ts'
import { LamportClock } from './lamport-clock.ts'

/** Lamport times of which events are kept: Serf's number. What is older cannot be told from what was delivered long ago. */
const SLOTS = 512

/** What all that is kept may take: every slot with one event of Serf's largest size, and some more. Honest members stay far below.
 *  Differs: Serf keeps whatever comes under one Lamport time, without bound. */
export const MAX_KEPT_BYTES: number = SLOTS * 12_288

/** What an event takes beside its name and payload, about. */
const EVENT_BYTES = 256

/** What became of an event. */
type Verdict = 'new' | 'seen' | 'ignored' | 'old' | 'too-large' | 'too-much'

interface Slot {
  readonly ltime: number
  /** By all they say. */
  readonly events: Map<string, { readonly name: string; readonly payload: Uint8Array }>
  bytes: number
}

/** The events of late, and the clock that orders them. */
export class UserEvents {
  readonly clock: LamportClock = new LamportClock()
  /** Exchanges of ours, by number, whose other side tells of events that are old to us. */
  readonly ignoring: Set<number> = new Set()
  readonly #slots: (Slot | undefined)[] = new Array(SLOTS).fill(undefined)
  #minTime = 0
  /** What is older was let go of before its time. */
  #floor = 0
  #bytes = 0
  #revision = 0
  /** The next exchange that tells of any time is the first; what it tells of was sent before we came. */
  #ignoresFirst: boolean

  /** @param ignoreOld whether to let be what the first exchange tells of, whoever began it. Who was here before may reach for us first,
   *  and that is no exchange of ours. With a `minTime` it is of no use, and has no effect */
  constructor(ignoreOld = false) {
    this.#ignoresFirst = ignoreOld
  }

  /** Events before this time are not delivered; nothing is said of them. Never falls. */
  get minTime(): number {
    return this.#minTime
  }

  set minTime(time: number) {
    this.#minTime = Math.max(this.#minTime, time)
  }

  /** An exchange tells that all events so far were sent before that time. @param exchange its number, where it is ours */
  heed(ltime: number, exchange: number | undefined): void {
    // Two that are new, or we ourselves by way of a balancer, have nothing to tell: those who were here before are still to come.
    if (ltime <= 1) return
    const isFirst = this.#ignoresFirst && this.#minTime === 0
    this.#ignoresFirst = false
    if (isFirst || (exchange !== undefined && this.ignoring.has(exchange))) this.minTime = ltime
  }

  /** Changes whenever `slots` does. */
  get revision(): number {
    return this.#revision
  }

  /** All that is kept, in the order of time. */
  slots(): SerfEventSlot[] {
    return this.#slots
      .filter((slot): slot is Slot => slot !== undefined && slot.events.size > 0)
      .sort((left, right) => left.ltime - right.ltime)
      .map(({ ltime, events }) => ({ ltime, events: [...events.values()] }))
  }

  /** Takes an event of a time that the clock has witnessed. Two with the same name and payload at the same time are one, also where two
   *  members sent them, as with Serf. Keeps `payload`. */
  take(ltime: number, name: string, payload: Uint8Array): Verdict {
    if (ltime < this.#minTime) return 'ignored'
    if (ltime < this.#floor || ltime < this.clock.time - SLOTS) return 'old'
    if (isTooLarge(name, payload)) return 'too-large'
    const at = ltime % SLOTS
    let slot = this.#slots[at]
    if (slot === undefined || slot.ltime !== ltime) {
      this.#bytes -= slot?.bytes ?? 0
      slot = { ltime, events: new Map(), bytes: 0 }
      this.#slots[at] = slot
    }
    const key = keyOf(name, payload)
    if (slot.events.has(key)) return 'seen'
    // The key holds both once more.
    const bytes = 2 * key.length + EVENT_BYTES
    if (!this.#makeRoom(slot, bytes)) return 'too-much'
    slot.events.set(key, { name, payload })
    slot.bytes += bytes
    this.#bytes += bytes
    this.#revision++
    return 'new'
  }

  /** Lets go of the oldest for the newer. What was let go of is not known again, so nothing as old is taken from then on.
   *  @returns false where all that is older than `slot` is not room enough: then nothing is let go of */
  #makeRoom(slot: Slot, bytes: number): boolean {
    if (this.#bytes + bytes <= MAX_KEPT_BYTES) return true
    let older = 0
    for (const other of this.#slots) if (other !== undefined && other.ltime < slot.ltime) older += other.bytes
    if (this.#bytes - older + bytes > MAX_KEPT_BYTES) return false
    while (this.#bytes + bytes > MAX_KEPT_BYTES) {
      let oldest = slot
      for (const other of this.#slots) if (other !== undefined && other.ltime < oldest.ltime) oldest = other
      this.#slots[oldest.ltime % SLOTS] = undefined
      this.#bytes -= oldest.bytes
      this.#floor = Math.max(this.#floor, oldest.ltime + 1)
      this.#revision++
    }
    return true
  }
}

/** No member that keeps to Serf's ceiling sends as much.
 *  Differs: Serf takes events of any size that reach it, and tells of them in every exchange. */
export function isTooLarge(name: string, payload: Uint8Array): boolean {
  return name.length + payload.length > MAX_EVENT_BYTES
}

/** One text for all that an event says. */
function keyOf(name: string, payload: Uint8Array): string {
  let key = `${name.length} ${name}`
  for (let at = 0; at < payload.length; at += 4096) key += String.fromCharCode(...payload.subarray(at, at + 4096))
  return key
}
