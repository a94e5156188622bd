// One suspicion: who confirms it, and when it ends. Lifeguard §IV-B, serf-behaviour §6.2.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PROFILES } from '../../../src/swim/options.ts'
import { Suspicion } from '../../../src/swim/suspicion.ts'
import { alive, Bench, type BenchSetup, dead, left, suspect } from './support.ts'

describe('Lifeguard §IV-B: a suspicion', () => {
  it('ML-33: lasts its maximum alone and its minimum with all confirmations, counted from its start', () => {
    const suspicion = new Suspicion('m2', 10, 500, PROFILES.lan)
    assert.equal(suspicion.endsAt, 500 + 24_000)
    assert.equal(suspicion.confirm('m3'), true)
    assert.equal(suspicion.endsAt, 500 + 11_381)
    assert.equal(suspicion.confirm('m4'), true)
    assert.equal(suspicion.endsAt, 500 + 4000)
  })

  it('ML-34: neither the first accuser nor one heard before confirms, and one beyond those wanted is no news', () => {
    const suspicion = new Suspicion('m2', 10, 0, PROFILES.lan)
    assert.equal(suspicion.confirm('m2'), false)
    assert.equal(suspicion.confirm('m3'), true)
    assert.equal(suspicion.confirm('m3'), false)
    assert.equal(suspicion.endsAt, 11_381)
    assert.equal(suspicion.confirm('m4'), true)
    assert.equal(suspicion.confirm('m5'), false)
    assert.equal(suspicion.confirmations, 2)
    assert.equal(suspicion.endsAt, 4000)
  })

  it('ML-36: between two members, or three, there is nobody to wait for', () => {
    for (const members of [2, 3]) {
      const suspicion = new Suspicion('m1', members, 0, PROFILES.lan)
      assert.equal(suspicion.endsAt, 4000)
      assert.equal(suspicion.confirm('m3'), false)
      assert.equal(suspicion.endsAt, 4000)
    }
  })

  it('ML-37: lasts longer by all time in which we were not there, also when it is confirmed afterwards', () => {
    const suspicion = new Suspicion('m2', 10, 500, PROFILES.lan)
    suspicion.extend(3000, 3500)
    suspicion.extend(200, 3700)
    assert.equal(suspicion.endsAt, 500 + 3200 + 24_000)
    suspicion.confirm('m3')
    assert.equal(suspicion.endsAt, 500 + 3200 + 11_381)
    suspicion.extend(100, 3800)
    suspicion.confirm('m4')
    assert.equal(suspicion.endsAt, 500 + 3300 + 4000)
  })

  it('ML-37: lasts no longer for what of a stall was before it began', () => {
    const suspicion = new Suspicion('m2', 10, 500, PROFILES.lan)
    suspicion.extend(129, 609)
    assert.equal(suspicion.endsAt, 609 + 24_000)
    suspicion.extend(50, 700)
    assert.equal(suspicion.endsAt, 659 + 24_000)
    suspicion.extend(50, 700)
    assert.equal(suspicion.endsAt, 700 + 24_000)
  })

  it('a thousand names cost no more memory than the confirmations wanted', () => {
    const suspicion = new Suspicion('m2', 10, 0, PROFILES.lan)
    const news = Array.from({ length: 1000 }, (_, at) => suspicion.confirm(`x${at}`)).filter(Boolean)
    assert.equal(news.length, 2)
  })
})

