// When a cluster agrees, and how long it may take to once nothing is broken any more. The bound is a sum of worst cases, each a formula of
// the members' options; where chance has a part, of what is exceeded once in a million. Reads members, changes none.
//
//   recover   a member whose health is worst probes that many times as seldom, and gets better by one with each probe (Lifeguard §IV-A)
//   detect    it probes somebody who is gone last of all (SWIM §4.3: 2N - 1 intervals), and nobody confirms its suspicion (Lifeguard §IV-B)
//   merge     parts of the cluster that hold each other for dead find each other by reaching for the dead (serf-behaviour §31), or by exchanges,
//             one a member and interval. A part of one tries in each interval, and meets one that runs with chance (running - 1) / (N - 1);
//             each of the p others tries it with chance 1 / p. So an interval fails with f = gone / (N - 1) * (1 - 1 / p)^p at most, and
//             log(risk) / log(f) of them are enough for every part to have met another; then there are half as many parts, at most.
//             Who came back and is held for left by those who knew it, or knows only others of that kind, asks its seeds (joining.ts).
//   exchange  one that was under way with somebody who is gone holds the next one up: to dial, to read, to answer
//   spread    gossip reaches all (SWIM §5: logarithmic); the last news is a denial of the last accusation: twice
import type { Membership } from '../membership.ts'
import type { MemberState } from '../serf/members.ts'
import type { SerfOptions } from '../serf/options.ts'
import { suspicionMinMs } from '../swim/formulas.ts'
import type { SwimOptions } from '../swim/options.ts'
import { logOf } from './arithmetic.ts'

const RISK = 1e-6
/** Seeds are asked again within so much, others in view or not; see joining.ts. */
const SEEDS_MS = 450_000
/** Dialling, reading, answering. */
const PHASES = 3
/** Rounds of gossip that leave nobody out, of the few members that are here, in all but one run of a million. */
const SPREAD_ROUNDS = 12

export interface AgreementSetup {
  readonly swim: SwimOptions
  readonly serf: SerfOptions
  /** All that ever were. */
  readonly members: number
  /** Those of them that run. */
  readonly running: number
  /** Somebody came back by its seeds, or was declared to have left: it may be that nobody reaches for it. */
  readonly asksSeeds: boolean
}

/** Milliseconds within which all that run agree once all faults are over. */
export function agreeWithinMs({ swim, serf, members, running, asksSeeds }: AgreementSetup): number {
  const { probeIntervalMs, awarenessMaxMultiplier, suspicionMult, suspicionMaxTimeoutMult } = swim
  const recoverMs = (probeIntervalMs * awarenessMaxMultiplier * (awarenessMaxMultiplier + 1)) / 2
  const detectMs =
    2 * members * probeIntervalMs + suspicionMaxTimeoutMult * suspicionMinMs(suspicionMult, members, probeIntervalMs)
  const intervalMs = Math.max(serf.reconnectIntervalMs, swim.pushPullIntervalMs)
  const mergeMs = Math.max(intervalMs * mergingRounds(members, running), asksSeeds ? SEEDS_MS : 0)
  const exchangeMs = PHASES * swim.streamTimeoutMs
  const spreadMs = 2 * SPREAD_ROUNDS * swim.gossipIntervalMs
  return recoverMs + detectMs + mergeMs + exchangeMs + spreadMs
}

/** Intervals until parts that hold each other for dead have all met, but in one run of a million. */
function mergingRounds(members: number, running: number): number {
  if (running < 2) return 1
  const others = running - 1
  let fails = (members - running) / (members - 1)
  for (let tried = 0; tried < others; tried++) fails *= 1 - 1 / others
  const rounds = fails === 0 ? 1 : Math.ceil(logOf(RISK) / logOf(fails))
  let stages = 1
  while (2 ** stages < running) stages++
  return rounds * stages
}

/** Who does not agree yet, in words, or `undefined` where every one of `running` holds every one of them for alive, with the tags and the
 *  incarnation that it has, and nobody else for a member still; and where who is gone is dead to all that remember it, or left to all. */
export function disagreement(running: ReadonlyMap<string, Membership>): string | undefined {
  const gone = new Map<string, MemberState>()
  for (const [observer, membership] of running) {
    let alive = 0
    for (const { name, state, incarnation, rawTags } of membership.members()) {
      const truth = running.get(name)?.local
      if (truth === undefined) {
        if (state !== 'dead' && state !== 'left') return `${observer} holds ${name}, which is gone, for ${state}`
        const elsewhere = gone.get(name) ?? state
        if (state !== elsewhere) return `${observer} holds ${name} for ${state}, and another for ${elsewhere}`
        gone.set(name, state)
        continue
      }
      if (state !== 'alive') return `${observer} holds ${name} for ${state}`
      if (incarnation !== truth.incarnation) {
        return `${observer} holds ${name} at incarnation ${incarnation}, and it is at ${truth.incarnation}`
      }
      if (!haveSameTags(rawTags, truth.rawTags)) return `${observer} holds other tags for those of ${name}`
      alive++
    }
    if (alive !== running.size) return `${observer} knows ${alive} of ${running.size}`
  }
  return undefined
}

function haveSameTags(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  if (left === right) return true
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
}
