// Local health: Lifeguard §IV-A, serf-behaviour §6.1.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Awareness } from '../../../src/swim/awareness.ts'

describe('Lifeguard §IV-A: local health', () => {
  it('ML-30: the score is the sum of what happened, cut to 0 and to the multiplier less one at every step', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.array(fc.integer({ min: -3, max: 5 })), (multiplier, deltas) => {
        const awareness = new Awareness(multiplier)
        let expected = 0
        for (const delta of deltas) {
          awareness.apply(delta)
          expected = Math.min(multiplier - 1, Math.max(0, expected + delta))
          assert.equal(awareness.score, expected)
        }
      }),
    )
  })

  it('a time is stretched by the score plus one', () => {
    const awareness = new Awareness(8)
    assert.equal(awareness.scale(1000), 1000)
    awareness.apply(3)
    assert.equal(awareness.scale(1000), 4000)
    awareness.apply(100)
    assert.equal(awareness.scale(1000), 8000)
  })

  it('with a multiplier of 1 nothing is ever stretched', () => {
    const awareness = new Awareness(1)
    awareness.apply(5)
    assert.equal(awareness.scale(1000), 1000)
  })
})
