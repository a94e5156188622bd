// Makes a trial that fails as small as it gets while it fails in the same way: fewer faults by delta debugging (Zeller, Hildebrandt: "Simplifying
// and Isolating Failure-Inducing Input", 2002), then fewer members, options left out one by one, and the faults once more. Every try is
// a whole run, and they are bounded. Knows trials as data only; who runs them is the caller's.
import { type Fault, membersIn } from './faults.ts'
import type { Trial } from './schedules.ts'

export interface ShrinkOptions {
  /** Runs at most. Default 400. */
  readonly maxRuns?: number
}

/** The smallest trial that was found to fail.
 *  @param trial fails already
 *  @param fails runs a trial, and says whether it fails in the same way */
export async function shrinkTrial(
  trial: Trial,
  fails: (smaller: Trial) => Promise<boolean>,
  { maxRuns = 400 }: ShrinkOptions = {},
): Promise<Trial> {
  let smallest = trial
  let runs = 0
  const attempt = async (smaller: Trial | undefined): Promise<boolean> => {
    if (smaller === undefined || runs >= maxRuns) return false
    runs++
    if (!(await fails(smaller))) return false
    smallest = smaller
    return true
  }
  for (let before: Trial | undefined; before !== smallest && runs < maxRuns; ) {
    before = smallest
    await shrinkFaults(() => smallest, attempt)
    for (let member = smallest.members; member >= 1; member--) await attempt(withoutMember(smallest, member))
    for (const option of Object.keys(smallest.options)) await attempt(withoutOption(smallest, option))
    for (const option of Object.keys(smallest.machines ?? {})) await attempt(withUsual(smallest, option))
    await attempt(withShorterFaults(smallest))
  }
  return smallest
}

type Attempt = (smaller: Trial) => Promise<boolean>

/** ddmin over the list of faults: leaves out ever smaller pieces of it. */
async function shrinkFaults(smallest: () => Trial, attempt: Attempt): Promise<void> {
  let pieces = 2
  while (smallest().faults.length > 0) {
    const { faults } = smallest()
    const size = Math.ceil(faults.length / pieces)
    let isSmaller = false
    for (let at = 0; at < faults.length && !isSmaller; at += size) {
      const left = [...faults.slice(0, at), ...faults.slice(at + size)]
      isSmaller = await attempt({ ...smallest(), faults: left })
    }
    if (isSmaller) pieces = Math.max(2, pieces - 1)
    else if (size === 1) return
    else pieces = Math.min(2 * pieces, faults.length)
  }
}

/** The same without one member and what names it; those after it move up. `undefined` where too few are left. */
function withoutMember(trial: Trial, gone: number): Trial | undefined {
  if (trial.members <= 2 || gone > trial.members) return undefined
  const faults = trial.faults.flatMap((fault): Fault[] => {
    if (fault.kind === 'partition') {
      const groups = fault.groups.map((group) => group.filter((member) => member !== gone).map(renumber(gone)))
      return [{ ...fault, groups: groups.filter((group) => group.length > 0) }]
    }
    return membersIn(fault).includes(gone) ? [] : [renumbered(fault, renumber(gone))]
  })
  return { ...trial, members: trial.members - 1, faults }
}

function renumber(gone: number): (member: number) => number {
  return (member) => (member > gone ? member - 1 : member)
}

function renumbered(fault: Fault, to: (member: number) => number): Fault {
  const change: Record<string, number> = {}
  for (const key of ['member', 'about', 'from', 'to', 'towards']) {
    const number: unknown = Reflect.get(fault, key)
    if (typeof number === 'number') change[key] = to(number)
  }
  return { ...fault, ...change }
}

function withoutOption(trial: Trial, option: string): Trial | undefined {
  const options = Object.entries(trial.options).filter(([key]) => key !== option && !BELONG[option]?.includes(key))
  if (options.length === Object.keys(trial.options).length) return undefined
  return { ...trial, options: Object.fromEntries(options) }
}

/** The same with machines that are in one respect as they are by default. */
function withUsual({ machines, ...trial }: Trial, option: string): Trial {
  const left = Object.entries(machines ?? {}).filter(([key]) => key !== option)
  return left.length === 0 ? trial : { ...trial, machines: Object.fromEntries(left) }
}

/** Options that make no sense without another. */
const BELONG: Readonly<Record<string, readonly string[]>> = {
  snapshotPath: ['rejoinAfterLeave'],
  coalescePeriodMs: ['quiescentPeriodMs'],
  quiescentPeriodMs: ['coalescePeriodMs'],
  userCoalescePeriodMs: ['userQuiescentPeriodMs'],
  userQuiescentPeriodMs: ['userCoalescePeriodMs'],
}

/** No time after the last fault that ends by itself. */
function withShorterFaults(trial: Trial): Trial | undefined {
  const ends = trial.faults.map((fault) => fault.atMs + ('forMs' in fault ? fault.forMs : 0))
  const faultsMs = Math.max(0, ...ends)
  return faultsMs < trial.faultsMs ? { ...trial, faultsMs } : undefined
}
