// User events (serf-behaviour §25): a name and some bytes, told to all, delivered once each. Who hears one for the first time delivers
// it and tells it on, byte for byte as received. What was heard of late is kept, slot by slot of Lamport time, to know it again, and to
// tell it to who comes: every exchange carries it.
//
//   told, listed ──of a time not to be believed──► warning      ──before `minTime`, or seen──► nothing
//                ──older than all that is kept──► warning       ──new──► kept, delivered; told on, where it was told
import { copyOf, NO_BYTES } from '../base/bytes.ts'
import { SizeError } from '../base/errors.ts'
import { tracer } from '../base/log.ts'
import type { Slices } from '../base/slices.ts'
import { MAX_EVENT_BYTES } from '../wire/limits.ts'
import { encodeSerfMessage } from '../wire/serf-messages.ts'
import type { SerfEventSlot, SerfUserEvent } from '../wire/types.ts'
import { isTooLarge } from './event-state.ts'
import { spread, USER_TYPE_BYTES } from './spread.ts'
import { type SerfState, warn } from './state.ts'

const trace = tracer('serf:events')

/** Bytes of events of an exchange taken in one slice, about: a few milliseconds. */
const SLICE_BYTES = 65_536
/** What an event costs beside its name and payload, as bytes. */
const SLICE_EVENT_BYTES = 64

/** Sends an event: delivered to ourselves too, as Serf does. @param payload copied
 *  @throws SizeError where it is larger than `userEventSizeLimit`, or than a packet: nothing is changed */
export function sendEvent(state: SerfState, name: string, payload: Uint8Array, coalesce: boolean, now: number): void {
  const { clock } = state.events
  const bare: SerfUserEvent = { type: 'user-event', ltime: clock.time, name, payload: NO_BYTES, coalesce }
  // Differs: Serf takes what no packet holds, up to 9216 bytes, and tells of it in exchanges alone.
  const allowedBytes = Math.min(state.options.userEventSizeLimit, state.broadcasts.maxBytes - USER_TYPE_BYTES)
  const usedBytes = encodeSerfMessage(bare).length - NIL_BYTES + rawBytes(payload.length)
  if (usedBytes > allowedBytes) throw new SizeError('user event', usedBytes, allowedBytes)
  const event: SerfUserEvent = { ...bare, payload: copyOf(payload) }
  const message = encodeSerfMessage(event)
  trace('send %s at %d', name, event.ltime)
  applyUserEvent(state, event, now)
  spread(state, 'events', message)
}

/** Takes an event. @param received its bytes, to be told on; absent where it was learnt in an exchange, or is our own */
export function applyUserEvent(
  state: SerfState,
  { ltime, name, payload, coalesce }: SerfUserEvent,
  now: number,
  received?: Uint8Array,
): void {
  const { events, outbox } = state
  if (!events.clock.witness(ltime, now)) {
    const message = `user event ${name} at ${ltime}, we are at ${events.clock.time}`
    warn(state, 'lamport-leap', message)
    return
  }
  const verdict = events.take(ltime, name, payload)
  switch (verdict) {
    case 'new':
      spread(state, 'events', received)
      // A copy: what is kept is compared with what comes, and told to others.
      outbox.notify({ type: 'user-event', name, payload: copyOf(payload), ltime, coalesce })
      return
    case 'old':
      // Exchanges tell of old ones again and again.
      if (received === undefined) return
      warn(
        state,
        'event-old',
        `user event ${name} of time ${ltime} came when we were at ${events.clock.time}; not delivered`,
      )
      return
    case 'too-large':
      warn(
        state,
        'event-limit',
        `user event of ${name.length + payload.length} bytes at ${ltime}, at most ${MAX_EVENT_BYTES} are taken; not delivered: ${name}`,
      )
      return
    case 'too-much':
      warn(state, 'event-limit', `user event ${name} of time ${ltime}: more came at once than we keep; not delivered`)
      return
    case 'seen':
    case 'ignored':
      return
  }
}

/** Takes the events that an exchange lists, a slice at a time. Nothing of them is told on.
 *  Differs: Serf takes them in the order of its ring, so that newer ones may come before older ones. */
export function* applyListedEvents(state: SerfState, slots: readonly SerfEventSlot[], begun: number): Slices<number> {
  let now = begun
  let left = SLICE_BYTES
  const inOrder = slots.toSorted((one, other) => (one.ltime < other.ltime ? -1 : one.ltime > other.ltime ? 1 : 0))
  for (const { ltime, events } of inOrder) {
    for (const { name, payload } of events) {
      if (left <= 0) {
        now = yield
        left = SLICE_BYTES
      }
      left -= SLICE_EVENT_BYTES + (isTooLarge(name, payload) ? 0 : name.length + payload.length)
      // The flag is told by packets alone.
      applyUserEvent(state, { type: 'user-event', ltime, name, payload, coalesce: false }, now)
    }
  }
  return now
}

/** What nil takes on the wire. */
const NIL_BYTES = 1

/** What so many bytes take on the wire. */
function rawBytes(length: number): number {
  if (length < 32) return 1 + length
  return (length <= 0xffff ? 3 : 5) + length
}
