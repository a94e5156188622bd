// The benches of bench/papers in small: that they run, and that the detector keeps what the papers prove. Bounds are three or more standard
// errors wide, so that they hold whatever dice a change of the code makes the seeds throw.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { peersBench } from '../../bench/papers/peers/bench.ts'
import type { EventsResult, KilledResult } from '../../bench/papers/peers/runs.ts'
import { rapidBench } from '../../bench/papers/rapid/bench.ts'
import type { FaultResult, StormResult } from '../../bench/papers/rapid/runs.ts'
import { serfBench } from '../../bench/papers/serf/bench.ts'
import { type Extent, measure, type PaperBench, type Row } from '../../bench/papers/support/bench.ts'
import {
  DETECTION_PERIODS,
  infected,
  probedInPeriod,
  probeFails,
  serfRounds,
  swimRepeats,
} from '../../bench/papers/support/formulas.ts'
import { mean, median, quantile } from '../../bench/papers/support/statistics.ts'
import { swimBench } from '../../bench/papers/swim/bench.ts'
import type {
  CrashResult,
  InfectionResult,
  LoadResult,
  LossResult,
  SilenceResult,
} from '../../bench/papers/swim/runs.ts'
import { medianFirstVerdictMs } from './support/bounds.ts'

const SMOKE: Extent = { members: undefined, seeds: undefined, isSmoke: true, only: undefined }

/** Runs a bench in small, in this process, and sees that it prints a table for every kind of job. */
async function smoke<Job extends { readonly kind: string }, Result>(
  bench: PaperBench<Job, Result>,
): Promise<readonly Row<Job, Result>[]> {
  const rows = await measure(bench, SMOKE, 0)
  const text = bench.tables(rows)
  const kinds = new Set(rows.map(({ job }) => job.kind)).size
  assert.ok((text.match(/^### /gm)?.length ?? 0) >= kinds, text)
  assert.doesNotMatch(text, /NaN|undefined|null/)
  return rows
}

describe('SWIM’s paper', () => {
  it('SWIM §3, §4: load, detection, false suspicions and infection are what the formulas say', async (context) => {
    const rows = await smoke(swimBench)
    for (const { job, result } of rows) {
      switch (job.kind) {
        case 'load': {
          const { sent, received, belowFive } = result as LoadResult
          assert.ok(Math.abs(sent - 2) < 0.02 && Math.abs(received - 2) < 0.02, `${sent} sent, ${received} received`)
          assert.ok(belowFive > 0.95, `fewer than five sent: ${belowFive}`)
          break
        }
        case 'silence': {
          const periods = mean((result as SilenceResult).probedIn)
          // e/(e-1) is that of many members; of so few it is a little less.
          const expected = 1 / probedInPeriod(job.members)
          assert.ok(Math.abs(expected / DETECTION_PERIODS - 1) < 0.05)
          context.diagnostic(`probed in period ${periods.toFixed(3)}, the formula says ${expected.toFixed(3)}`)
          assert.ok(Math.abs(periods / expected - 1) < 0.1, `probed in period ${periods}, not ${expected}`)
          break
        }
        case 'crash': {
          const { suspected, dead, suspicionSpread } = result as CrashResult
          assert.ok(Math.abs(dead - suspected - swimRepeats(job.members)) < 0.5, `${dead - suspected} periods`)
          assert.ok(suspicionSpread < 3, `${suspicionSpread} periods until half suspect`)
          break
        }
        case 'loss': {
          const { probes, failures } = result as LossResult
          const expected = probes * probeFails(job.lossRatio, job.helpers)
          context.diagnostic(`${failures} of ${probes} probes failed, the formula says ${expected.toFixed(0)}`)
          assert.ok(Math.abs(failures - expected) < 4 * Math.sqrt(expected), `${failures}, not ${expected}`)
          break
        }
        case 'infection': {
          const { curves } = result as InfectionResult
          for (let period = 1; period <= job.periods; period++) {
            const know = mean(curves.map((curve) => curve[period] as number))
            const [least, most] = [infected(job.members, period - 0.5), infected(job.members, period + 0.5)]
            context.diagnostic(`${know.toFixed(1)} know after ${period}: ${least.toFixed(1)} to ${most.toFixed(1)}`)
            assert.ok(
              know > Math.min(least, job.members * 0.98) && know < most + 0.5,
              `${know} after ${period} periods`,
            )
          }
          break
        }
      }
    }
  })
})

describe('Rapid’s paper', () => {
  it('a storm ends with all knowing all, a crash is agreed upon, a deaf member is declared dead by nobody for good', async () => {
    for (const { job, result } of await smoke(rapidBench)) {
      if (job.kind === 'storm') {
        const { allMs, sizes } = result as StormResult
        assert.ok(allMs > 0 && allMs < 40_000 && sizes > 1 && sizes <= job.members, `${allMs} ms, ${sizes} sizes`)
        continue
      }
      const { firstMs = Number.NaN, allMs, falseAtHealthy, returns, sizes } = result as FaultResult
      assert.ok(firstMs > 0 && firstMs < 40_000, `first verdict after ${firstMs} ms`)
      assert.equal(falseAtHealthy, 0)
      if (job.kind === 'crash') {
        assert.ok(allMs !== undefined && allMs >= firstMs && returns === 0, `all after ${allMs} ms, ${returns} returns`)
      } else {
        // What is so with memberlist is so with us: it swings.
        assert.ok(returns > 0 && sizes.length > 1, `${returns} returns, sizes ${sizes}`)
      }
    }
  })
})

describe('Serf’s convergence', () => {
  it('a broadcast is there no later than the formula on Serf’s site says', async () => {
    for (const { job, result } of await smoke(serfBench)) {
      for (const what of ['event', 'tags']) {
        const spreads = result.filter((spread) => spread.what === what)
        assert.equal(spreads.length, job.broadcasts)
        const halves = median(spreads.map(({ halfMs }) => halfMs ?? Number.POSITIVE_INFINITY))
        const boundMs = serfRounds(0.5, job.members, 3, 0) * 200
        assert.ok(halves <= boundMs, `half of all had it after ${halves} ms, not ${boundMs}`)
        assert.ok(mean(spreads.map(({ share }) => share)) > 0.95)
      }
    }
  })
})

describe('what others measured', () => {
  it('a kill is found when the formula says, and user events are there within a second', async () => {
    const rows = await smoke(peersBench)
    const kills = rows.filter(({ job }) => job.kind === 'killed').map(({ result }) => result as KilledResult)
    const first = mean(kills.map(({ firstMs }) => firstMs))
    assert.ok(Math.abs(first - medianFirstVerdictMs(10)) < 2500, `killed: found after ${first} ms`)
    const events = rows.find(({ job }) => job.kind === 'events')?.result as EventsResult
    assert.ok(events.each.length > 0 && quantile(events.each, 0.5) < 400, `events: ${events.each}`)
  })
})
