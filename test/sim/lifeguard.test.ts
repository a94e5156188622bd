// The bench of Lifeguard's experiments, small, so that it cannot rot: what it counts, and that the order of the rows is the paper's.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseCommand } from '../../bench/papers/lifeguard-command.ts'
import { filledPage } from '../../bench/papers/lifeguard-page.ts'
import { type Outcome, play, type Scale } from '../../bench/papers/lifeguard-play.ts'
import { cellName, cellOf, keyOf, type Result, ratioOf, readResults } from '../../bench/papers/lifeguard-results.ts'
import { COMMON, CONFIGURATIONS } from '../../bench/papers/lifeguard-rows.ts'
import { GRID, GRID_SEEDS, HOLD_OUT, HOLD_OUT_SEEDS } from '../../bench/papers/lifeguard-seeds.ts'

const SMALL: Scale = { members: 16, sicknessMs: 60_000 }
const TINY: Scale = { members: 12, sicknessMs: 60_000 }
const HELD = cellOf('held:4/16000/1000')

function run(configuration: string, cell = HELD, scale = SMALL): Promise<Outcome> {
  return play(cell, 1, { ...COMMON, ...CONFIGURATIONS[configuration] }, scale)
}

function resultOf(falseHealthy: number, seed: number): Result {
  const tallies = { all: falseHealthy, healthy: falseHealthy, aboutSick: 0 }
  const load = { packets: 1, bytes: 1, streams: 0, streamBytes: 0 }
  const outcome: Outcome = {
    dead: tallies,
    suspect: tallies,
    incidents: 1,
    ...load,
    first: [],
    last: [],
    undetected: 0,
  }
  return { name: 'x', options: {}, cell: HELD, seed, scale: SMALL, outcome, commit: '', cpuSeconds: 1 }
}

const falseHealthy = ({ dead }: Outcome): number => dead.healthy

describe("Lifeguard's experiments", () => {
  it('plain SWIM gives many false verdicts, full Lifeguard at most a tenth of them, and both see every crash', async () => {
    const swim = await run('swim')
    const lifeguard = await run('lifeguard')
    assert.ok(swim.dead.all >= 100, `${swim.dead.all} false verdicts by SWIM`)
    assert.ok(swim.dead.healthy > 0 && swim.dead.healthy <= swim.dead.all)
    assert.ok(lifeguard.dead.all <= swim.dead.all / 10, `${lifeguard.dead.all} of ${swim.dead.all}`)
    for (const { first, last, undetected } of [swim, lifeguard]) {
      assert.equal(undetected, 0)
      assert.equal(first.length, 3)
      assert.ok(last.every((ms, index) => ms >= (first[index] ?? 0)))
    }
  })

  it('where nobody is sick nobody is accused falsely, and a run repeats itself', async () => {
    const nobody = cellOf('late:0/1000/1000')
    const once = await run('swim', nobody, TINY)
    assert.deepEqual(once.dead, { all: 0, healthy: 0, healthyOwn: 0, aboutSick: 0 })
    assert.deepEqual(once, await run('swim', nobody, TINY))
    assert.ok(once.packets > 0 && once.bytes > 0)
  })

  it('verdicts about the sick are told apart', async () => {
    const { dead } = await run('swim', cellOf('one-way:3/20000/1000'), TINY)
    assert.ok(
      dead.aboutSick > dead.healthy,
      `${dead.aboutSick} about the sick, ${dead.healthy} at and about the healthy`,
    )
  })

  it('the hold-out shares no seed with the grid', () => {
    assert.ok(GRID.length > 0 && HOLD_OUT.length > 0)
    assert.deepEqual(
      GRID_SEEDS.filter((seed) => HOLD_OUT_SEEDS.includes(seed)),
      [],
    )
  })

  it('a ratio is of the runs that both have, and its interval holds it', () => {
    const ones = [10, 20, 30, 40].map((count, seed) => resultOf(count, seed))
    const others = [100, 100, 100].map((count, seed) => resultOf(count, seed))
    const ratio = ratioOf(ones, others, falseHealthy)
    assert.equal(ratio?.runs, 3)
    assert.equal(ratio?.ratio, 60 / 300)
    assert.ok(ratio.low >= 0.1 && ratio.low < 0.2 && ratio.high > 0.2 && ratio.high <= 0.3, JSON.stringify(ratio))
    assert.equal(ratioOf(ones, [], falseHealthy), undefined)
    assert.equal(ratioOf([resultOf(0, 1)], [resultOf(0, 1)], falseHealthy)?.ratio, 1)
  })

  it('a file of results is read but for a line cut short, and other options are another run', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lifeguard-'))
    try {
      const path = join(folder, 'results.jsonl')
      const result = resultOf(5, 1)
      writeFileSync(path, `${JSON.stringify(result)}\n${JSON.stringify({ ...result, seed: 2 }).slice(0, 50)}`)
      const results = readResults(path)
      assert.deepEqual([...results.values()], [result])
      assert.ok(!results.has(keyOf({ ...result, options: { buddySystem: false } })))
      assert.ok(results.has(keyOf({ ...result, name: 'another name' })))
      assert.equal(readResults(join(folder, 'none')).size, 0)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('a command line makes pairs of runs, seed by seed, and compares them', () => {
    const words = ['--hold-out', '--config', 'mine={"suspicionMult":6}', '--compare', 'mine', 'lifeguard']
    const { jobs, say } = parseCommand(words)
    assert.equal(jobs.length, 2 * HOLD_OUT.length * HOLD_OUT_SEEDS.length)
    assert.equal(new Set(jobs.slice(0, 2 * HOLD_OUT.length).map(({ seed }) => seed)).size, 1)
    assert.equal(new Set(jobs.map(keyOf)).size, jobs.length)
    const results = jobs.map((job) => ({ ...resultOf(job.name === 'mine' ? 2 : 8, job.seed), ...job }))
    const said = say(new Map(results.map((result) => [keyOf(result), result])))
    assert.match(said, /FP-, all \| 0\.250 \| 0\.250 to 0\.250/)
    assert.throws(() => parseCommand(['--config', 'swim={}']), /taken/)
    assert.throws(() => parseCommand(['--configs', 'swum']), /no configuration/)
    assert.throws(() => parseCommand(['--model', 'lame']), /no model/)
  })

  it('what they gave stands in docs/papers.md: npm run bench:lifeguard -- --page', () => {
    const page = readFileSync(new URL('../../docs/papers.md', import.meta.url), 'utf8')
    assert.equal(page, filledPage(page))
    assert.match(page, /bench:lifeguard --/)
  })

  it('a cell is its name', () => {
    assert.equal(cellName(cellOf('one-way:3/20000/1000')), 'one-way:3/20000/1000')
    assert.throws(() => cellOf('lame:3/20000/1000'), /no cell/)
    assert.throws(() => cellOf('late:3/20000'), /no cell/)
  })
})
