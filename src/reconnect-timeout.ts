// The user's word on how long one member that is gone stays in the list, as the protocol may ask for it: always answered, never thrown
// out of. When it is asked is serf/reaper.ts's.
import { OptionsError } from './base/errors.ts'
import type { Driver } from './driver/driver.ts'
import type { Host } from './driver/host.ts'
import type { Member } from './serf/members.ts'

/** Milliseconds for which a member that is dead or left stays in the list; `defaultMs` is what holds otherwise. Asked in the middle of
 *  things: answers at once, and changes nothing here. */
export type ReconnectTimeoutFor<Tags = undefined> = (member: Member<Tags>, defaultMs: number) => number

/** A question to the user's function. Where that throws, or answers with anything but a number from 0, the default holds, and the error
 *  surfaces as an uncaught exception of the host, in a turn of its own. */
export function reconnectTimeoutOf<Tags>(
  given: ReconnectTimeoutFor<Tags>,
  driver: Pick<Driver, 'ask'>,
  host: Pick<Host, 'defer'>,
): ReconnectTimeoutFor<unknown> {
  return (member, defaultMs) => {
    try {
      const answer: unknown = driver.ask(
        'reconnectTimeoutFor',
        given as ReconnectTimeoutFor<unknown>,
        member,
        defaultMs,
      )
      if (typeof answer === 'number' && answer >= 0) return answer
      throw new OptionsError('reconnectTimeoutFor', given, `must answer milliseconds; for ${member.name} it did not`)
    } catch (error) {
      host.defer(() => {
        throw error
      })
      return defaultMs
    }
  }
}
