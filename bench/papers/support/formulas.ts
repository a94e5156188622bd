// The formulas that the papers print, from the papers alone: nothing here is taken from `src` or read off a run.

/** Chance that a member is probed by somebody in a period, where each of `members` probes one other (SWIM §3.1); 1 - 1/e of many. */
export function probedInPeriod(members: number): number {
  return 1 - (1 - 1 / (members - 1)) ** (members - 1)
}

/** Periods until a dead member is first probed, the first one counted whole, on average (SWIM §3.1, §5.2). */
export const DETECTION_PERIODS: number = Math.E / (Math.E - 1)

/** Chance that a probe of a living member fails: ping and ack, and the two hops there and back through each of `helpers` (SWIM §3.1). */
export function probeFails(lossRatio: number, helpers: number): number {
  const arrives = 1 - lossRatio
  return (1 - arrives ** 2) * (1 - arrives ** 4) ** helpers
}

/** SWIM §3.1, PM(F), where all live: `probeFails` within the mean time of a detection, which is e/(e-1) periods. */
export function falselySuspected(lossRatio: number, helpers: number): number {
  return probeFails(lossRatio, helpers) * DETECTION_PERIODS
}

/** Members that have heard of something one of them knew, after so many periods (SWIM §4.1). */
export function infected(members: number, periods: number): number {
  return members / (1 + (members - 1) * Math.exp(-(2 - 1 / members) * periods))
}

/** How often SWIM's implementation sends an update, and how many periods a suspicion lasts there (SWIM §5). */
export function swimRepeats(members: number): number {
  return 3 * Math.ceil(Math.log(members + 1))
}

/** Rounds of gossip until a share of `members` knows, as the simulator on Serf's site has it: one that knows meets
 *  `fanout (1 - lossRatio) / 2` others a round. */
export function serfRounds(share: number, members: number, fanout: number, lossRatio: number): number {
  const contact = (fanout / members) * (1 - lossRatio) * 0.5
  for (let round = 0; ; round++) {
    if (1 / (1 + (members + 1) * Math.exp(-contact * members * round)) >= share) return round
  }
}

/** The same simulator's bound of what a member sends and hears, in kilobits of 1,024 a second. */
export function serfKilobits(packetBytes: number, fanout: number, intervalMs: number): number {
  return (((packetBytes * fanout * 1000) / intervalMs) * 2 * 8) / 1024
}
