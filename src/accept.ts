// The user's `accept` as the protocol may ask it: always answered, never thrown out of, and nothing is changed meanwhile.
// Which claims it is asked about, and how often, is serf/acceptance.ts's.
import { OptionsError } from './base/errors.ts'
import type { Driver } from './driver/driver.ts'
import type { Host } from './driver/host.ts'
import type { Member } from './serf/members.ts'

/** Whether to take a member in, as it would be. Asked in the middle of things: answers at once, and changes nothing here. */
export type Accept<Tags = undefined> = (member: Member<Tags>) => boolean

/** A question to the user's function. Where that throws, or answers with anything but true or false, the answer is no, and the
 *  error surfaces as an uncaught exception of the host, in a turn of its own. */
export function acceptOf<Tags>(
  accept: Accept<Tags>,
  driver: Pick<Driver, 'ask'>,
  host: Pick<Host, 'defer'>,
): Accept<unknown> {
  return (member) => {
    try {
      const answer: unknown = driver.ask('accept', accept as Accept<unknown>, member)
      if (typeof answer === 'boolean') return answer
      throw new OptionsError('accept', accept, `must answer true or false at once; for ${member.name} it did not`)
    } catch (error) {
      host.defer(() => {
        throw error
      })
      return false
    }
  }
}
