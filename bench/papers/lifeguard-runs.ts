// The module of runs (support/jobs.ts) of Lifeguard's experiments: plays one job and says what it cost.
import { setPriority } from 'node:os'
import { play } from './lifeguard-play.ts'
import type { Job, Result } from './lifeguard-results.ts'
import { COMMON, CONFIGURATIONS } from './lifeguard-rows.ts'

/** Beside other work, the bench waits. */
const NICENESS = 10

setPriority(NICENESS)

export async function run(job: Job): Promise<Pick<Result, 'outcome' | 'cpuSeconds'>> {
  const before = process.cpuUsage()
  const beside = job.beside === undefined ? undefined : { ...COMMON, ...CONFIGURATIONS[job.beside] }
  const outcome = await play(job.cell, job.seed, job.options, job.scale, beside)
  const { user, system } = process.cpuUsage(before)
  return { outcome, cpuSeconds: (user + system) / 1e6 }
}
