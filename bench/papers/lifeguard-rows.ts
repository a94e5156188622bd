// The configurations that are compared, and what was published about them. Published figures are those of Dadgar, Phillips, Currey:
// "Lifeguard: Local Health Awareness for More Accurate Failure Detection" (arXiv 1707.00788), as read from two of its tables and one
// of its figures, and of the figure in HashiCorp's blog "Making Gossip More Robust with Lifeguard" (read off by eye, about 5 %).
import type { SimMemberOptions } from '../../src/sim/cluster.ts'
import { PROFILES } from '../../src/swim/options.ts'

/** What all rows share: the paper's alpha and beta. K, the confirmations wanted, is alpha less two, so 3 as in the paper. Probes,
 *  gossip and the rest are our `lan`: probe 1 s / 500 ms, 3 helpers, gossip 200 ms to 3 members. */
export const COMMON: SimMemberOptions = { suspicionMult: 5, suspicionMaxTimeoutMult: 6 }

const NO_PROBE_HEALTH: SimMemberOptions = { awarenessMaxMultiplier: 1 }
const NO_LONG_SUSPICION: SimMemberOptions = { suspicionMaxTimeoutMult: 1 }
const NO_BUDDY: SimMemberOptions = { buddySystem: false }
/** What members do that is on or off and that the paper has too, or takes no notice of. */
const NOT_OURS = new Set(['streamPings', 'buddySystem'])
/** Every rule of ours that the paper has not, switched off: the sources say which there are. */
const NO_RULES: SimMemberOptions = Object.fromEntries(
  Object.entries(PROFILES.lan)
    .filter(([name, value]) => typeof value === 'boolean' && !NOT_OURS.has(name))
    .map(([name]) => [name, false]),
)

/** Lifeguard with one rule of ours, by `lifeguard+rule`. */
const ALONE: Readonly<Record<string, SimMemberOptions>> = Object.fromEntries(
  Object.keys(NO_RULES).map((rule) => [`lifeguard+${rule}`, { ...NO_RULES, [rule]: true }]),
)

/** By name. `ours` is what this library does by default, but for alpha; `all` has every rule of ours; `lifeguard+…` one; the others none. */
export const CONFIGURATIONS: Readonly<Record<string, SimMemberOptions>> = {
  swim: { ...NO_PROBE_HEALTH, ...NO_LONG_SUSPICION, ...NO_BUDDY, ...NO_RULES },
  'lha-probe': { ...NO_LONG_SUSPICION, ...NO_BUDDY, ...NO_RULES },
  'lha-suspicion': { ...NO_PROBE_HEALTH, ...NO_BUDDY, ...NO_RULES },
  buddy: { ...NO_PROBE_HEALTH, ...NO_LONG_SUSPICION, ...NO_RULES },
  lifeguard: NO_RULES,
  ours: {},
  all: Object.fromEntries(Object.keys(NO_RULES).map((rule) => [rule, true])),
  ...ALONE,
  'alpha-4': { ...NO_RULES, suspicionMult: 4 },
  'alpha-3': { ...NO_RULES, suspicionMult: 3 },
  'alpha-2': { ...NO_RULES, suspicionMult: 2 },
}

/** The paper's five. */
export const ROWS: readonly string[] = ['swim', 'lha-probe', 'lha-suspicion', 'buddy', 'lifeguard']

/** What each rule of ours does: none, each alone, those that are on by default, all. */
export const RULES: readonly string[] = ['lifeguard', ...Object.keys(ALONE), 'ours', 'all']

/** Those of the tuning curve, beside plain SWIM. */
export const TUNING: readonly string[] = ['swim', 'lifeguard', 'alpha-4', 'alpha-3', 'alpha-2']

/** Per cent of SWIM. */
export interface PublishedRow {
  readonly falseAll: number
  readonly falseHealthy: number
  readonly messages: number
  readonly bytes: number
}

/** Tables of false positives and message load, Interval experiment. */
export const PUBLISHED_ROWS: Readonly<Record<string, PublishedRow>> = {
  swim: { falseAll: 100, falseHealthy: 100, messages: 100, bytes: 100 },
  'lha-probe': { falseAll: 67.72, falseHealthy: 32.88, messages: 98.46, bytes: 90.03 },
  'lha-suspicion': { falseAll: 3, falseHealthy: 6.71, messages: 111.31, bytes: 106.52 },
  buddy: { falseAll: 94.08, falseHealthy: 44.57, messages: 100.07, bytes: 99.01 },
  lifeguard: { falseAll: 1.53, falseHealthy: 1.89, messages: 110.59, bytes: 97.97 },
}

/** Per cent of SWIM at alpha 5: median time until all know, false positives. */
export const PUBLISHED_TUNING: Readonly<Record<string, { readonly median: number; readonly falseAll: number }>> = {
  swim: { median: 100, falseAll: 100 },
  lifeguard: { median: 100, falseAll: 2 },
  'alpha-4': { median: 84.5, falseAll: 5 },
  'alpha-2': { median: 57, falseAll: 14 },
}

/** Fig. 2: false positives in all, by members with an anomaly at once, of 128; coarse. */
export const PUBLISHED_BY_SICK: Readonly<Record<number, { readonly swim: number; readonly lifeguard: number }>> = {
  1: { swim: 900, lifeguard: 18 },
  4: { swim: 6_000, lifeguard: 140 },
  8: { swim: 11_000, lifeguard: 110 },
  12: { swim: 23_000, lifeguard: 220 },
  16: { swim: 34_000, lifeguard: 570 },
  20: { swim: 45_000, lifeguard: 740 },
  24: { swim: 58_000, lifeguard: 840 },
  28: { swim: 76_000, lifeguard: 1_300 },
  32: { swim: 81_000, lifeguard: 1_200 },
}
