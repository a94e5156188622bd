// The real clock: performance.now and one setTimeout per wake-up. Knows nothing of what it wakes.
// Two faults of setTimeout are kept from the protocol: it may fire up to 1 ms before its time as performance.now counts,
// and it fires at once when asked for more than 2^31 - 1 ms.
import type { Clock } from '../driver/host.ts'

/** The longest delay setTimeout takes: a signed 32-bit number of milliseconds, about 24.8 days. */
const MAX_DELAY_MS = 0x7fff_ffff

/** Arms a one-shot timer of whole milliseconds and returns a function that disarms it. */
type ArmTimer = (delayMs: number, fire: () => void) => () => void

export const nodeClock: Clock = makeClock(() => performance.now(), armTimeout)

/** A clock that reads `now` and sleeps with `arm`. Never wakes before the time asked for: an early timer is armed again. */
export function makeClock(now: () => number, arm: ArmTimer): Clock {
  return { now, wakeAt }

  function wakeAt(at: number, wake: () => void): () => void {
    let disarm = armTowards()
    return () => disarm()

    function armTowards(): () => void {
      // Rounded up, so that the second arming is the exception and not the rule.
      const delayMs = Math.min(Math.max(Math.ceil(at - now()), 1), MAX_DELAY_MS)
      return arm(delayMs, () => {
        if (now() < at) disarm = armTowards()
        else wake()
      })
    }
  }
}

function armTimeout(delayMs: number, fire: () => void): () => void {
  const timer = setTimeout(fire, delayMs)
  return () => clearTimeout(timer)
}
