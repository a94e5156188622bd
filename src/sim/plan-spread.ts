// How soon all know what one member tells: an epidemic of pushes (SWIM §4.1; Bailey 1957; Demers et al. 1987). Formulas only.
//
//   one that knows tells c others a second: the fan-out each gossip interval, and one with each packet of a probe
//   the share that knows grows as x / (1 - x) = (W / N) e^(βt), where β = c q e^(-β · latency), and W is the luck of the beginning:
//   the first waits up to a gossip interval, and then tells a whole fan-out at once
//   each is missed by all gossip with the chance (1 - q f / (N - 1))^(N · transmits / f): who is, waits for a full exchange
import { pushPullIntervalMs, retransmitLimit } from '../swim/formulas.ts'
import type { SwimOptions } from '../swim/options.ts'
import type { Setting } from './plan-probes.ts'

export interface Spread {
  /** Growth a second, at first, of the number of those who know. */
  readonly growth: number
  /** Chance that gossip misses a certain member for good. */
  readonly missed: number
  /** W, as equally likely values. */
  readonly luck: readonly number[]
}

/** Midpoints of twelve equal shares of the normal distribution, the positive ones. */
const NORMAL_MIDPOINTS = [0.1046, 0.3186, 0.5485, 0.8122, 1.1503, 1.7317]
const START_SHARES = 8
const NEWTON_STEPS = 20
/** Of a search for a quantile. */
const HALVINGS = 32

/** @param piggybacksPerSecond packets that a member sends in any case, to anybody */
export function spreadOf(options: SwimOptions, setting: Setting, piggybacksPerSecond: number): Spread {
  const { members, lossRatio, latencyMs } = setting
  const arrives = 1 - lossRatio
  const fanout = fanoutOf(options, members)
  const gossiped = options.gossipIntervalMs === 0 ? 0 : (fanout * 1000) / options.gossipIntervalMs
  const contacts = arrives * (gossiped + piggybacksPerSecond)
  let growth = contacts
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const delayed = contacts * Math.exp((-growth * latencyMs) / 1000)
    growth += (delayed - growth) / (1 + (delayed * latencyMs) / 1000)
  }
  return { growth, missed: missedChance(options, setting), luck: luckOf(arrives, gossiped > 0 ? fanout : 0) }
}

/** Chance that a time of `ms` is enough for all to know by gossip, and by full exchanges whoever gossip misses. */
export function allKnowChance(spread: Spread, options: SwimOptions, { members }: Setting, ms: number): number {
  if (members < 2) return 1
  const others = members - 1
  let chance = 0
  for (const luck of spread.luck) {
    const ignorant = 1 / (1 + (luck / others) * Math.exp((spread.growth * ms) / 1000))
    chance += (1 - ignorant) ** others / spread.luck.length
  }
  return chance * (1 - spread.missed * waitsForExchange(options, members, ms)) ** others
}

/** Chance that a member begins no full exchange in `ms`, and nobody begins one with it. */
export function waitsForExchange(options: SwimOptions, members: number, ms: number): number {
  if (options.pushPullIntervalMs === 0) return 1
  const periods = ms / pushPullIntervalMs(options.pushPullIntervalMs, members)
  return Math.max(0, 1 - periods) * Math.exp(-periods)
}

/** Milliseconds until half of those that hear by gossip have heard. */
export function medianHearingMs({ growth, luck }: Spread, { members }: Setting): number {
  const meanLog = luck.reduce((sum, value) => sum + Math.log(value), 0) / luck.length
  return (Math.max(0, Math.log(Math.max(1, members - 1)) - meanLog) / growth) * 1000
}

/** The time at which `chance` reaches `share`: it must not fall. Undefined where it stays below for `mostMs`. */
export function quantileMs(chance: (ms: number) => number, share: number, mostMs: number): number | undefined {
  if (chance(mostMs) < share) return undefined
  let [low, high] = [0, mostMs]
  for (let step = 0; step < HALVINGS; step++) {
    const middle = (low + high) / 2
    if (chance(middle) < share) low = middle
    else high = middle
  }
  return high
}

export function fanoutOf({ gossipFanout }: SwimOptions, members: number): number {
  return Math.max(0, Math.min(gossipFanout, members - 1))
}

/** How all that know miss one: each tells whole fan-outs of different members, and a part of one at the end. */
function missedChance(options: SwimOptions, { members, lossRatio }: Setting): number {
  const limit = retransmitLimit(options.retransmitMult, members)
  const [arrives, others] = [1 - lossRatio, members - 1]
  const fanout = fanoutOf(options, members)
  if (others < 1) return 0
  const batch = options.gossipIntervalMs === 0 ? 1 : fanout
  const whole = Math.floor(limit / batch)
  const byOne = (1 - (arrives * batch) / others) ** whole * (1 - (arrives * (limit % batch)) / others)
  let missed = 0
  for (let step = 0; step < NEWTON_STEPS; step++) missed = byOne ** (others * (1 - missed))
  return missed
}

/** W = e^(-ρu) · Gamma, u evenly from 0 to 1: the first waits for its tick; the two moments of what follows are those of an age-dependent
 *  branching process of Binomial(fanout, q) at each tick. ρ = fanout · q. */
function luckOf(arrives: number, fanout: number): readonly number[] {
  const rho = fanout * arrives
  if (rho === 0) return gammaValues(1, 1)
  const mean = rho / (1 - Math.exp(-rho))
  const second = ((rho / Math.tanh(rho / 2) - arrives) * 2 * rho) / (1 - Math.exp(-2 * rho))
  const values = gammaValues(mean ** 2 / Math.max(1e-6, second - mean ** 2), mean)
  const waits = Array.from({ length: START_SHARES }, (_, at) => Math.exp((-rho * (at + 0.5)) / START_SHARES))
  return waits.flatMap((wait) => values.map((value) => value * wait))
}

/** Equally likely values of a Gamma distribution (Wilson, Hilferty 1931). */
function gammaValues(shape: number, mean: number): readonly number[] {
  const normal = [...NORMAL_MIDPOINTS.toReversed().map((value) => -value), ...NORMAL_MIDPOINTS]
  return normal.map((value) => mean * Math.max(0.01, 1 - 1 / (9 * shape) + value / (3 * Math.sqrt(shape))) ** 3)
}
