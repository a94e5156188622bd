import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  binomial,
  directFails,
  healthSteps,
  helpersOf,
  packetsFail,
  probeFails,
  probeFigures,
  streamAnswers,
} from '../../../src/sim/plan-probes.ts'
import { resolveSwimOptions, type SwimOptions } from '../../../src/swim/options.ts'

const near = (value: number, wanted: number, by: number): void =>
  assert.ok(Math.abs(value / wanted - 1) <= by, `${value}, wanted ${wanted}`)
const knobs = (given: Partial<SwimOptions> = {}): SwimOptions => resolveSwimOptions('lan', given)
const setting = (members: number, lossRatio: number, latencyMs = 0.5) => ({ members, lossRatio, latencyMs })

describe('a probe of a healthy member', () => {
  // SWIM §3.1, PM(F), with q_f = 1: the chance of a failed probe, times the e / (e - 1) probes that a member gets in a period it gets any.
  const published = [
    { lossRatio: 0.01, one: 0.00124, three: 1.9e-6 },
    { lossRatio: 0.05, one: 0.0286, three: 9.8e-4 },
    { lossRatio: 0.1, one: 0.103, three: 0.0122 },
    { lossRatio: 0.2, one: 0.336, three: 0.117 },
  ]
  for (const { lossRatio, one, three } of published) {
    test(`SWIM §3.1: at ${100 * lossRatio} % loss it fails as often as the paper's PM(F) says`, () => {
      const falsely = (indirectChecks: number): number =>
        (packetsFail(knobs({ indirectChecks }), setting(1000, lossRatio), 0) * Math.E) / (Math.E - 1)
      near(falsely(1), one, 0.01)
      near(falsely(3), three, 0.03)
    })
  }

  test('nothing fails where nothing is lost', () => {
    assert.equal(probeFails(knobs(), setting(30, 0), 0), 0)
    assert.equal(directFails(0), 0)
    assert.equal(probeFigures(knobs(), setting(30, 0)).health, 0)
  })

  test('helpers are as many as there are', () => {
    assert.deepEqual(
      [2, 3, 4, 5, 100].map((members) => helpersOf(knobs(), members)),
      [0, 1, 2, 3, 3],
    )
  })

  test('helpers are of no use where their answer comes too late', () => {
    const late = packetsFail(knobs({ probeTimeoutMs: 900 }), setting(30, 0.1, 30), 0)
    assert.equal(late, directFails(0.1))
    assert.ok(packetsFail(knobs({ probeTimeoutMs: 900 }), setting(30, 0.1, 20), 0) < late)
  })
})

describe('a ping over a stream', () => {
  test('its handshake is not sent again in time at health 0', () => {
    // Five legs; of the last four, one retry each fits 200 ms, two of them 400 ms; a retry of the first takes 1 s.
    const [q, p] = [0.9, 0.1]
    near(streamAnswers(p, 490), q ** 5 * (1 + 4 * p + 6 * p ** 2), 1e-9)
    near(streamAnswers(p, 199), q ** 5, 1e-9)
  })

  test('with time enough it nearly always succeeds', () => {
    assert.ok(streamAnswers(0.3, 8000) > 0.95)
    assert.equal(streamAnswers(0.3, -1), 0)
    assert.equal(streamAnswers(0, 0), 1)
  })

  test('without it a probe fails more often', () => {
    assert.ok(
      probeFails(knobs({ streamPings: false }), setting(30, 0.1), 0) > 5 * probeFails(knobs(), setting(30, 0.1), 0),
    )
  })
})

describe('local health in the long run', () => {
  test('Lifeguard §IV-A: a nack comes too late at health 0 of lan, so that a failure counts for all helpers', () => {
    assert.deepEqual(healthSteps(knobs(), setting(30, 0.1), 0), [0, 0, 0, 1])
    const later = healthSteps(knobs(), setting(30, 0.1), 1)
    assert.ok((later[0] as number) > 0.05)
    near(
      later.reduce((sum, chance) => sum + chance, 0),
      1,
      1e-9,
    )
  })

  test('without helpers a failure counts once', () => {
    assert.deepEqual(healthSteps(knobs({ indirectChecks: 0 }), setting(30, 0.1), 0), [0, 1])
  })

  test('it gets worse with loss, and probes fewer', () => {
    const figures = [0, 0.1, 0.2, 0.3, 0.4, 0.5].map((lossRatio) => probeFigures(knobs(), setting(30, lossRatio)))
    for (const [index, { health, perSecond, failChance, healthShares }] of figures.entries()) {
      near(
        healthShares.reduce((sum, share) => sum + share, 0),
        1,
        1e-9,
      )
      if (index === 0) continue
      const before = figures[index - 1] as (typeof figures)[0]
      assert.ok(health > before.health && perSecond < before.perSecond && failChance > before.failChance)
    }
    assert.ok((figures.at(-1)?.health ?? 9) < 8)
  })

  test('where health never stretches a probe, there is one each interval', () => {
    near(probeFigures(knobs({ awarenessMaxMultiplier: 1 }), setting(30, 0.4)).perSecond, 1, 1e-9)
  })

  test('SWIM §5: at rest a member sends two packets an interval', () => {
    const { packets } = probeFigures(knobs(), setting(30, 0))
    assert.deepEqual(packets, { pings: 1, acks: 1, indirectPings: 0, relayed: 0 })
  })
})

test('a binomial distribution adds up to 1', () => {
  let sum = 0
  for (let hits = 0; hits <= 7; hits++) sum += binomial(7, hits, 0.3)
  near(sum, 1, 1e-12)
  near(binomial(4, 2, 0.5), 0.375, 1e-12)
})
