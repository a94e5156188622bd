// The knobs of the Serf layer: meaning, defaults, bounds. Source of the defaults: serf-behaviour §20.
import { checkBoolean, checkNumber, definedOnly, type NumberRule } from '../base/check.ts'
import { OptionsError } from '../base/errors.ts'
import { MAX_EVENT_BYTES } from '../wire/limits.ts'

/** Every knob, complete. Milliseconds are whole. */
export interface SerfOptions {
  /** How long a leave or a change of tags waits to be told before it goes on untold. 5000. */
  readonly broadcastTimeoutMs: number
  /** How long we stay to answer after the goodbye was told, so that it travels on. 1000. */
  readonly leavePropagateDelayMs: number
  /** How long an intent about a stranger is kept in case the stranger appears. 300 000. */
  readonly recentIntentTimeoutMs: number
  /** Time between two looks for members to be erased. 15 000. */
  readonly reapIntervalMs: number
  /** Time between two attempts to reach a dead member again, one of all at random; 0 turns them off. 30 000. */
  readonly reconnectIntervalMs: number
  /** How long a dead member stays in the list, and is tried again. 86 400 000: a day. */
  readonly reconnectTimeoutMs: number
  /** How long a member that left stays in the list. 86 400 000: a day. */
  readonly tombstoneTimeoutMs: number
  /** How long news of members may wait to be told together with others; 0 tells all at once. Beside `quiescentPeriodMs`. 0. */
  readonly coalescePeriodMs: number
  /** How long no other news of a member may come for what waits to be told earlier than that. 0. */
  readonly quiescentPeriodMs: number
  /** The same for user events that were sent with `coalesce`: of those of one name the newest are told. 0. */
  readonly userCoalescePeriodMs: number
  readonly userQuiescentPeriodMs: number
  /** The most a user event of ours may take on the wire. Others' may be larger. 512. */
  readonly userEventSizeLimit: number
  /** Broadcasts waiting in each of the three queues, of intents, queries and user events; beyond it those most often told are dropped. Of
   *  intents there may always be two a member. 4096. */
  readonly maxQueueDepth: number
  /** Where it is not 0, the queues hold this many, or two a member where that is more, and `maxQueueDepth` does not count. 0. */
  readonly minQueueDepth: number
  /** How many waiting in one queue are a warning. 128. */
  readonly queueDepthWarning: number
  /** Time between two looks at the depth of the queues. 30 000. */
  readonly queueCheckIntervalMs: number
  /** Rounds of gossip that a query lasts, for each digit of the number of members, where it says nothing itself. 16. */
  readonly queryTimeoutMult: number
  /** Bytes of an encoded query of ours. What no packet holds is refused all the same. 1024. */
  readonly querySizeLimit: number
  /** Bytes of an encoded response of ours, and of what a relay would carry. 1024. */
  readonly queryResponseSizeLimit: number
  /** When another member bears our name, ask all others, and close where more of them know the other one by it. true. */
  readonly resolveConflicts: boolean
  /** Tell with each ack where we are on the network, and learn it of others; without, no round trips are known. true. */
  readonly coordinates: boolean
}

const DAY_MS = 86_400_000

const DEFAULTS: SerfOptions = {
  broadcastTimeoutMs: 5000,
  leavePropagateDelayMs: 1000,
  recentIntentTimeoutMs: 300_000,
  reapIntervalMs: 15_000,
  reconnectIntervalMs: 30_000,
  reconnectTimeoutMs: DAY_MS,
  tombstoneTimeoutMs: DAY_MS,
  coalescePeriodMs: 0,
  quiescentPeriodMs: 0,
  userCoalescePeriodMs: 0,
  userQuiescentPeriodMs: 0,
  userEventSizeLimit: 512,
  maxQueueDepth: 4096,
  minQueueDepth: 0,
  queueDepthWarning: 128,
  queueCheckIntervalMs: 30_000,
  queryTimeoutMult: 16,
  querySizeLimit: 1024,
  queryResponseSizeLimit: 1024,
  resolveConflicts: true,
  coordinates: true,
}

/** The longest that news may be held back: an hour. */
const MAX_COALESCE_MS = 3_600_000

/** The longest queue one may ask for: at full packets, a gibibyte and a half. */
const MAX_DEPTH = 2 ** 20

/** The largest query or response one may ask for: below it, a datagram holds all that stands around it. */
const MAX_ANSWER_BYTES = 60_000

const RULES: Readonly<Record<Exclude<keyof SerfOptions, 'coordinates' | 'resolveConflicts'>, NumberRule>> = {
  broadcastTimeoutMs: { least: 1, most: DAY_MS },
  leavePropagateDelayMs: { least: 0, most: DAY_MS },
  recentIntentTimeoutMs: { least: 1, most: DAY_MS },
  reapIntervalMs: { least: 1, most: DAY_MS },
  reconnectIntervalMs: { least: 0, most: DAY_MS },
  reconnectTimeoutMs: { least: 1, most: 365 * DAY_MS },
  tombstoneTimeoutMs: { least: 1, most: 365 * DAY_MS },
  coalescePeriodMs: { least: 0, most: MAX_COALESCE_MS },
  quiescentPeriodMs: { least: 0, most: MAX_COALESCE_MS },
  userCoalescePeriodMs: { least: 0, most: MAX_COALESCE_MS },
  userQuiescentPeriodMs: { least: 0, most: MAX_COALESCE_MS },
  userEventSizeLimit: { least: 1, most: MAX_EVENT_BYTES },
  maxQueueDepth: { least: 1, most: MAX_DEPTH },
  minQueueDepth: { least: 0, most: MAX_DEPTH },
  queueDepthWarning: { least: 1, most: MAX_DEPTH },
  queueCheckIntervalMs: { least: 1, most: DAY_MS },
  queryTimeoutMult: { least: 1, most: 1000 },
  querySizeLimit: { least: 1, most: MAX_ANSWER_BYTES },
  queryResponseSizeLimit: { least: 1, most: MAX_ANSWER_BYTES },
}

/** The names of the knobs, for telling a known option from a misspelt one. */
export const SERF_OPTION_NAMES: readonly string[] = Object.freeze(Object.keys(DEFAULTS))

/** The defaults with the given knobs in their place, checked and frozen. Ignores keys that are not its own.
 *  @throws OptionsError naming the knob, the value and the limit */
export function resolveSerfOptions(given: Partial<SerfOptions>): SerfOptions {
  const known = Object.entries(definedOnly(given)).filter(([key]) => SERF_OPTION_NAMES.includes(key))
  const options: SerfOptions = { ...DEFAULTS, ...Object.fromEntries(known) }
  for (const [option, rule] of Object.entries(RULES)) checkNumber(option, options[option as keyof SerfOptions], rule)
  checkTogether(options, 'coalescePeriodMs', 'quiescentPeriodMs')
  checkTogether(options, 'userCoalescePeriodMs', 'userQuiescentPeriodMs')
  checkBoolean('coordinates', options.coordinates)
  checkBoolean('resolveConflicts', options.resolveConflicts)
  return Object.freeze(options)
}

/** Both or neither: Serf takes one alone for neither, which nobody can mean. */
function checkTogether(options: SerfOptions, period: keyof SerfOptions, quiescent: keyof SerfOptions): void {
  const isOn = (option: keyof SerfOptions): boolean => options[option] !== 0
  if (isOn(period) === isOn(quiescent)) return
  const [lacking, given] = isOn(period) ? [quiescent, period] : [period, quiescent]
  throw new OptionsError(
    lacking,
    options[lacking],
    `must not be 0 where ${given} is not: both hold news back, or neither`,
  )
}
