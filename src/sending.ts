// User events at the door: what a caller may send, and what a listener gets. Payloads become bytes here, and bytes payloads again where
// a listener asks for it.
import { checkBoolean, checkKeys, checkObject } from './base/check.ts'
import { OptionsError } from './base/errors.ts'
import type { Driver } from './driver/driver.ts'
import type { UserEvent } from './events.ts'
import { type Payload, packPayload, unpack } from './pack.ts'
import type { EventNotice } from './serf/notices.ts'

export interface SendEventOptions {
  /** Of several events of one name that come within the window of a receiver that coalesces, only the newest is delivered there. Others
   *  are told of the wish; who does not coalesce delivers them all. Default false. */
  readonly coalesce?: boolean
}

/** Sends a user event. @throws OptionsError, SizeError, ClosedError: nothing is sent */
export function sendEvent(
  driver: Pick<Driver, 'command'>,
  name: string,
  payload: Payload | undefined,
  options: SendEventOptions,
): void {
  if (typeof name !== 'string' || /\p{Surrogate}/u.test(name)) {
    throw new OptionsError('name', name, 'must be well-formed text')
  }
  checkObject('options', options)
  checkKeys(options, ['coalesce'])
  const { coalesce = false } = options
  checkBoolean('coalesce', coalesce)
  const bytes = packPayload(payload)
  driver.command((serf, now) => serf.sendEvent(name, bytes, coalesce, now))
}

/** What a listener gets. */
export function userEventOf({ name, payload, ltime, coalesce }: EventNotice): UserEvent {
  return { type: 'user-event', name, payload, ltime, coalesce, unpack: () => unpack(payload) }
}
