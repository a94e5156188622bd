// The formulas of `planCluster` beside clusters that run: bench/plan in small. Bounds are three or more standard errors wide on top of what
// docs/planning.md says of each figure, so that they hold whatever dice a change of the code makes the seeds throw.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { measure, type Row } from '../../bench/papers/support/bench.ts'
import { median } from '../../bench/papers/support/statistics.ts'
import { planBench } from '../../bench/plan/bench.ts'
import {
  type BroadcastResult,
  type CrashResult,
  type PlanJob,
  type PlanResult,
  planOptionsOf,
  type SteadyResult,
} from '../../bench/plan/runs.ts'
import { type ClusterPlan, planCluster } from '../../src/sim/plan.ts'

const within = (what: string, formula: number | undefined, counted: number, factor: number): void => {
  const ratio = (formula ?? Number.NaN) / counted
  assert.ok(ratio > 1 / factor && ratio < factor, `${what}: formula ${formula}, counted ${counted}`)
}

describe('what a plan says', () => {
  it('is what a cluster does', async (context) => {
    const extent = { members: undefined, seeds: undefined, isSmoke: true, only: undefined, knobs: undefined }
    const rows = await measure(planBench, extent, 0)
    for (const row of rows) {
      const plan = planCluster(planOptionsOf(row.job.of))
      if (row.job.kind === 'crash') checkCrash(plan, row.result as CrashResult)
      else if (row.job.kind === 'broadcast') checkBroadcast(plan, row.result as BroadcastResult)
      else checkSteady(plan, row)
    }
    assert.deepEqual([...new Set(rows.map(({ job }) => job.kind))].sort(), ['broadcast', 'crash', 'steady'])
    const tables = planBench.tables(rows)
    assert.doesNotMatch(tables, /NaN|undefined|null/)
    context.diagnostic(`\n${tables}`)
  })
})

function checkCrash({ detection, suspicionMs }: ClusterPlan, { first, all }: CrashResult): void {
  // Times are spread over a second or two, so of 24 the median is off by a third of one.
  within('median of the first verdict', detection.first.p50Ms, median(first), 1.25)
  within('median until all know', detection.all?.p50Ms, median(all), 1.25)
  const shortestMs = suspicionMs.at(-1) as number
  assert.ok(Math.min(...first) > shortestMs, 'nobody is dead before the shortest suspicion is over')
  const late = all.filter((ms) => ms > 1.2 * (detection.all?.p99Ms ?? 0)).length
  assert.ok(late <= 1, `${late} later than the 99th percentile and a fifth`)
}

function checkBroadcast({ told }: ClusterPlan, result: BroadcastResult): void {
  within('median until all are told', told?.p50Ms, median(result.told), 1.5)
  const late = result.told.filter((ms) => ms > 1.5 * (told?.p99Ms ?? 0)).length
  assert.ok(late <= 1, `${late} later than the 99th percentile and a half`)
}

function checkSteady({ mistakes, traffic }: ClusterPlan, { job, result }: Row<PlanJob, PlanResult>): void {
  const counted = result as SteadyResult
  const { memberSeconds } = counted
  const days = memberSeconds / job.of.members / 86_400
  const isRough = job.of.lossRatio > 0.3
  within('packets sent', traffic.sent.packets, counted.sentPackets / memberSeconds, isRough ? 1.3 : 1.15)
  within('bytes sent', traffic.sent.bytes, counted.sentBytes / memberSeconds, isRough ? 1.3 : 1.15)
  within('packets received', traffic.received.packets, counted.receivedPackets / memberSeconds, isRough ? 1.3 : 1.15)
  within('streams', traffic.streams.exchanges + traffic.streams.pings, counted.dialled / memberSeconds, 1.4)
  within('suspicions', mistakes.suspicionsPerDay * days, counted.suspicions, 2)
  if (isRough) {
    // Here verdicts can be counted: a dozen or more.
    assert.ok(counted.verdicts > 5, `${counted.verdicts} verdicts`)
    within('verdicts', (mistakes.verdictsPerDay ?? 0) * days, counted.verdicts, 4)
  } else {
    assert.ok(counted.verdicts <= 2, `${counted.verdicts} verdicts`)
  }
}
