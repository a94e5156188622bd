// The capacity advisor: what a cluster of so many members, over links that lose so much, with these knobs, can be expected to do. Formulas
// only, some tens of milliseconds, no simulation; `npm run bench:plan` puts the simulator's counts beside them. What each figure rests on
// stands in plan-probes.ts, plan-spread.ts, plan-detection.ts, plan-mistakes.ts and plan-traffic.ts; how far off they are, in docs/planning.md.
import { checkBoolean, checkKeys, checkNumber, checkObject, definedOnly } from '../base/check.ts'
import { OptionsError } from '../base/errors.ts'
import { type Profile, resolveSwimOptions, SWIM_OPTION_NAMES, type SwimOptions } from '../swim/options.ts'
import { MAX_META_BYTES } from '../wire/limits.ts'
import { detectionOf, suspicionTimes, type Times } from './plan-detection.ts'
import { mistakesOf } from './plan-mistakes.ts'
import { probeFigures, type Setting } from './plan-probes.ts'
import { allKnowChance, quantileMs, spreadOf } from './plan-spread.ts'
import { type Load, type StreamLoad, trafficOf } from './plan-traffic.ts'

/** The cluster to be planned. Every knob of the detector may stand beside these, as in the options of a member. */
export interface PlanOptions extends Partial<SwimOptions> {
  /** All of them healthy, ourselves included: 2 to 100,000. */
  readonly members: number
  /** Share of packets that vanish, each way, evenly and by chance: 0 to 0.5. Default 0. */
  readonly lossRatio?: number
  /** Defaults of the knobs. Default `lan`. */
  readonly profile?: Profile
  /** One way, mean; a round trip must fit the probe timeout. Default 0.5 (wan 50, local 0.05). */
  readonly latencyMs?: number
  /** Of a member's name, 1 to 128. Default 16. */
  readonly nameBytes?: number
  /** Of a member's tags, encoded, 0 to 512. Default 0. */
  readonly tagBytes?: number
  /** Default false. */
  readonly encrypted?: boolean
}

/** Figures of the long run. Times are virtual milliseconds: half are shorter than `p50Ms`, 99 of 100 shorter than `p99Ms`.
 *  A figure for which there is no formula is undefined, and `notes` says why. */
export interface ClusterPlan {
  /** The knobs as they are, complete. */
  readonly options: SwimOptions
  /** From a crash on. */
  readonly detection: {
    /** Until somebody declares the crashed member dead. SWIM §4.3, Lifeguard §IV-B. */
    readonly first: Times
    /** Until every other member holds it for dead. SWIM §4.1. */
    readonly all: Times | undefined
  }
  /** From a broadcast, as a user event, until the last member has it. SWIM §4.1; whom gossip misses hears in a full exchange. */
  readonly told: Times | undefined
  /** Milliseconds a suspicion lasts after 0, 1 ... confirmations. Lifeguard §IV-B, memberlist suspicion.go. */
  readonly suspicionMs: readonly number[]
  /** What packet loss alone makes healthy members believe of healthy members, in the whole cluster. */
  readonly mistakes: {
    /** Accusations; those that one denial answers count once. SWIM §3.1. */
    readonly suspicionsPerDay: number
    /** Times that somebody declares a healthy member dead. */
    readonly verdictsPerDay: number | undefined
    /** `member-dead` events of healthy members, over all observers. */
    readonly verdictsToldPerDay: number | undefined
    /** Local health, mean; 0 is healthy. Lifeguard §IV-A. */
    readonly health: number
  }
  /** Of one member, a second. Bytes are UDP's and TCP's payload, before compression, which makes them fewer. */
  readonly traffic: {
    /** Over UDP. */
    readonly sent: Load
    readonly received: Load
    /** Over TCP. */
    readonly streams: StreamLoad
  }
  /** What limits the figures, in sentences; empty where nothing does. */
  readonly notes: readonly string[]
}

