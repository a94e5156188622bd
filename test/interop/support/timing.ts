// Deadlines of the interop plays, from the protocol's own numbers (serf-behaviour 1 and 6.2).

/** memberlist's numbers by profile; the suspicion is the longest, for up to ten members. */
export const TIMING = {
  lan: { probeIntervalMs: 1_000, maxSuspicionMs: 24_000, pushPullIntervalMs: 30_000 },
  local: { probeIntervalMs: 1_000, maxSuspicionMs: 18_000, pushPullIntervalMs: 15_000 },
} as const

/** Until every member has called a killed one dead: each live member is probed once in `2N - 1` intervals at the latest, the probe
 *  fails one interval later, a suspicion that nobody confirms runs to its maximum, and 2 s are for the spreading.
 *  @param members all that the members still list, the dead included
 *  @param listed where more than ten are listed, how many: the suspicion grows with them */
export function detectionBoundMs(profile: 'lan' | 'local', members: number, listed: number = members): number {
  const { probeIntervalMs, maxSuspicionMs } = TIMING[profile]
  const growth = Math.max(1, Math.log10(listed))
  return (2 * members - 1) * probeIntervalMs + probeIntervalMs + maxSuspicionMs * growth + 2_000
}

/** Until news has reached everyone: what gossip misses, a push/pull brings; two rounds, since a partner may know no more. */
export function spreadBoundMs(profile: 'lan' | 'local'): number {
  return 2 * TIMING[profile].pushPullIntervalMs + 5_000
}
