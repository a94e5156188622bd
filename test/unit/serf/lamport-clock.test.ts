import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LamportClock } from '../../../src/serf/lamport-clock.ts'

function clockAt(time: number): LamportClock {
  const clock = new LamportClock()
  assert.ok(time === 1 || clock.witness(time - 1))
  return clock
}

describe('LamportClock', () => {
  it('gives 1 as its first time, and moves on by one', () => {
    const clock = new LamportClock()
    assert.deepEqual([clock.increment(), clock.increment(), clock.time], [1, 2, 3])
  })

  it('SF-01: a time below ours changes nothing, an equal one or a later one puts ours just above it', () => {
    for (const [seen, after] of [
      [0, 10],
      [9, 10],
      [10, 11],
      [11, 12],
      [500, 501],
    ] as const) {
      const clock = clockAt(10)
      assert.equal(clock.witness(seen), true)
      assert.equal(clock.time, after, `after seeing ${seen}`)
    }
  })

  it('a leap of 2^40 is believed, one more is not and changes nothing', () => {
    const clock = clockAt(10)
    assert.equal(clock.witness(10 + 2 ** 40 + 1), false)
    assert.equal(clock.time, 10)
    assert.equal(clock.witness(10 + 2 ** 40), true)
    assert.equal(clock.time, 11 + 2 ** 40)
  })

  it('a forged time of 64 bits does not turn the clock back to zero', () => {
    const clock = clockAt(10)
    assert.equal(clock.witness(2n ** 64n - 1n), false)
    assert.equal(clock.witness(BigInt(Number.MAX_SAFE_INTEGER) + 1n), false)
    assert.equal(clock.time, 10)
  })

  it('never falls, and is above everything it believed', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(1000), fc.maxSafeNat())), (seen) => {
        const clock = new LamportClock()
        for (const time of seen) {
          const before = clock.time
          if (clock.witness(time)) assert.ok(clock.time > time)
          else assert.equal(clock.time, before)
          assert.ok(clock.time >= before)
        }
      }),
    )
  })
})