describe('serf-behaviour §6.2: a suspicion in the machine', () => {
  function bench(setup: BenchSetup = {}): Bench {
    const made = new Bench({ probeIntervalMs: 1000, seed: 3, ...setup })
    made.know(5)
    return made
  }

  /** Lets time pass while all probes are answered. */
  function passTo(made: Bench, now: number): void {
    for (let next = made.swim.nextDeadline(); next !== undefined && next <= now; next = made.swim.nextDeadline()) {
      made.step()
      for (const { messages } of made.packets()) {
        const [first] = messages
        if (first?.type === 'ping') made.ack(first.seqNo)
      }
    }
    made.now = now
  }

  it('ML-33: without confirmations the member is dead after the maximum, with two after the minimum', () => {
    for (const [accusers, endsAt] of [
      [['m3'], 24_000],
      [['m3', 'm4'], 11_381],
      [['m3', 'm4', 'm5'], 4000],
    ] as const) {
      const made = bench()
      for (const from of accusers) made.receive(suspect('m2', 1, from))
      passTo(made, endsAt - 1)
      assert.equal(made.status('m2'), 'suspect')
      passTo(made, endsAt)
      assert.equal(made.status('m2'), 'dead')
      assert.deepEqual(made.delegate.take(), ['suspected m2', 'gone m2 dead'])
    }
  })

  it('a confirmation that comes after the shortened time ends the suspicion at once', () => {
    const made = bench()
    made.receive(suspect('m2', 1, 'm3'))
    passTo(made, 15_000)
    made.receive(suspect('m2', 1, 'm4'))
    assert.equal(made.status('m2'), 'suspect')
    assert.ok((made.swim.nextDeadline() as number) <= made.now)
    made.swim.advance(made.now)
    assert.equal(made.status('m2'), 'dead')
  })

  it('the verdict names the incarnation that was accused last, and us as its source', () => {
    const made = bench()
    made.receive(suspect('m2', 1, 'm3'), suspect('m2', 4, 'm4'), suspect('m2', 4, 'm5'))
    made.hush()
    passTo(made, 4000)
    assert.deepEqual(made.spread(), [{ type: 'dead', node: 'm2', incarnation: 4, from: 'm1' }])
  })

  it('an accusation at a higher incarnation confirms the one before', () => {
    const made = bench()
    made.receive(suspect('m2', 1, 'm3'))
    passTo(made, 9000)
    made.receive(suspect('m2', 2, 'm4'))
    passTo(made, 11_380)
    assert.deepEqual([made.status('m2'), made.incarnation('m2')], ['suspect', 2])
    passTo(made, 11_381)
    assert.equal(made.status('m2'), 'dead')
  })

  it('ML-34: only confirmations that are news are gossiped on', () => {
    const made = bench()
    made.receive(suspect('m2', 1, 'm3'))
    made.hush()
    made.receive(suspect('m2', 1, 'm3'))
    assert.equal(made.swim.queued, 0)
    made.receive(suspect('m2', 1, 'm4'))
    assert.deepEqual(made.spread(), [suspect('m2', 1, 'm4')])
    made.hush()
    made.receive(suspect('m2', 1, 'm4'), suspect('m2', 1, 'm3'))
    assert.equal(made.swim.queued, 0)
  })

  it('ML-35: a refutation that arrives when the suspicion is due, but not yet judged, prevents the death', () => {
    const made = bench()
    made.receive(suspect('m2', 1, 'm3'), suspect('m2', 1, 'm4'), suspect('m2', 1, 'm5'))
    passTo(made, 3999)
    made.now = 4100
    made.receive(alive('m2', 2))
    made.swim.advance(made.now)
    passTo(made, 60_000)
    assert.deepEqual(made.delegate.take(), ['suspected m2', 'recovered m2'])
  })

  it('ML-37: a stall of ours moves the end of every one that runs, and of none that has ended', () => {
    const made = bench()
    made.receive(suspect('m2', 1, 'm3'), suspect('m3', 1, 'm2'), suspect('m4', 1, 'm2'))
    passTo(made, 1000)
    made.receive(alive('m4', 2))
    made.now = 31_000
    made.swim.stalled(30_000, made.now)
    passTo(made, 31_100)
    made.receive(suspect('m3', 1, 'm4'), suspect('m3', 1, 'm5'))
    passTo(made, 33_999)
    assert.deepEqual([made.status('m2'), made.status('m3'), made.status('m4')], ['suspect', 'suspect', 'alive'])
    passTo(made, 34_000)
    assert.deepEqual([made.status('m2'), made.status('m3')], ['suspect', 'dead'])
    passTo(made, 53_999)
    assert.equal(made.status('m2'), 'suspect')
    passTo(made, 54_000)
    assert.equal(made.status('m2'), 'dead')
    assert.equal(made.status('m4'), 'alive')
  })

  it('one that has ended leaves no deadline behind, however it ended', () => {
    for (const end of [alive('m2', 2), dead('m2', 1, 'm3'), left('m2', 1)]) {
      const made = bench()
      passTo(made, 250)
      made.receive(suspect('m2', 1, 'm3'))
      passTo(made, 300)
      made.receive(end)
      const deadlines = new Set<number>()
      while (made.now < 30_000) {
        const next = made.swim.nextDeadline() as number
        deadlines.add(next)
        passTo(made, next)
      }
      assert.ok(deadlines.size > 20, 'probes go on')
      assert.ok(!deadlines.has(24_250), end.type)
    }
  })

  it('a second suspicion after a refutation runs its own full time', () => {
    const made = bench()
    made.receive(suspect('m2', 1, 'm3'))
    passTo(made, 10_000)
    made.receive(alive('m2', 2), suspect('m2', 2, 'm3'))
    passTo(made, 33_999)
    assert.equal(made.status('m2'), 'suspect')
    passTo(made, 34_000)
    assert.equal(made.status('m2'), 'dead')
  })
})
