// How long until a crash is told: the first verdict anywhere, and the last member's. Formulas only.
//
//   each of n = N - 1 others comes to the victim at a time of its own, in a round robin of shuffled rounds (SWIM §4.3)
//   it accuses one probe later; the first verdict comes when the time of the first accusation is over (Lifeguard §IV-B), which the second and
//   the third accusation shorten: order statistics of n equal and independent times
//   accusation and verdict spread as news does; a member whose own time is over does not wait for the verdict
import { suspicionMinMs, suspicionTimeoutMs, wantedConfirmations } from '../swim/formulas.ts'
import type { SwimOptions } from '../swim/options.ts'
import { binomial, type ProbeFigures, type Setting } from './plan-probes.ts'
import { medianHearingMs, quantileMs, type Spread } from './plan-spread.ts'

/** Half of all times are shorter than the one, 99 of 100 than the other. */
export interface Times {
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Equally likely values that stand for a distribution. */
const LAG_SAMPLES = 40
/** A share of probes that moves no figure. */
const NEGLIGIBLE = 1e-9
/** Steps of the curve of those who know, in each time that it grows by e. */
const STEPS_PER_GROWTH = 50

/** Chance that a prober of `others` does not come to a certain one of them within so many probes, begun at any moment. In a round each is met
 *  once, at a place of its own: SWIM §4.3. With u = probes / others: 1 - u + u³/6 up to one round, (2 - u)³/6 up to two, then 0; less a little
 *  where a round is short. */
export function notProbed(probes: number, others: number): number {
  if (probes <= 0) return 1
  const whole = Math.floor(probes)
  const part = probes - whole
  return (1 - part) * missesWhole(whole, others) + part * missesWhole(whole + 1, others)
}

function missesWhole(probes: number, others: number): number {
  const cubes = 6 * others ** 3
  if (probes <= others) return 1 - probes / others + (probes ** 3 - probes) / cubes
  const left = 2 * others - probes
  return left <= 0 ? 0 : (left ** 3 - left) / cubes
}

/** Milliseconds that a suspicion lasts, after 0, 1 ... confirmations. */
export function suspicionTimes(options: SwimOptions, members: number): readonly number[] {
  const { suspicionMult, suspicionMaxTimeoutMult, probeIntervalMs } = options
  const minMs = suspicionMinMs(suspicionMult, members, probeIntervalMs)
  const wanted = wantedConfirmations(suspicionMult, members)
  return Array.from({ length: wanted + 1 }, (_, confirmations) =>
    suspicionTimeoutMs(confirmations, wanted, minMs, minMs * suspicionMaxTimeoutMult),
  )
}

/** Chance that somebody has declared the victim dead `ms` after its crash.
 *  @param confirmMs what a confirmation takes to reach the first accuser */
export function firstVerdictChance(
  options: SwimOptions,
  setting: Setting,
  probes: ProbeFigures,
  confirmMs: number,
): (ms: number) => number {
  const probers = setting.members - 1
  const times = suspicionTimes(options, setting.members)
  const everyMs = 1000 / probes.perSecond
  /** Chance that one prober has accused. */
  const accused = (ms: number): number => {
    let chance = 0
    for (const [health, share] of probes.healthShares.entries()) {
      if (share < NEGLIGIBLE) continue
      chance += share * (1 - notProbed((ms - options.probeIntervalMs * (health + 1)) / everyMs, probers))
    }
    return chance
  }
  return (ms) => {
    const confirmed = accused(ms - Math.min(confirmMs, times.at(-1) as number))
    const firstBy = times.map((lastsMs) => accused(ms - lastsMs))
    // No verdict: the first accusation came after all these times; or between two of them, with too few others for the later.
    let none = (1 - (firstBy.at(-1) as number)) ** probers
    for (let at = 0; at + 1 < times.length; at++) {
      const [after, before] = [firstBy[at] as number, firstBy[at + 1] as number]
      for (let accusers = 1; accusers <= Math.min(at + 1, probers); accusers++) {
        none += exactly(accusers, probers, after, confirmed) - exactly(accusers, probers, before, confirmed)
      }
    }
    return 1 - Math.max(0, Math.min(1, none))
  }
}

/** Chance that `count` of `of` fall between two points, none before the first and the others after the second. */
function exactly(count: number, of: number, from: number, to: number): number {
  if (to <= from) return 0
  const within = (to - from) / (1 - from)
  return (1 - from) ** of * binomial(of, count, within)
}

/** Milliseconds from the first verdict to the last member's, as equally likely values. */
export function lagValues({ growth, luck }: Spread, { members }: Setting): readonly number[] {
  const others = members - 1
  const stepMs = 1000 / (growth * STEPS_PER_GROWTH)
  // The curve with the luck of the beginning in it; the last one's luck is an exponent.
  const curves = luck.filter((_, at) => at % 4 === 0).map((value) => ignorantCurve(value, others))
  const knows = (ms: number): number => {
    const at = Math.floor(ms / stepMs)
    let chance = 0
    for (const curve of curves) chance += (1 - (curve[Math.min(at, curve.length - 1)] as number)) ** others
    return chance / curves.length
  }
  const mostMs = stepMs * Math.max(...curves.map((curve) => curve.length))
  return Array.from({ length: LAG_SAMPLES }, (_, at) => quantileMs(knows, (at + 0.5) / LAG_SAMPLES, mostMs) ?? mostMs)
}

/** The share that holds the victim for no dead yet, step by step: whoever heard the accusation so long ago has its own time over; the
 *  others hear from those. */
function ignorantCurve(luck: number, others: number): readonly number[] {
  const accused = luck / others
  let ignorant = 1
  const curve: number[] = []
  for (let step = 0; ignorant * others > 1e-5 && curve.length < 100 * STEPS_PER_GROWTH; step++) {
    curve.push(ignorant)
    const odds = accused * Math.exp(step / STEPS_PER_GROWTH)
    const own = odds / (1 + odds)
    const knowing = Math.max(own, 1 - ignorant)
    ignorant *= Math.exp(-(own + knowing) / STEPS_PER_GROWTH)
  }
  return curve
}

export interface Detection {
  /** From the crash to the first verdict anywhere. */
  readonly first: Times
  /** From the crash until every member holds it for dead. */
  readonly all: Times
}

export function detectionOf(options: SwimOptions, setting: Setting, probes: ProbeFigures, spread: Spread): Detection {
  const chance = firstVerdictChance(options, setting, probes, medianHearingMs(spread, setting))
  const rounds = (2 * setting.members * 1000) / probes.perSecond
  const mostMs =
    rounds +
    options.probeIntervalMs * options.awarenessMaxMultiplier +
    (suspicionTimes(options, setting.members)[0] as number)
  const lags = setting.members > 2 ? lagValues(spread, setting) : [0]
  const all = (ms: number): number => lags.reduce((sum, lag) => sum + chance(ms - lag), 0) / lags.length
  const timesOf = (knows: (ms: number) => number, bound: number): Times => ({
    p50Ms: quantileMs(knows, 0.5, bound) ?? bound,
    p99Ms: quantileMs(knows, 0.99, bound) ?? bound,
  })
  return { first: timesOf(chance, mostMs), all: timesOf(all, mostMs + (lags.at(-1) as number)) }
}
