// How often healthy members are accused because packets get lost, and how often one is declared dead. Formulas only.
//
//   accused: each failed probe accuses, but for those that end while the last accusation is still being denied
//   denied: the refutation spreads as all news does; gossip misses each observer with a small chance, and that one goes on suspecting
//   dead: such an observer hears nothing of it in a full exchange (SWIM's anti-entropy, memberlist's push/pull) until its suspicion is over.
//     The next accusation of the same member is a confirmation to it (Lifeguard §IV-B), and may end the suspicion at once, before the next
//     refutation comes: then half of the members hear of the verdict before they hear the refutation.

import type { SwimOptions } from '../swim/options.ts'
import { suspicionTimes } from './plan-detection.ts'
import type { ProbeFigures, Setting } from './plan-probes.ts'
import { medianHearingMs, type Spread, waitsForExchange } from './plan-spread.ts'

export interface Mistakes {
  /** Accusations of healthy members, those of one member that it denies together counting once; in the cluster, a second. */
  readonly suspicionsPerSecond: number
  /** Of them, those that end in a verdict of somebody. */
  readonly verdictsPerSecond: number
  /** How many members tell their users of it, all verdicts together. */
  readonly verdictsToldPerSecond: number
}

const STEPS = 400
/** Verdict and refutation start together, from two places: each member hears the one or the other first. */
const HEARS_VERDICT_FIRST = 1 / 2

export function mistakesOf(options: SwimOptions, setting: Setting, probes: ProbeFigures, spread: Spread): Mistakes {
  const { members } = setting
  if (members < 2 || probes.failChance === 0) {
    return { suspicionsPerSecond: 0, verdictsPerSecond: 0, verdictsToldPerSecond: 0 }
  }
  // A member is probed as often as it probes.
  const accusations = probes.failChance * probes.perSecond
  const hearingMs = medianHearingMs(spread, setting)
  const blindMs = 2 * hearingMs + options.probeIntervalMs
  const perMember = accusations / (1 + (accusations * blindMs) / 1000)
  const { lonely, followed } = endings({
    times: suspicionTimes(options, members),
    accusations: perMember / 1000,
    echoes: (accusations / 1000) * (1 / (members - 1) + spread.missed),
    deniedMs: 2 * hearingMs,
    missed: spread.missed,
    waits: (ms) => waitsForExchange(options, members, ms),
  })
  const suspicionsPerSecond = members * perMember
  const stuck = suspicionsPerSecond * (members - 1) * spread.missed
  return {
    suspicionsPerSecond,
    verdictsPerSecond: stuck * (lonely + followed),
    verdictsToldPerSecond: stuck * (lonely + followed * (1 + (members - 2) * HEARS_VERDICT_FIRST)),
  }
}

/** What a member knows of an accusation whose refutation it has missed. */
interface Missed {
  /** Milliseconds a suspicion lasts, after 0, 1 ... confirmations. */
  readonly times: readonly number[]
  /** Of the same member, a millisecond. */
  readonly accusations: number
  /** Those of the same member, a millisecond, that bring no new refutation: its own, and of others that have missed it too. */
  readonly echoes: number
  /** Until an accusation is denied; a second one in that time confirms it. */
  readonly deniedMs: number
  readonly missed: number
  /** Chance that no full exchange has come. */
  readonly waits: (ms: number) => number
}

/** How such a suspicion ends: dead by the end of its time or by an echo; dead by accusations that are new; else it is healed. */
function endings(what: Missed): { readonly lonely: number; readonly followed: number } {
  const { times, accusations, echoes, deniedMs, missed, waits } = what
  const wanted = times.length - 1
  const stepMs = (times[0] as number) / STEPS
  // By confirmations: the last holds all that have as many as are wanted.
  let open = times.map((_, count) =>
    count === wanted ? atLeast(count, accusations * deniedMs) : poisson(count, accusations * deniedMs),
  )
  let [lonely, followed] = [0, 0]
  for (let step = 0; step < STEPS; step++) {
    const ms = (step + 0.5) * stepMs
    const next = times.map(() => 0)
    const add = (count: number, share: number): void => {
      const at = Math.min(count, wanted)
      next[at] = (next[at] as number) + share
    }
    const exchanged = waits(ms + stepMs / 2) / Math.max(Number.MIN_VALUE, waits(ms - stepMs / 2))
    for (const [count, whole] of open.entries()) {
      const share = whole * Math.min(1, exchanged)
      const [accused, echoed] = [accusations * stepMs, echoes * stepMs].map((mean) => share * Math.min(1, mean)) as [
        number,
        number,
      ]
      const enough = times.findIndex((lastsMs) => lastsMs <= ms)
      if (enough >= 0 && count >= enough) {
        lonely += share
        continue
      }
      // What it hears next ends it before the denial comes.
      const needed = times.findIndex((lastsMs) => lastsMs <= ms + deniedMs)
      const ends = needed < 0 ? 0 : accused * atLeast(needed - count - 1, accusations * deniedMs)
      followed += ends
      add(count + 1, echoed + (accused - ends) * missed)
      add(count, Math.max(0, share - echoed - accused))
    }
    open = next
  }
  return { lonely: lonely + open.reduce((sum, share) => sum + share, 0), followed }
}

/** P(X = count), X being Poisson. */
function poisson(count: number, mean: number): number {
  let term = Math.exp(-mean)
  for (let at = 1; at <= count; at++) term *= mean / at
  return term
}

/** P(X >= count). */
function atLeast(count: number, mean: number): number {
  let fewer = 0
  for (let at = 0; at < count; at++) fewer += poisson(at, mean)
  return 1 - fewer
}
