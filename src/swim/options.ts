// The knobs of the SWIM machine: meaning, defaults of the three profiles, bounds, relations.
// Source of the defaults: serf-behaviour §1 (memberlist's DefaultLANConfig, DefaultWANConfig, DefaultLocalConfig).
import { checkBoolean, checkNumber, definedOnly, type NumberRule } from '../base/check.ts'
import { OptionsError } from '../base/errors.ts'
import { MAX_PACKET_BYTES } from '../wire/limits.ts'

/** Every knob, complete. Milliseconds are whole. */
export interface SwimOptions {
  /** Time between two probes. Lower finds failures sooner and costs packets in proportion. 1000 (wan 5000). */
  readonly probeIntervalMs: number
  /** Time to wait for a direct ack before asking others; keep it above the 99th percentile of round trips. 500 (wan 3000, local 200). */
  readonly probeTimeoutMs: number
  /** Members asked to ping on our behalf. More tolerate more loss. 3 (local 1). */
  readonly indirectChecks: number
  /** Fall back to a ping over TCP beside the indirect ones. true. */
  readonly streamPings: boolean
  /** Tell a suspect that it stands accused in the packet that pings it. Lifeguard §IV-C. true. */
  readonly buddySystem: boolean
  /** Hold time in which we stood still against nobody: read first, judge then (driver/catch-up.ts). false: as memberlist. true. */
  readonly stallRule: boolean
  /** Ask a member that is well to us whether it is dead, before we believe another's verdict (verdict-checks.ts). true. */
  readonly verdictChecks: boolean
  /** Tell a suspect whom too few others accuse once more, shortly before our verdict (last-ping.ts). true. */
  readonly lastPings: boolean
  /** Local health is at most this minus one; the probe interval stretches by health plus one. Lifeguard §IV-A. 8. */
  readonly awarenessMaxMultiplier: number
  /** A suspicion lasts at least this times log10(N) probe intervals. 4 (wan 6, local 3). */
  readonly suspicionMult: number
  /** An unconfirmed suspicion lasts this many times longer. Lifeguard §IV-B. 6. */
  readonly suspicionMaxTimeoutMult: number
  /** Time between two rounds of gossip; 0 turns gossip off. 200 (wan 500, local 100). */
  readonly gossipIntervalMs: number
  /** Members told in a round. 3 (wan 4). */
  readonly gossipFanout: number
  /** How long the dead are still gossiped to, so that they can refute, and remembered. 30 000 (wan 60 000, local 15 000). */
  readonly gossipToTheDeadMs: number
  /** A broadcast is sent this times ceil(log10(N + 1)) times. 4 (local 2). */
  readonly retransmitMult: number
  /** Time between two full exchanges with a random member, stretched above 32 members; 0 turns them off. 30 000 (wan 60 000, local 15 000). */
  readonly pushPullIntervalMs: number
  /** Limit of each phase of a stream: dialling, reading, answering. 10 000 (wan 30 000, local 1000). */
  readonly streamTimeoutMs: number
  /** How long a member must be dead before another address may take its name; 0: only once it is forgotten. As `gossipToTheDeadMs`. */
  readonly reclaimAfterMs: number
  /** The largest datagram sent, everything included. 1400. */
  readonly maxPacketBytes: number
}

/** A set of defaults for a kind of network. */
export type Profile = 'lan' | 'wan' | 'local'

const LAN: SwimOptions = {
  probeIntervalMs: 1000,
  probeTimeoutMs: 500,
  indirectChecks: 3,
  streamPings: true,
  buddySystem: true,
  stallRule: true,
  verdictChecks: true,
  lastPings: true,
  awarenessMaxMultiplier: 8,
  suspicionMult: 4,
  suspicionMaxTimeoutMult: 6,
  gossipIntervalMs: 200,
  gossipFanout: 3,
  gossipToTheDeadMs: 30_000,
  retransmitMult: 4,
  pushPullIntervalMs: 30_000,
  streamTimeoutMs: 10_000,
  reclaimAfterMs: 30_000,
  maxPacketBytes: MAX_PACKET_BYTES,
}

