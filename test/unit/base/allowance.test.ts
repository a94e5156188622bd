import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Allowance } from '../../../src/base/allowance.ts'

describe('an allowance', () => {
  test('gives what there is at once, then what comes back, in any portions', () => {
    const allowance = new Allowance({ most: 10, perSecond: 4 })
    assert.equal(allowance.take(7, 5000), true)
    assert.equal(allowance.take(3, 5000), true)
    assert.equal(allowance.take(1, 5000), false)
    assert.equal(allowance.take(1, 5249), false)
    assert.equal(allowance.take(1, 5250), true)
    assert.equal(allowance.take(1, 5499), false)
    assert.equal(allowance.take(2, 5750), true)
  })

  test('what is too much takes nothing', () => {
    const allowance = new Allowance({ most: 10, perSecond: 4 })
    assert.equal(allowance.take(11, 0), false)
    assert.equal(allowance.take(10, 0), true)
  })

  test('never holds more than at the start, and a clock that goes back brings nothing', () => {
    const allowance = new Allowance({ most: 10, perSecond: 4 })
    assert.equal(allowance.take(10, 0), true)
    assert.equal(allowance.take(11, 1_000_000), false)
    assert.equal(allowance.take(10, 1_000_000), true)
    assert.equal(allowance.take(1, 0), false)
    assert.equal(allowance.take(1, 1_000_000), false)
  })
})
