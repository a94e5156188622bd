import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Mistakes, mistakesOf } from '../../../src/sim/plan-mistakes.ts'
import { probeFigures } from '../../../src/sim/plan-probes.ts'
import { spreadOf } from '../../../src/sim/plan-spread.ts'
import { resolveSwimOptions, type SwimOptions } from '../../../src/swim/options.ts'

function mistakes(members: number, lossRatio: number, given: Partial<SwimOptions> = {}): Mistakes {
  const options = resolveSwimOptions('lan', given)
  const setting = { members, lossRatio, latencyMs: 0.5 }
  return mistakesOf(options, setting, probeFigures(options, setting), spreadOf(options, setting, 2))
}

describe('mistakes', () => {
  test('there are none where nothing is lost', () => {
    assert.deepEqual(mistakes(30, 0), { suspicionsPerSecond: 0, verdictsPerSecond: 0, verdictsToldPerSecond: 0 })
  })

  test('accusations are the failed probes of all, as long as they are rare', () => {
    const options = resolveSwimOptions('lan', {})
    const { failChance, perSecond } = probeFigures(options, { members: 30, lossRatio: 0.05, latencyMs: 0.5 })
    const ratio = mistakes(30, 0.05).suspicionsPerSecond / (30 * failChance * perSecond)
    assert.ok(ratio < 1 && ratio > 0.999, `${ratio}`)
  })

  test('a member that is accused already is not accused anew: the more accusations, the more fall together', () => {
    const options = resolveSwimOptions('lan', {})
    const { failChance, perSecond } = probeFigures(options, { members: 30, lossRatio: 0.4, latencyMs: 0.5 })
    const ratio = mistakes(30, 0.4).suspicionsPerSecond / (30 * failChance * perSecond)
    assert.ok(ratio < 0.95 && ratio > 0.7, `${ratio}`)
  })

  test('more loss makes more of all of them', () => {
    const all = [0.05, 0.1, 0.2, 0.3].map((lossRatio) => mistakes(30, lossRatio))
    for (const [index, now] of all.entries()) {
      const before = all[index - 1]
      assert.ok(now.verdictsPerSecond < now.suspicionsPerSecond / 10)
      assert.ok(now.verdictsToldPerSecond >= now.verdictsPerSecond)
      if (before === undefined) continue
      assert.ok(now.suspicionsPerSecond > 5 * before.suspicionsPerSecond || now.suspicionsPerSecond > 1)
      assert.ok(now.verdictsPerSecond > before.verdictsPerSecond)
    }
  })

  test('verdicts, not accusations, become fewer with longer suspicions and with more transmits', () => {
    const usual = mistakes(10, 0.2)
    const patient = mistakes(10, 0.2, { suspicionMaxTimeoutMult: 12 })
    const loud = mistakes(10, 0.2, { retransmitMult: 6 })
    for (const { suspicionsPerSecond } of [patient, loud]) {
      assert.ok(Math.abs(suspicionsPerSecond / usual.suspicionsPerSecond - 1) < 0.05)
    }
    assert.ok(patient.verdictsPerSecond < usual.verdictsPerSecond / 2)
    assert.ok(loud.verdictsPerSecond < usual.verdictsPerSecond / 10)
  })

  test('without full exchanges nothing heals a suspicion but time and the next accusation', () => {
    assert.ok(mistakes(10, 0.2, { pushPullIntervalMs: 0 }).verdictsPerSecond > 2 * mistakes(10, 0.2).verdictsPerSecond)
  })

  test('of five at half loss as many are declared dead as were counted, 45 in 1,000 s: their own probes confirm too', () => {
    const verdicts = 1000 * mistakes(5, 0.5).verdictsPerSecond
    assert.ok(verdicts > 45 / 1.8 && verdicts < 45 * 1.8, `${verdicts}`)
  })

  test('of thirty at 30 % loss about ten hear of each, as was counted: verdict and refutation run against each other', () => {
    const { verdictsPerSecond, verdictsToldPerSecond } = mistakes(30, 0.3)
    const each = verdictsToldPerSecond / verdictsPerSecond
    assert.ok(each > 6 && each < 16, `${each}`)
    // Where nothing heals it, time ends a rare one, and nobody believes the verdict.
    const alone = mistakes(30, 0.05, { pushPullIntervalMs: 0 })
    assert.ok(alone.verdictsToldPerSecond < 2 * alone.verdictsPerSecond)
  })

  test('also where nobody is asked to confirm, chances are chances', () => {
    for (const suspicionMult of [1, 2, 3, 8]) {
      const { suspicionsPerSecond, verdictsPerSecond, verdictsToldPerSecond } = mistakes(20, 0.3, { suspicionMult })
      assert.ok(verdictsPerSecond > 0 && verdictsPerSecond <= suspicionsPerSecond * 19)
      assert.ok(verdictsToldPerSecond <= verdictsPerSecond * 19)
    }
  })
})
