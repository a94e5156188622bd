// The arithmetic of scale: how long, how often, how many, as functions of the size of the cluster.
// `members` is always the size of the SWIM table: every state, ourselves included (serf-behaviour §0).

/** How often a broadcast is transmitted before it is dropped: SWIM §4.1's λ log n, as memberlist counts it. */
export function retransmitLimit(mult: number, members: number): number {
  return mult * Math.ceil(Math.log10(members + 1))
}

/** The shortest a suspicion can last, in whole ms: `mult · log10(n)` probe intervals, the logarithm at least 1 and cut to three decimals. */
export function suspicionMinMs(mult: number, members: number, probeIntervalMs: number): number {
  const thousandths = Math.floor(1000 * Math.max(1, Math.log10(Math.max(1, members))))
  return Math.ceil((mult * thousandths * probeIntervalMs) / 1000)
}

/** Peers whose word shortens a suspicion to its minimum. Lifeguard §IV-B; 0 where the cluster is too small to have them. */
export function wantedConfirmations(suspicionMult: number, members: number): number {
  const wanted = suspicionMult - 2
  return wanted < 1 || members - 2 < wanted ? 0 : wanted
}

/** Milliseconds a suspicion lasts, from its start: `maxMs` at first, down to `minMs` once `wanted` peers agree.
 *  Lifeguard §IV-B; memberlist suspicion.go. Whole ms; minMs <= result <= maxMs.
 *  @param confirmations independent accusers beyond the first, 0 or more */
export function suspicionTimeoutMs(confirmations: number, wanted: number, minMs: number, maxMs: number): number {
  if (wanted < 1) return minMs
  const share = Math.log(confirmations + 1) / Math.log(wanted + 1)
  return Math.max(minMs, Math.floor(maxMs - share * (maxMs - minMs)))
}

/** Above this many members a full exchange is made less often, since each costs more. */
const PUSH_PULL_THRESHOLD = 32

/** Time between full exchanges: one interval more for each doubling above 32 members. */
export function pushPullIntervalMs(intervalMs: number, members: number): number {
  if (members <= PUSH_PULL_THRESHOLD) return intervalMs
  const doublings = Math.ceil(Math.log2(members) - Math.log2(PUSH_PULL_THRESHOLD))
  return intervalMs * (doublings + 1)
}
