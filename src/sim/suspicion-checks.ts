// How long each suspicion of one member lasts until its own verdict, looked at from outside: no shorter than the shortest that the papers
// allow, and no longer than the longest (SWIM §4.2; Lifeguard §IV-B). What others' verdicts end may be as short as it likes. The formulas
// stand here once more, of the papers and not of the source. Of N, where the member may count otherwise than we can see, the kinder one is taken.
import type { Explanation } from '../explain.ts'
import type { Member } from '../serf/members.ts'
import { logOf } from './arithmetic.ts'

/** The member's options that say how long. */
export interface SuspicionRules {
  readonly probeIntervalMs: number
  readonly suspicionMult: number
  readonly suspicionMaxTimeoutMult: number
}

/** A suspicion as it is seen to begin. */
export interface SeenSuspicion {
  /** On the observer's clock. Where it may have begun anew since, unseen, `latestAt` is the last moment for that. */
  readonly earliestAt: number
  readonly latestAt: number
  /** How long the observer had not been there, by then. */
  readonly absentMs: number
  /** Members present then, and all that it ever held. */
  readonly least: number
  readonly most: number
}

/** Deadlines are whole milliseconds: what was rounded up, and the wake-up. */
const WAKE_MS = 2
/** What sums of virtual times are off by. */
const ROUNDING_MS = 0.001
/** The logarithm is cut to three decimals. */
const CUT = 0.001

/** What `after` shows of a suspicion, given what was seen before.
 *  @param seen what this gave for `before`
 *  @param begun one that would begin now */
export function seenSuspicion(
  seen: SeenSuspicion | undefined,
  before: Member | undefined,
  after: Member,
  begun: SeenSuspicion,
): SeenSuspicion | undefined {
  // Who announced that it leaves shows as leaving, suspected or not: a suspicion may end and another begin, and nobody sees it.
  if (after.state !== 'suspect') return undefined
  if (seen !== undefined) {
    // At a higher number it may have been alive in between.
    const { earliestAt } = seen
    return before?.incarnation === after.incarnation ? seen : { ...begun, earliestAt }
  }
  return before?.state === 'leaving' ? { ...begun, earliestAt: Number.NEGATIVE_INFINITY } : begun
}

/** What is wrong with the length of a suspicion that the observer ended itself, now; `undefined` where nothing is.
 *  @param absentMs how long it has not been there, until now */
export function wrongLength(
  seen: SeenSuspicion,
  now: number,
  absentMs: number,
  { probeIntervalMs, suspicionMult, suspicionMaxTimeoutMult }: SuspicionRules,
): string | undefined {
  const intervals = suspicionMult * probeIntervalMs
  const shortestMs = intervals * Math.max(1, scaleOf(seen.least) - CUT)
  const tookMs = now - seen.earliestAt
  if (tookMs < shortestMs - ROUNDING_MS)
    return `after ${tookMs.toFixed(0)} ms, ${shortestMs.toFixed(0)} ms are the shortest`
  // In a cluster too small for as many accusers as are wanted nobody is waited for.
  const wanted = suspicionMult - 2
  const mult = wanted < 1 || seen.most - 2 < wanted ? 1 : suspicionMaxTimeoutMult
  const longestMs = mult * intervals * scaleOf(seen.most) + WAKE_MS
  const presentMs = now - seen.latestAt - (absentMs - seen.absentMs)
  if (presentMs <= longestMs) return undefined
  return `after ${presentMs.toFixed(0)} ms in which it was there, ${longestMs.toFixed(0)} ms are the longest`
}

/** True where the last verdict in its story is of its own suspicion, and not older than that. */
export function isOwnVerdict(
  { entries }: Pick<Explanation, 'entries'>,
  observer: string,
  { latestAt }: SeenSuspicion,
): boolean {
  const verdict = entries.findLast(({ kind }) => kind === 'dead')
  if (verdict?.kind !== 'dead' || verdict.atMs < latestAt) return false
  return verdict.by === observer && verdict.heardFrom === undefined
}

function scaleOf(members: number): number {
  return Math.max(1, logOf(Math.max(1, members)) / logOf(10))
}