/** The defaults by profile: one network, the open internet, one machine. */
export const PROFILES: Readonly<Record<Profile, SwimOptions>> = Object.freeze({
  lan: Object.freeze(LAN),
  wan: Object.freeze({
    ...LAN,
    probeIntervalMs: 5000,
    probeTimeoutMs: 3000,
    suspicionMult: 6,
    gossipIntervalMs: 500,
    gossipFanout: 4,
    gossipToTheDeadMs: 60_000,
    reclaimAfterMs: 60_000,
    pushPullIntervalMs: 60_000,
    streamTimeoutMs: 30_000,
  }),
  local: Object.freeze({
    ...LAN,
    probeTimeoutMs: 200,
    indirectChecks: 1,
    suspicionMult: 3,
    gossipIntervalMs: 100,
    gossipToTheDeadMs: 15_000,
    reclaimAfterMs: 15_000,
    retransmitMult: 2,
    pushPullIntervalMs: 15_000,
    streamTimeoutMs: 1000,
  }),
})

const DAY_MS = 86_400_000

/** Knobs that are on or off. */
const SWITCHES = [
  'streamPings',
  'buddySystem',
  'stallRule',
  'verdictChecks',
  'lastPings',
] as const satisfies readonly (keyof SwimOptions)[]

type Switch = (typeof SWITCHES)[number]

/** Bounds: below, the protocol cannot work or floods; above, it is a mistake in units. */
const RULES: Readonly<Record<Exclude<keyof SwimOptions, Switch>, NumberRule>> = {
  probeIntervalMs: { least: 10, most: DAY_MS },
  probeTimeoutMs: { least: 1, most: DAY_MS },
  indirectChecks: { least: 0, most: 64 },
  awarenessMaxMultiplier: { least: 1, most: 64 },
  suspicionMult: { least: 1, most: 100 },
  suspicionMaxTimeoutMult: { least: 1, most: 100 },
  gossipIntervalMs: { least: 0, most: DAY_MS },
  gossipFanout: { least: 1, most: 64 },
  gossipToTheDeadMs: { least: 0, most: DAY_MS },
  retransmitMult: { least: 1, most: 64 },
  pushPullIntervalMs: { least: 0, most: DAY_MS },
  streamTimeoutMs: { least: 10, most: DAY_MS },
  reclaimAfterMs: { least: 0, most: DAY_MS },
  // 576 is what every IPv4 host accepts (RFC 791), less headers; an alive claim with full metadata needs about 640.
  maxPacketBytes: { least: 800, most: 65_507 },
}

/** The names of the knobs, for telling a known option from a misspelt one. */
export const SWIM_OPTION_NAMES: readonly string[] = Object.freeze(Object.keys(LAN))

/** The profile's defaults with the given knobs in their place, checked and frozen. Ignores keys that are not its own.
 *  @throws OptionsError naming the knob, the value and the limit */
export function resolveSwimOptions(profile: Profile, given: Partial<SwimOptions>): SwimOptions {
  if (!Object.hasOwn(PROFILES, profile)) throw new OptionsError('profile', profile, "must be 'lan', 'wan' or 'local'")
  const known = Object.entries(definedOnly(given)).filter(([key]) => SWIM_OPTION_NAMES.includes(key))
  const asked: Partial<SwimOptions> = Object.fromEntries(known)
  const { gossipToTheDeadMs } = asked
  // A dead member can deny it while it is told of it. Differs: memberlist keeps its name for it until it is forgotten.
  const reclaiming = gossipToTheDeadMs === undefined ? {} : { reclaimAfterMs: Math.max(1, gossipToTheDeadMs) }
  const options: SwimOptions = { ...PROFILES[profile], ...reclaiming, ...asked }
  for (const [option, rule] of Object.entries(RULES)) checkNumber(option, options[option as keyof SwimOptions], rule)
  for (const option of SWITCHES) checkBoolean(option, options[option])
  if (options.probeTimeoutMs >= options.probeIntervalMs) {
    throw new OptionsError(
      'probeTimeoutMs',
      options.probeTimeoutMs,
      `must be below probeIntervalMs, which is ${options.probeIntervalMs}`,
    )
  }
  return Object.freeze(options)
}