const DEFAULT_LATENCY_MS: Readonly<Record<Profile, number>> = { lan: 0.5, wan: 50, local: 0.05 }
const DEFAULT_NAME_BYTES = 16
const MAX_NAME_BYTES = 128
const MAX_MEMBERS = 100_000
/** Beyond it the formulas are not checked, and no cluster is of use. */
const MAX_LOSS_RATIO = 0.5
/** Above this share of what gossip carries, news of suspicions stands in its own way. */
const MAX_GOSSIP_SHARE = 0.5
/** From here on the health of members, and with it their verdicts, are known within a factor only. */
const ROUGH_LOSS_RATIO = 0.3
const DAY_SECONDS = 86_400
const DAY_MS = 1000 * DAY_SECONDS
const OWN_OPTIONS = ['members', 'lossRatio', 'profile', 'latencyMs', 'nameBytes', 'tagBytes', 'encrypted']

/** What to expect of a cluster.
 *  @throws OptionsError naming the option, the value and the limit */
export function planCluster(given: PlanOptions): ClusterPlan {
  const { options, setting, sizes } = resolve(given)
  const probes = probeFigures(options, setting)
  const { pings, acks, indirectPings, relayed } = probes.packets
  const spread = spreadOf(options, setting, pings + acks + indirectPings + relayed)
  const mistakes = mistakesOf(options, setting, probes, spread)
  const { gossipShare, ...traffic } = trafficOf(options, setting, sizes, { probes, spread, mistakes })
  const isOverloaded = gossipShare > MAX_GOSSIP_SHARE
  const knows = (ms: number): number => allKnowChance(spread, options, setting, ms)
  const [p50Ms, p99Ms] = [quantileMs(knows, 0.5, DAY_MS), quantileMs(knows, 0.99, DAY_MS)]
  const isTold = !isOverloaded && p50Ms !== undefined && p99Ms !== undefined
  const detection = detectionOf(options, setting, probes, spread)
  return Object.freeze({
    options,
    detection: { first: detection.first, all: isOverloaded ? undefined : detection.all },
    told: isTold ? { p50Ms, p99Ms } : undefined,
    suspicionMs: suspicionTimes(options, setting.members),
    mistakes: {
      suspicionsPerDay: mistakes.suspicionsPerSecond * DAY_SECONDS,
      verdictsPerDay: isOverloaded ? undefined : mistakes.verdictsPerSecond * DAY_SECONDS,
      verdictsToldPerDay: isOverloaded ? undefined : mistakes.verdictsToldPerSecond * DAY_SECONDS,
      health: probes.health,
    },
    traffic,
    notes: notesOf(setting, gossipShare, isTold),
  })
}

function notesOf({ lossRatio }: Setting, gossipShare: number, isTold: boolean): readonly string[] {
  const notes: string[] = []
  if (gossipShare > MAX_GOSSIP_SHARE) {
    const percent = Math.round(100 * gossipShare)
    notes.push(
      `News of suspicions takes ${percent} % of what gossip carries: news gets lost, and there is no formula for how much.`,
    )
  } else if (!isTold) {
    notes.push('Gossip misses somebody too often, and there are no full exchanges to make up for it.')
  }
  if (lossRatio > ROUGH_LOSS_RATIO) notes.push('Above 30 % loss mistakes and traffic are known within a factor only.')
  return notes
}

function resolve(given: PlanOptions) {
  checkObject('options', given)
  checkKeys(given, [...OWN_OPTIONS, ...SWIM_OPTION_NAMES])
  const { profile = 'lan', ...known } = definedOnly(given)
  const options = resolveSwimOptions(profile, known)
  const { members, lossRatio = 0, latencyMs = DEFAULT_LATENCY_MS[profile] } = known
  const { nameBytes = DEFAULT_NAME_BYTES, tagBytes = 0, encrypted = false } = known
  checkNumber('members', members, { least: 2, most: MAX_MEMBERS })
  checkNumber('lossRatio', lossRatio, { least: 0, most: MAX_LOSS_RATIO, fraction: true })
  checkNumber('latencyMs', latencyMs, { least: 0, most: DAY_MS, fraction: true })
  checkNumber('nameBytes', nameBytes, { least: 1, most: MAX_NAME_BYTES })
  checkNumber('tagBytes', tagBytes, { least: 0, most: MAX_META_BYTES })
  checkBoolean('encrypted', encrypted)
  if (2 * latencyMs >= options.probeTimeoutMs) {
    const limit = `must be below half of probeTimeoutMs, which is ${options.probeTimeoutMs}`
    throw new OptionsError('latencyMs', latencyMs, limit)
  }
  const setting: Setting = { members, lossRatio, latencyMs }
  return { options, setting, sizes: { nameBytes, tagBytes, encrypted } }
}
