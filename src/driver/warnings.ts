// Telling a person about trouble without drowning them: a kind of warning is told at once, then at most once an interval,
// with a count of those held back in between. The kinds are a closed list, so the memory is bounded.
import { printable } from '../base/printable.ts'
import type { SerfWarning } from '../serf/notices.ts'

/** What can go wrong around the protocol, beside what the protocol itself warns of. */
export type WarningCode =
  | SerfWarning
  | 'source-refused'
  | 'packet-invalid'
  | 'packet-undecryptable'
  | 'packet-unsent'
  | 'stream-invalid'
  | 'stream-limit'
  | 'join-failed'
  | 'tags-invalid'
  | 'advertise-guess'
  | 'snapshot-failed'
  | 'snapshot-invalid'
  | 'unencrypted-public'

export interface WarningNotice {
  readonly type: 'warning'
  readonly code: WarningCode
  readonly message: string
  /** Warnings of this code held back since the last one told. */
  readonly suppressed: number
}

/** Messages quote what strangers wrote: a name may fill a datagram, and hold line ends. */
const MAX_MESSAGE_LENGTH = 500

/** Time between two warnings of one code. */
export const WARNING_INTERVAL_MS = 10_000

/** Rates by code, and totals for `stats()`. */
export class Warnings {
  readonly #told = new Map<WarningCode, { at: number; suppressed: number; total: number }>()

  /** The warning to tell, or `undefined` where it is held back. */
  offer(code: WarningCode, message: string, now: number): WarningNotice | undefined {
    const known = this.#told.get(code)
    if (known !== undefined && now - known.at < WARNING_INTERVAL_MS) {
      known.suppressed++
      known.total++
      return undefined
    }
    this.#told.set(code, { at: now, suppressed: 0, total: (known?.total ?? 0) + 1 })
    const told = printable(message.slice(0, MAX_MESSAGE_LENGTH)).slice(0, MAX_MESSAGE_LENGTH)
    return { type: 'warning', code, message: told, suppressed: known?.suppressed ?? 0 }
  }

  /** How often each code came up, told or held back. */
  totals(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#told].map(([code, { total }]) => [code, total]))
  }
}
