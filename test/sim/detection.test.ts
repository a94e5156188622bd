// A member crashes in a cluster of fifty: how soon is it known, and is anyone else ever accused to the end.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allKnowWithinMs, medianFirstVerdictMs, neverLaterThanMs } from './support/bounds.ts'
import { forEachSeed, seeds } from './support/seeds.ts'
import { inSeconds, spreadOf } from './support/timing.ts'

const MEMBERS = 50
const SEEDS = 100

describe('50 members at lan, one crashes', () => {
  const test = 'all know within the formula of the detector, and nobody else is ever declared dead'
  it(test, async (context) => {
    const boundMs = allKnowWithinMs(MEMBERS)
    const settled: number[] = []
    const first: number[] = []
    const all: number[] = []
    const startedAt = performance.now()
    await forEachSeed({ file: import.meta.url, test, checked: 5 }, SEEDS, {}, async (cluster) => {
      await cluster.start(MEMBERS)
      await cluster.settle({ withinMs: 180_000 })
      settled.push(cluster.now)
      // Any member but the contact of the others, at a moment that owes nothing to when they started.
      const dice = cluster.simulation.random('victim')
      const victim = `m-${2 + dice.below(MEMBERS - 1)}`
      await cluster.run(10_000 * dice.fraction())
      const crashedAt = cluster.now
      cluster.crash(victim)
      await cluster.until(() => cluster.names.every((name) => cluster.member(name).member(victim)?.state === 'dead'), {
        withinMs: boundMs,
        what: `all know that ${victim} is dead`,
      })
      await cluster.run(5_000)
      const verdicts = cluster.events.filter(({ type }) => type === 'member-dead')
      const wrong = verdicts.filter(({ about, atMs }) => about !== victim || atMs < crashedAt)
      assert.deepEqual(wrong, [], 'nobody else is declared dead')
      const observers = new Set(verdicts.map(({ observer }) => observer))
      assert.equal(observers.size, MEMBERS - 1)
      assert.equal(verdicts.length, MEMBERS - 1, 'each told it once')
      const times = verdicts.map(({ atMs }) => atMs - crashedAt)
      first.push(Math.min(...times))
      all.push(Math.max(...times))
    })
    assert.equal(all.length, seeds(SEEDS).length)
    context.diagnostic(`${all.length} of ${all.length} seeds, p50 / p99 / max in virtual s, after the crash:`)
    context.diagnostic(`first verdict ${inSeconds(spreadOf(first))}, all know ${inSeconds(spreadOf(all))}`)
    context.diagnostic(`bound ${boundMs / 1_000}, without any luck ${neverLaterThanMs(MEMBERS) / 1_000}`)
    context.diagnostic(`all joined and agreed at ${inSeconds(spreadOf(settled))}`)
    context.diagnostic(`${((performance.now() - startedAt) / all.length).toFixed(0)} ms of real time a seed`)
    if (all.length < SEEDS) return // one seed says nothing of a median
    const medianMs = medianFirstVerdictMs(MEMBERS)
    const offMs = Math.abs(spreadOf(first).p50 - medianMs)
    assert.ok(
      offMs < 400,
      `the median of the first verdict is ${offMs.toFixed(0)} ms from the formula's ${medianMs.toFixed(0)} ms`,
    )
  })
})

describe('the bound itself', () => {
  it('has the numbers its comment says, and grows with the cluster', () => {
    assert.ok(allKnowWithinMs(50) < neverLaterThanMs(50))
    assert.ok(allKnowWithinMs(50) > medianFirstVerdictMs(50))
    assert.ok(allKnowWithinMs(500) > allKnowWithinMs(50))
    assert.deepEqual(
      [50, 500].map((members) => Math.round(medianFirstVerdictMs(members))),
      [8_485, 12_485],
    )
    assert.equal(allKnowWithinMs(50), 25_392)
  })
})
