// How long a detector of this design may take, from published formulas alone: nothing here is read off a run or out of `src`.
//
// A crash is known to all after: enough members have probed the victim in vain, their accusations have spread, and the suspicion
// has lasted. At lan and N = 50:
//   - A prober accuses one probe interval P after it began to probe (SWIM §3.1; P = 1 s). It meets the victim once in N - 1
//     periods on average, in 2N - 1 at worst (round robin, SWIM §4.3). All N - 1 probe independently, so within t periods each
//     has met it with p = 1 - (1 - 1/(N-1))^t at least, and the number who have is binomial. Worst cases of all probers at once
//     (99 s) have no weight: we take the t that is exceeded in one run of a million.
//   - The suspicion lasts min = 4 * log10(N) * P (6.8 s) from the first accusation when two more accuse, else up to 6 * min
//     (Lifeguard §IV-B). So all is over `min` after the first accusation or with the third, whichever is later.
//   - Gossip to 3 members every 200 ms reaches N in log4(N) + ln(N)/3 rounds (Pittel), and with ln(10^6)/3 more in all but one
//     run of a million: 9 rounds. Accusations and verdict each spread once.
const PROBE_INTERVAL_MS = 1_000
const GOSSIP_INTERVAL_MS = 200
const GOSSIP_FANOUT = 3
const SUSPICION_MULT = 4
const SUSPICION_MAX_MULT = 6
const CONFIRMATIONS = SUSPICION_MULT - 2
const RISK = 1e-6

/** Milliseconds a suspicion lasts at least: with all confirmations. */
export function suspicionMinMs(members: number): number {
  return (SUSPICION_MULT * Math.floor(1_000 * Math.max(1, Math.log10(members))) * PROBE_INTERVAL_MS) / 1_000
}

/** Milliseconds after which every one of `members` knows of a crash, but in one run of a million. Without loss. */
export function allKnowWithinMs(members: number): number {
  const firstMs = (periodsUntil(1, members) + 1) * PROBE_INTERVAL_MS
  const lastMs = (periodsUntil(1 + CONFIRMATIONS, members) + 1) * PROBE_INTERVAL_MS
  return Math.max(firstMs + suspicionMinMs(members), lastMs) + 2 * spreadMs(members)
}

/** The same when no luck is assumed: every prober meets the victim last, and nobody confirms. */
export function neverLaterThanMs(members: number): number {
  const worstProbeMs = (2 * members - 1 + 1) * PROBE_INTERVAL_MS
  return worstProbeMs + SUSPICION_MAX_MULT * suspicionMinMs(members) + 2 * spreadMs(members)
}

/** The median of the time to the first verdict: N - 1 probers meet the victim as a Poisson process of rate 1/P, so the first
 *  comes within P * ln 2 in half of all runs; a probe lasts P; then the suspicion runs its minimum. */
export function medianFirstVerdictMs(members: number): number {
  return PROBE_INTERVAL_MS * (Math.LN2 + 1) + suspicionMinMs(members)
}

function spreadMs(members: number): number {
  const rounds =
    Math.log(members) / Math.log(GOSSIP_FANOUT + 1) + (Math.log(members) + Math.log(1 / RISK)) / GOSSIP_FANOUT
  return Math.ceil(rounds) * GOSSIP_INTERVAL_MS
}

/** Whole periods until `accusers` of the others have met one member, but in one run of a million. */
function periodsUntil(accusers: number, members: number): number {
  const probers = members - 1
  for (let periods = 1; ; periods++) {
    if (chanceOfFewer(accusers, probers, 1 - (1 - 1 / probers) ** periods) <= RISK) return periods
  }
}

/** P(X < wanted) where X is binomial. */
function chanceOfFewer(wanted: number, trials: number, chance: number): number {
  let term = (1 - chance) ** trials
  let sum = 0
  for (let hits = 0; hits < wanted; hits++) {
    sum += term
    term *= ((trials - hits) / (hits + 1)) * (chance / (1 - chance))
  }
  return sum
}
