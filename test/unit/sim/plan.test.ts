import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OptionsError } from '../../../src/base/errors.ts'
import { type PlanOptions, planCluster } from '../../../src/sim/plan.ts'
import { PROFILES } from '../../../src/swim/options.ts'

describe('a plan', () => {
  test('takes the defaults of the profile, and any knob in their place', () => {
    assert.deepEqual(planCluster({ members: 10 }).options, PROFILES.lan)
    assert.deepEqual(planCluster({ members: 10, profile: 'wan' }).options, PROFILES.wan)
    assert.equal(planCluster({ members: 10, suspicionMult: 6 }).options.suspicionMult, 6)
  })

  test('says of a healthy lan what memberlist and SWIM promise', () => {
    const { detection, told, suspicionMs, mistakes, traffic, notes } = planCluster({ members: 100 })
    assert.ok(Math.abs(detection.first.p50Ms - (8000 + 1000 * (1 + Math.LN2))) < 50)
    assert.ok(told !== undefined && told.p50Ms < 800 && told.p99Ms < 1200)
    assert.equal(suspicionMs.at(-1), 8000)
    assert.deepEqual(mistakes, { suspicionsPerDay: 0, verdictsPerDay: 0, verdictsToldPerDay: 0, health: 0 })
    assert.equal(traffic.sent.packets, 2)
    assert.deepEqual(notes, [])
  })

  test('is instant, also for the largest cluster', () => {
    // Of this process alone: others may keep the machine busy.
    const before = process.cpuUsage()
    planCluster({ members: 100_000, lossRatio: 0.01 })
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 1_000_000, `${user + system} microseconds`)
  })

  test('every figure is a number, and is what it is called, for every size, loss and profile', () => {
    for (const profile of ['lan', 'wan', 'local'] as const) {
      for (const members of [2, 3, 5, 33, 500]) {
        for (const lossRatio of [0, 0.001, 0.25, 0.5]) {
          const plan = planCluster({ members, lossRatio, profile })
          for (const times of [plan.detection.first, plan.detection.all, plan.told]) {
            if (times === undefined) continue
            assert.ok(times.p50Ms >= 0 && times.p99Ms >= times.p50Ms && Number.isFinite(times.p99Ms))
          }
          const figures = [...Object.values(plan.mistakes), ...Object.values(plan.traffic.streams)]
          for (const value of figures) assert.ok(value === undefined || (value >= 0 && Number.isFinite(value)))
          const isWhole = plan.told !== undefined && plan.detection.all !== undefined
          assert.ok(isWhole || plan.notes.length > 0, 'what is not known is told why')
        }
      }
    }
  })
})

describe('what has no formula is undefined and said so', () => {
  test('where news of suspicions stands in its own way', () => {
    const { detection, told, mistakes, notes } = planCluster({ members: 1000, lossRatio: 0.3 })
    assert.deepEqual([detection.all, told, mistakes.verdictsPerDay], [undefined, undefined, undefined])
    assert.ok(mistakes.suspicionsPerDay > 0)
    assert.match(notes[0] as string, /^News of suspicions takes \d+ % of what gossip carries/)
  })

  test('where gossip misses some, and no exchange follows', () => {
    const { told, notes } = planCluster({ members: 50, lossRatio: 0.4, pushPullIntervalMs: 0, retransmitMult: 1 })
    assert.equal(told, undefined)
    assert.match(notes[0] as string, /no full exchanges/)
  })

  test('and above 30 % loss the rest is rough', () => {
    assert.match(planCluster({ members: 10, lossRatio: 0.4 }).notes.join(), /within a factor/)
  })
})

describe('a mistake in the options is told at once', () => {
  const wrong: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ['members', {}, /whole number from 2 to 100000/],
    ['members', { members: 1 }, /from 2/],
    ['members', { members: 2.5 }, /whole/],
    ['lossRatio', { members: 3, lossRatio: 0.51 }, /from 0 to 0.5/],
    ['lossRatio', { members: 3, lossRatio: Number.NaN }, /from 0/],
    ['latencyMs', { members: 3, latencyMs: -1 }, /from 0/],
    ['latencyMs', { members: 3, latencyMs: 250 }, /half of probeTimeoutMs, which is 500/],
    ['tagBytes', { members: 3, tagBytes: 513 }, /to 512/],
    ['nameBytes', { members: 3, nameBytes: 0 }, /from 1/],
    ['encrypted', { members: 3, encrypted: 'yes' }, /true or false/],
    ['profile', { members: 3, profile: 'moon' }, /'lan', 'wan' or 'local'/],
    ['suspicionMult', { members: 3, suspicionMult: 0 }, /from 1/],
    ['suspicionMulti', { members: 3, suspicionMulti: 4 }, /no such option/],
  ]
  for (const [option, given, limit] of wrong) {
    test(`${option}: ${JSON.stringify(given)}`, () => {
      assert.throws(
        () => planCluster(given as unknown as PlanOptions),
        (error) => error instanceof OptionsError && error.option === option && limit.test(error.limit),
      )
    })
  }

  test('nothing at all', () => {
    assert.throws(() => planCluster(undefined as unknown as PlanOptions), OptionsError)
  })
})
