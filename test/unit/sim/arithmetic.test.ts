// Logarithm and exponential without the engine's own.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { expOf, logOf } from '../../../src/sim/arithmetic.ts'

const isNear = (left: number, right: number): boolean => Math.abs(left - right) <= 1e-13 * Math.max(1, Math.abs(right))

describe('sim/arithmetic', () => {
  it('has the logarithm that Math has, but for the last digits', () => {
    for (const value of [2 ** -32, 1e-6, 0.1, 0.5, 0.749, 0.75, 1, 1.5, 1.501, 2, Math.E, 10, 12_345, 1e12]) {
      assert.ok(isNear(logOf(value), Math.log(value)), `ln ${value} is not ${logOf(value)}`)
    }
    assert.equal(logOf(1), 0)
  })

  it('has the exponential that Math has, but for the last digits', () => {
    for (const value of [-700, -20, -1, -0.1, 0, 1e-9, 0.3, 0.35, 1, 2.5, 20, 100]) {
      assert.ok(isNear(expOf(value) / Math.exp(value), 1), `exp ${value} is not ${expOf(value)}`)
    }
    assert.equal(expOf(0), 1)
  })

  it('gives a number for every exponent', () => {
    assert.ok(expOf(1e9) < Number.POSITIVE_INFINITY)
    assert.ok(expOf(-1e9) > 0)
  })

  it('has these very bits', () => {
    assert.deepEqual([logOf(0.001), logOf(3), expOf(1), expOf(-3.3)].map(String), [
      '-6.907755278982137',
      '1.0986122886681098',
      '2.7182818284590446',
      '0.036883167401240015',
    ])
  })
})
