// Random trials of whole clusters: a fixed list of seeds, which must have seen every fault there is, and fresh ones for a while, whose
// seeds are printed. `npm run explore` goes on; how to replay and shrink one is in docs/exploration.md.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Outcome, runTrial } from '../../src/sim/exploration.ts'
import { type Trial, trialOf } from '../../src/sim/schedules.ts'
import { askedFor } from '../explore/arguments.ts'
import { asText, replayCommand, Tally } from '../explore/tally.ts'
import { trialFrom } from '../explore/trial-file.ts'

/** Few, and every kind of fault is among them. */
const FIXED = [...Array.from({ length: 40 }, (_, at) => at + 1), 43, 44, 55, 64, 66, 67, 94]
/** Virtual time from the end of the faults until all of the fixed list agree: twice of what it was in November 2026 (1.1 s, and 39.2 s
 *  for the longest), so that another order of dice does not matter, and what heals seldom by luck alone does. The bound of each run is for the worst,
 *  and minutes long. */
const MEDIAN_MS = 2_200
const LONGEST_MS = 80_000
/** Real seconds of fresh seeds, and how many at most: this is a test, `npm run explore` is the search. */
const FRESH_MS = 10_000
const MOST_FRESH = 40

async function holds(seed: number): Promise<Outcome> {
  const outcome = await runTrial(trialOf(seed))
  const { violation } = outcome
  assert.equal(violation, undefined, `seed ${seed}: ${violation?.message}\nreplay and shrink: ${replayCommand(seed)}`)
  return outcome
}

describe('random faults', () => {
  it('of a fixed list of seeds break no invariant, and every kind of fault was injected and felt', async (context) => {
    const tally = new Tally()
    for (const seed of FIXED) tally.add(await holds(seed))
    context.diagnostic(tally.toString())
    assert.deepEqual(tally.missing(), [])
    const took = [tally.agreedMs(0.5), tally.agreedMs(1)].map((ms) => ms ?? Number.POSITIVE_INFINITY) as [
      number,
      number,
    ]
    assert.ok(took[0] <= MEDIAN_MS && took[1] <= LONGEST_MS, `they agreed after ${took.join(' ms in the median, ')} ms`)
  })

  it('of fresh seeds break no invariant', async (context) => {
    const began = performance.now()
    const first = Date.now() % 1_000_000_000
    let seeds = 0
    while (performance.now() - began < FRESH_MS && seeds < MOST_FRESH) await holds(first + seeds++)
    context.diagnostic(`${seeds} seeds from ${first}`)
  })

  it('of one seed give the same run twice', async () => {
    const [one, other] = [await holds(11), await holds(11)]
    assert.equal(one.fingerprint, other.fingerprint)
    assert.deepEqual(one.counts, other.counts)
  })
})

describe('npm run explore', () => {
  const asked = (...args: string[]) => askedFor(args, 5)

  it('refuses what would run nothing, never end, or mean something else', () => {
    for (const args of [
      ...[
        ['--seed', 'abc'],
        ['--seed', '-1'],
        ['--seed', '1.5'],
        ['--seed', ''],
      ],
      ...[
        ['--seeds', '0'],
        ['--seeds', '40-1'],
        ['--seeds', 'all'],
        ['--seeds', '1-40', '--seed', '7'],
      ],
      ...[
        ['--minutes', 'x'],
        ['--minutes', '0'],
        ['--minutes', ''],
        ['--failures', 'x'],
        ['--failures', '0'],
      ],
      ...[['--processes', '0'], ['--processes', 'two'], ['--transcript', 'all'], ['--sed', '7'], ['7']],
      ...[
        ['--trial', 'file', '--seed', '7'],
        ['--trial', 'file', '--processes', '2'],
      ],
    ]) {
      assert.throws(() => asked(...args), Error, args.join(' '))
    }
    assert.throws(() => asked('--seed', 'abc'), /--seed is "abc", and must be a whole number from 0/)
  })

  it('runs the list that it is asked for', () => {
    assert.deepEqual(asked('--seeds', '1-40').list, { from: 1, count: 40 })
    assert.deepEqual(asked('--seed', '7').list, { from: 7, count: 1 })
    assert.deepEqual(asked('--seed', '7', '--seeds', '500').list, { from: 7, count: 500 })
    assert.equal(asked('--minutes', '0.5').forMs, 30_000)
    assert.deepEqual(asked('--seeds', '9').list, { from: 5, count: 9 })
  })

  it('a trial in a file is what was printed of it, and what is wrong with one is said', () => {
    const other: Trial = { ...trialOf(7), machines: { bufferBytes: 2_000, refusesPackets: true } }
    for (const trial of [trialOf(7), other]) assert.deepEqual(trialFrom(asText(trial)), trial)
    const { faults: _, ...rest } = trialOf(7)
    const lies: readonly [unknown, RegExp][] = [
      [[], /a trial is \[\], and must be an object/],
      [{}, /seed is undefined/],
      [rest, /faults is undefined, and must be a list/],
      [{ ...rest, faults: [{ kind: 'rust', atMs: 1 }] }, /faults\[0\]\.kind is "rust"/],
      [{ ...rest, faults: [{ kind: 'pause', atMs: 1, member: 1 }] }, /faults\[0\]\.forMs is undefined/],
      [{ ...rest, faults: [], machines: { bufferBytes: 0 } }, /machines\.bufferBytes is 0, and must be a whole/],
      [{ ...rest, faults: [], machines: { refusesPackets: 1 } }, /machines\.refusesPackets is 1/],
      [{ ...rest, faults: [], machines: { buffer: 1 } }, /an option of machines is "buffer"/],
      [{ ...rest, faults: [{ kind: 'query', atMs: 1, member: 99 }] }, /a member in faults\[0\] is 99/],
      [{ ...rest, faults: [{ kind: 'partition', atMs: 1, forMs: 1, groups: 2 }] }, /groups is 2/],
    ]
    for (const [lie, expected] of lies) assert.throws(() => trialFrom(JSON.stringify(lie)), expected)
  })

  it('replays a trial in a file by the file, and ends with 1 where that is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rollcall-explore-'))
    const script = fileURLToPath(new URL('../explore/main.ts', import.meta.url))
    const explore = (...args: string[]) =>
      spawnSync(process.execPath, ['--import', 'tsx', script, ...args], { encoding: 'utf8' })
    try {
      const path = join(folder, 'trial.json')
      // News has no time at all where there are no exchanges: it fails, whatever the seed.
      const options = { pushPullIntervalMs: 0 }
      writeFileSync(path, JSON.stringify({ seed: 7, members: 3, options, faultsMs: 0, faults: [] }))
      const failing = explore('--trial', path, '--no-shrink')
      assert.match(failing.stdout, /^replay: npm run explore -- --trial ".*trial\.json" --transcript events$/m)
      assert.equal(failing.status, 1)
      assert.match(failing.stdout, /^violated: news-reaches-all \(seed 7\)$/m)
      writeFileSync(path, '{ "seed": 7')
      const broken = explore('--trial', path)
      assert.match(broken.stderr, /^FAILED: no trial in .*trial\.json: /)
      assert.equal(broken.status, 1)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
