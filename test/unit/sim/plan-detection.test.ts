import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  detectionOf,
  firstVerdictChance,
  lagValues,
  notProbed,
  suspicionTimes,
} from '../../../src/sim/plan-detection.ts'
import { probeFigures } from '../../../src/sim/plan-probes.ts'
import { quantileMs, spreadOf } from '../../../src/sim/plan-spread.ts'
import { resolveSwimOptions, type SwimOptions } from '../../../src/swim/options.ts'

const knobs = (given: Partial<SwimOptions> = {}): SwimOptions => resolveSwimOptions('lan', given)
const setting = (members: number, lossRatio = 0) => ({ members, lossRatio, latencyMs: 0.5 })

function detection(members: number, given: Partial<SwimOptions> = {}) {
  const options = knobs(given)
  return detectionOf(
    options,
    setting(members),
    probeFigures(options, setting(members)),
    spreadOf(options, setting(members), 2),
  )
}

describe('SWIM §4.3: a round robin of shuffled rounds', () => {
  test('comes to a member within 2n - 1 probes, for certain', () => {
    for (const others of [1, 2, 5, 50]) {
      assert.equal(notProbed(2 * others - 1, others), 0)
      if (others > 1) assert.ok(notProbed(2 * others - 2, others) > 0)
      assert.equal(notProbed(0, others), 1)
    }
  })

  test('misses it as often as counting every pair of rounds says', () => {
    const others = 4
    const orders = permutations([0, 1, 2, 3])
    for (let probes = 1; probes < 8; probes++) {
      let [missed, windows] = [0, 0]
      for (const one of orders) {
        for (const other of orders) {
          for (let from = 0; from < others; from++) {
            windows++
            // What comes after two rounds is a round that is never whole here: such windows are met within the two.
            if (![...one, ...other].slice(from, from + probes).includes(0)) missed++
          }
        }
      }
      assert.ok(Math.abs(notProbed(probes, others) - missed / windows) < 1e-9, `${probes}: ${missed / windows}`)
    }
  })

  test('SWIM §3: among many the first of all comes within a period with the chance 1 - 1/e', () => {
    assert.ok(Math.abs(notProbed(1, 1000) ** 1000 - 1 / Math.E) < 0.001)
    // The mean of the wait, in whole periods as SWIM counts them: e / (e - 1).
    let periods = 0
    for (let at = 0; at < 100; at++) periods += notProbed(at, 1000) ** 1000
    assert.ok(Math.abs(periods - Math.E / (Math.E - 1)) < 0.01, `${periods}`)
  })
})

test('Lifeguard §IV-B: suspicions last as long as memberlist makes them', () => {
  const published = [
    [30, [35.5, 16.8, 5.9]],
    [100, [48, 22.8, 8]],
    [128, [50.6, 24, 8.4]],
    [1000, [72, 34.1, 12]],
  ] as const
  for (const [members, seconds] of published) {
    for (const [at, ms] of suspicionTimes(knobs(), members).entries()) {
      assert.ok(Math.abs(ms / 1000 - (seconds[at] as number)) < 0.06, `${members} members: ${ms} ms`)
    }
    assert.equal(suspicionTimes(knobs(), members).length, seconds.length)
  }
  assert.deepEqual(suspicionTimes(knobs({ suspicionMult: 2 }), 30).length, 1, 'nobody is asked to confirm')
})

describe('the first verdict', () => {
  test('has its median where the first probe, its end and the shortest suspicion put it', () => {
    // Many probers make a Poisson process: ln 2 of an interval, one more until the probe is over, then four times log10(N).
    const { first } = detection(1000)
    assert.ok(Math.abs(first.p50Ms - (1000 * (Math.LN2 + 1) + 12_000)) < 20, `${first.p50Ms}`)
  })

  test('never comes before a probe and the shortest suspicion are over', () => {
    const options = knobs()
    const chance = firstVerdictChance(options, setting(10), probeFigures(options, setting(10)), 100)
    assert.equal(chance(4999), 0)
    assert.ok(chance(5500) > 0.3)
  })

  test('falls never, and comes to 1', () => {
    for (const members of [2, 3, 4, 5, 50]) {
      const options = knobs()
      const chance = firstVerdictChance(options, setting(members), probeFigures(options, setting(members)), 300)
      let before = 0
      for (let ms = 0; ms < 60_000; ms += 250) {
        const now = chance(ms)
        assert.ok(now >= before - 1e-9, `${members}: falls at ${ms}`)
        before = now
      }
      assert.ok((quantileMs(chance, 0.999, 1e6) ?? Number.POSITIVE_INFINITY) < 1e6)
    }
  })

  test('comes sooner with a shorter interval, and with a smaller multiplier', () => {
    const usual = detection(50).first
    assert.ok(detection(50, { probeIntervalMs: 600, probeTimeoutMs: 300 }).first.p50Ms < 0.65 * usual.p50Ms)
    assert.ok(detection(50, { suspicionMult: 3 }).first.p50Ms < usual.p50Ms - 1500)
  })

  test('of two members is the shortest suspicion after the only prober’s next probe', () => {
    const { first, all } = detection(2)
    assert.ok(Math.abs(first.p50Ms - 5500) < 10 && first.p99Ms < 6001, `${first.p50Ms} ${first.p99Ms}`)
    assert.ok(Math.abs(all.p50Ms - first.p50Ms) < 10 && Math.abs(all.p99Ms - first.p99Ms) < 10)
  })
})

describe('the last member', () => {
  test('knows soon after the first, since its own suspicion is nearly over', () => {
    const lags = lagValues(spreadOf(knobs(), setting(100), 2), setting(100))
    assert.ok(lags.every((lag, at) => lag > 0 && lag >= (lags[at - 1] ?? 0)))
    assert.ok((lags.at(-1) as number) < 1500)
    const { first, all } = detection(100)
    assert.ok(all.p50Ms > first.p50Ms && all.p99Ms > first.p99Ms && all.p50Ms < first.p50Ms + 1000)
  })
})

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]))
}
