import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  allKnowChance,
  fanoutOf,
  medianHearingMs,
  quantileMs,
  spreadOf,
  waitsForExchange,
} from '../../../src/sim/plan-spread.ts'
import { resolveSwimOptions, type SwimOptions } from '../../../src/swim/options.ts'

const knobs = (given: Partial<SwimOptions> = {}): SwimOptions => resolveSwimOptions('lan', given)
const setting = (members: number, lossRatio = 0, latencyMs = 0) => ({ members, lossRatio, latencyMs })

describe('news', () => {
  // Seconds until 99 % know, by the simulator on Serf's site: it has half the growth, and counts whole rounds of 0.2 s.
  const published = [
    { members: 30, seconds: 1.2 },
    { members: 100, seconds: 1.4 },
    { members: 1000, seconds: 1.6 },
    { members: 10_000, seconds: 2 },
    { members: 100_000, seconds: 2.2 },
  ]
  for (const { members, seconds } of published) {
    test(`grows among ${members} twice as fast as Serf's own simulator has it, to a round`, () => {
      const { growth } = spreadOf(knobs(), setting(members), 0)
      const ours = Math.log(99 * (members + 1)) / growth
      assert.ok(2 * ours <= seconds && 2 * ours > seconds - 0.2, `${2 * ours} s, published ${seconds}`)
    })
  }

  test('SWIM §4.1: of whom one period of the paper’s infection tells, as many know as its formula says', () => {
    // Two packets a period, nothing else: the growth is 2 a period.
    const { growth } = spreadOf(knobs({ gossipIntervalMs: 0 }), setting(100), 2)
    const known = (seconds: number): number => 100 / (1 + 99 * Math.exp(-growth * seconds))
    for (const [at, wanted] of [6.9, 35.1, 79.8, 96.7, 99.5].entries()) {
      assert.ok(Math.abs(known(at + 1) - wanted) < 0.6, `${known(at + 1)} after ${at + 1}`)
    }
  })

  test('is slower with loss, with latency, and with a smaller fan-out', () => {
    const { growth } = spreadOf(knobs(), setting(100), 2)
    assert.ok(spreadOf(knobs(), setting(100, 0.2), 2).growth < growth)
    assert.ok(spreadOf(knobs(), setting(100, 0, 50), 2).growth < growth)
    assert.ok(spreadOf(knobs({ gossipFanout: 2 }), setting(100), 2).growth < growth)
    assert.equal(fanoutOf(knobs(), 3), 2)
  })

  test('with latency it grows as e^(βt) does that is late by the latency', () => {
    const { growth } = spreadOf(knobs(), setting(1000, 0, 50), 0)
    assert.ok(Math.abs(growth - 15 * Math.exp(-growth * 0.05)) < 1e-9)
  })

  test('the luck of the beginning is 1 on average', () => {
    for (const lossRatio of [0, 0.3]) {
      const { luck } = spreadOf(knobs(), setting(100, lossRatio), 2)
      const mean = luck.reduce((sum, value) => sum + value, 0) / luck.length
      assert.ok(Math.abs(mean - 1) < 0.1, `${mean}`)
      assert.ok(luck.every((value) => value > 0))
    }
  })
})

describe('whom gossip misses', () => {
  test('becomes rarer by a factor with each doubling of the transmits, and more common with loss', () => {
    const missed = (given: Partial<SwimOptions>, lossRatio: number): number =>
      spreadOf(knobs(given), setting(100, lossRatio), 2).missed
    // λ log n transmits: e^(-12) of a hundred members, about (SWIM §4.1).
    assert.ok(Math.abs(Math.log(missed({}, 0)) + 12) < 0.5, `${missed({}, 0)}`)
    assert.ok(missed({ retransmitMult: 8 }, 0) < missed({}, 0) ** 1.9)
    assert.ok(missed({}, 0.3) > 10 * missed({}, 0))
  })

  test('hears in a full exchange, at the latest its own next one', () => {
    assert.equal(waitsForExchange(knobs(), 10, 0), 1)
    assert.equal(waitsForExchange(knobs(), 10, 30_000), 0)
    assert.ok(Math.abs(waitsForExchange(knobs(), 10, 15_000) - 0.5 * Math.exp(-0.5)) < 1e-12)
    assert.equal(waitsForExchange(knobs({ pushPullIntervalMs: 0 }), 10, 1e9), 1)
    assert.ok(waitsForExchange(knobs(), 100, 30_000) > 0, 'with more members the interval is longer')
  })

  test('decides the 99th percentile of small clusters under loss', () => {
    const of = (lossRatio: number): number => {
      const spread = spreadOf(knobs(), setting(30, lossRatio), 2)
      return quantileMs((ms) => allKnowChance(spread, knobs(), setting(30, lossRatio), ms), 0.99, 1e6) ?? Number.NaN
    }
    assert.ok(of(0) < 1000)
    assert.ok(of(0.2) > 5000)
  })
})

test('the time for all grows with the logarithm of their number', () => {
  const all = [10, 100, 1000, 10_000].map((members) => {
    const spread = spreadOf(knobs(), setting(members), 2)
    return quantileMs((ms) => allKnowChance(spread, knobs(), setting(members), ms), 0.5, 1e6) ?? Number.NaN
  })
  const steps = all.slice(1).map((ms, at) => ms - (all[at] as number))
  // A factor of ten is 2 ln(10) / β: the last one is as slow as the first.
  for (const step of steps) assert.ok(Math.abs(step - (2000 * Math.log(10)) / 17) < 30, `${steps}`)
  assert.ok(medianHearingMs(spreadOf(knobs(), setting(100), 2), setting(100)) < (all[1] as number))
})

test('a quantile is the first time with that chance, and undefined where there is none', () => {
  const chance = (ms: number): number => Math.min(0.9, ms / 100)
  assert.ok(Math.abs((quantileMs(chance, 0.5, 1000) ?? 0) - 50) < 1e-6)
  assert.equal(quantileMs(chance, 0.95, 1000), undefined)
})
