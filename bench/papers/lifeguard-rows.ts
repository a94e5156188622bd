// The configurations that Lifeguard's bench compares. What was published about them stands in published.ts.
import type { SimMemberOptions } from '../../src/sim/cluster.ts'
import { NO_RULES } from './support/rules.ts'

/** What all rows share: the paper's alpha and beta. K, the confirmations wanted, is alpha less two, so 3 as in the paper. Probes,
 *  gossip and the rest are our `lan`: probe 1 s / 500 ms, 3 helpers, gossip 200 ms to 3 members. */
export const COMMON: SimMemberOptions = { suspicionMult: 5, suspicionMaxTimeoutMult: 6 }

const NO_PROBE_HEALTH: SimMemberOptions = { awarenessMaxMultiplier: 1 }
const NO_LONG_SUSPICION: SimMemberOptions = { suspicionMaxTimeoutMult: 1 }
const NO_BUDDY: SimMemberOptions = { buddySystem: false }

/** Lifeguard with one rule of ours, by `lifeguard+rule`. */
const ALONE: Readonly<Record<string, SimMemberOptions>> = Object.fromEntries(
  Object.keys(NO_RULES).map((rule) => [`lifeguard+${rule}`, { ...NO_RULES, [rule]: true }]),
)

/** By name. `ours` is what this library does by default, but for alpha; `best`, chosen by what the cells of the grid and other one-way ones
 *  showed, and before the hold-out was run, is `lan` as it is; `lifeguard+…` has one rule of ours; the others none. */
export const CONFIGURATIONS: Readonly<Record<string, SimMemberOptions>> = {
  swim: { ...NO_PROBE_HEALTH, ...NO_LONG_SUSPICION, ...NO_BUDDY, ...NO_RULES },
  'lha-probe': { ...NO_LONG_SUSPICION, ...NO_BUDDY, ...NO_RULES },
  'lha-suspicion': { ...NO_PROBE_HEALTH, ...NO_BUDDY, ...NO_RULES },
  buddy: { ...NO_PROBE_HEALTH, ...NO_LONG_SUSPICION, ...NO_RULES },
  lifeguard: NO_RULES,
  ours: {},
  best: { suspicionMult: 4 },
  ...ALONE,
  'alpha-4': { ...NO_RULES, suspicionMult: 4 },
  'alpha-3': { ...NO_RULES, suspicionMult: 3 },
  'alpha-2': { ...NO_RULES, suspicionMult: 2 },
}

/** The paper's five. */
export const ROWS: readonly string[] = ['swim', 'lha-probe', 'lha-suspicion', 'buddy', 'lifeguard']

/** What each rule of ours does: none, each alone, those that are on by default, all. */
export const RULES: readonly string[] = ['lifeguard', ...Object.keys(ALONE), 'ours']

/** Those of the tuning curve, beside plain SWIM. */
export const TUNING: readonly string[] = ['swim', 'lifeguard', 'alpha-4', 'alpha-3', 'alpha-2']
