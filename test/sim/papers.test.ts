// The benches of bench/papers in small: that they run, and that the detector keeps what the papers prove. Bounds are three or more standard
// errors wide, so that they hold whatever dice a change of the code makes the seeds throw.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { papersPage } from '../../bench/papers/pages.ts'
import { peersBench } from '../../bench/papers/peers/bench.ts'
import type { EventsResult, KilledResult } from '../../bench/papers/peers/runs.ts'
import { rapidBench } from '../../bench/papers/rapid/bench.ts'
import type { FaultResult, StormResult } from '../../bench/papers/rapid/runs.ts'
import { serfBench } from '../../bench/papers/serf/bench.ts'
import { type Extent, measure, type PaperBench, type Row, upTo } from '../../bench/papers/support/bench.ts'
import { commitNow } from '../../bench/papers/support/commit.ts'
import {
  DETECTION_PERIODS,
  falselySuspected,
  infected,
  probedInPeriod,
  probeFails,
  serfKilobits,
  serfRounds,
  swimRepeats,
} from '../../bench/papers/support/formulas.ts'
import { runJobs } from '../../bench/papers/support/jobs.ts'
import { bootstrap, chanceInterval, mean, median, quantile } from '../../bench/papers/support/statistics.ts'
import { interval, spread, spreadName, tailName } from '../../bench/papers/support/table.ts'
import { swimBench } from '../../bench/papers/swim/bench.ts'
import type {
  CrashResult,
  InfectionResult,
  LoadResult,
  LossResult,
  SilenceResult,
} from '../../bench/papers/swim/runs.ts'
import { medianFirstVerdictMs } from './support/bounds.ts'

const SMOKE: Extent = { members: undefined, seeds: undefined, isSmoke: true, only: undefined, knobs: undefined }

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
          // e/(e-1) is that of many members that choose anew each time; of so few, in turns (SWIM §4.3), it is a little less.
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

describe('the benches themselves', () => {
  it('have formulas that give what the papers print of them', () => {
    const near = (value: number, wanted: number): void =>
      assert.ok(Math.abs(value / wanted - 1) < 0.01, `${value}, not ${wanted}`)
    near(falselySuspected(0.01, 1), 0.00124)
    near(falselySuspected(0.2, 3), 0.117)
    near(infected(50, 2), 25.9)
    near(serfRounds(0.9999, 1000, 3, 0.5) * 0.2, 4.4)
    near(serfRounds(0.99, 30, 3, 0) * 0.2, 1.2)
    near(serfKilobits(1400, 3, 200), 328.1)
    assert.deepEqual([8, 19, 20, 52, 54].map(swimRepeats), [9, 9, 12, 12, 15])
  })

  it('tell medians, quantiles and how far a mean may be off', () => {
    const values = Array.from({ length: 100 }, (_, at) => at + 1)
    assert.deepEqual(
      [0, 0.5, 0.99, 1].map((share) => quantile(values, share)),
      [1, 50, 99, 100],
    )
    const { low, high } = bootstrap(values, mean)
    // The standard error is 2.9: 95 % are 5.7 to each side.
    assert.ok(low > 42 && low < 47 && high > 54 && high < 59, `${low} to ${high}`)
    assert.ok(Number.isNaN(quantile([], 0.5)))
    assert.equal(spread(values, mean, 0), interval({ low, high }, 0))
    assert.deepEqual(
      [spreadName([300, 10]), spreadName([9, 10]), spreadName([9])],
      ['95 %', '95 % or least to most', 'least to most'],
    )
    assert.equal(spread([3, 1, 2], mean, 0), '1 to 3 (3)')
    assert.deepEqual(
      [tailName(0.99, [100, 180]), tailName(0.99, [99, 100]), tailName(0.99, [99]), tailName(0.9, [10])],
      ['p99', 'p99 or slowest', 'slowest', 'p90'],
    )
    // What is called the slowest is.
    for (const count of [1, 50, 99]) assert.equal(quantile(upTo(count), 0.99), count)
    assert.equal(quantile(upTo(9), 0.9), 9)
    const none = chanceInterval(0, 1000)
    assert.ok(none.low === 0 && none.high > 0.003 && none.high < 0.005, `${none.high}`)
    const half = chanceInterval(50, 100)
    assert.ok(Math.abs(half.low - 0.404) < 0.001 && Math.abs(half.high - 0.596) < 0.001)
  })

  it('give the same whichever process runs a job, and fail where one does', async () => {
    const jobs = upTo(3).map((seed) => ({ kind: 'spread', members: 4, lossRatios: [0], broadcasts: 1, seed }))
    const here = await runJobs(serfBench.runs, jobs, { processes: 0 })
    assert.deepEqual(await runJobs(serfBench.runs, jobs, { processes: 2 }), here)
    assert.notDeepEqual(here[0], here[1])
    const broken = [{ kind: 'spread', members: 4, lossRatios: [2], broadcasts: 1, seed: 1 }]
    await assert.rejects(runJobs(serfBench.runs, broken, { processes: 1 }), /lossRatio/)
  })

  it('say of which sources results are, and whether those are in no commit', () => {
    const root = mkdtempSync(join(tmpdir(), 'papers-'))
    const git = (...words: string[]): string =>
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...words], {
        cwd: root,
        encoding: 'utf8',
      })
    try {
      assert.equal(commitNow(root), 'unknown')
      mkdirSync(join(root, 'src'))
      writeFileSync(join(root, 'src', 'one.ts'), '1')
      git('init', '--quiet')
      git('add', '.')
      git('commit', '--quiet', '--message', 'one')
      const commit = git('rev-parse', '--short', 'HEAD').trim()
      writeFileSync(join(root, 'results.jsonl'), '{}')
      assert.equal(commitNow(root), commit)
      writeFileSync(join(root, 'src', 'two.ts'), '2')
      assert.equal(commitNow(root), `${commit}+`)
      rmSync(join(root, 'src', 'two.ts'))
      writeFileSync(join(root, 'src', 'one.ts'), '3')
      assert.equal(commitNow(root), `${commit}+`)
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('have filled docs/papers.md: npx tsx bench/papers/pages.ts', () => {
    const { now, filled } = papersPage()
    assert.equal(now, filled)
  })
})
