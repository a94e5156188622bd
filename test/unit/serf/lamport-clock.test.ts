import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LamportClock } from '../../../src/serf/lamport-clock.ts'

function clockAt(time: number): LamportClock {
  const clock = new LamportClock()
  assert.ok(time === 1 || clock.witness(time - 1, 0))
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
      assert.equal(clock.witness(seen, 0), true)
      assert.equal(clock.time, after, `after seeing ${seen}`)
    }
  })

  it('a leap of 2^40 is believed; one more is not, and takes us as far', () => {
    const clock = new LamportClock()
    assert.equal(clock.witness(2 ** 40, 0), true)
    assert.equal(clock.time, 1 + 2 ** 40)
    const other = new LamportClock()
    assert.equal(other.witness(2 ** 40 + 1, 0), false)
    assert.equal(other.time, 1 + 2 ** 40)
    assert.equal(other.witness(2 ** 40 + 2, 0), false, 'nothing is left of the leap')
    assert.equal(other.time, 1 + 2 ** 40)
  })

  it('of members a few messages apart none is left behind by what the foremost believes', () => {
    const [ahead, behind] = [clockAt(1000), clockAt(3)]
    const forged = ahead.time + 2 ** 40 - 1
    assert.equal(ahead.witness(forged, 5000), true)
    assert.equal(behind.witness(forged, 5000), false)
    assert.equal(behind.witness(forged, 5001), true, 'a thousand ticks grow back in a millisecond')
    assert.equal(behind.time, ahead.time)
  })

  it('a time that none may ever believe changes nothing', () => {
    const clock = clockAt(10)
    assert.equal(clock.witness(2 ** 52 + 1, 0), false)
    assert.equal(clock.time, 10)
    assert.equal(clock.witness(2 ** 40, 0), true, 'all of the leap is left')
  })

  it('leaps add up: 65 of them do not wear it out, and every honest step is believed all the same', () => {
    const clock = new LamportClock()
    const believed = Array.from({ length: 65 }, () => clock.witness(clock.time + 2 ** 40 - 1, 0)).filter(Boolean)
    assert.equal(believed.length, 1)
    for (let step = 0; step < 1000; step++) {
      const { time } = clock
      assert.equal(clock.witness(time, 0), true)
      assert.equal(clock.time, time + 1)
    }
  })

  it('what was leapt grows back by 2^20 a second, up to 2^40', () => {
    const clock = new LamportClock()
    assert.ok(clock.witness(2 ** 40, 0))
    const { time } = clock
    assert.equal(clock.witness(time + 2 ** 20 - 1, 1000), true)
    assert.equal(clock.witness(clock.time + 1, 1000), false)
    assert.equal(clock.time, time + 2 ** 20)
    const rested = 1000 + (2 ** 40 / 2 ** 20) * 1000 * 5
    const later = clock.time
    assert.equal(clock.witness(later + 2 ** 40, rested), false)
    assert.equal(clock.time, later + 2 ** 40)
  })

  it('a thousand forged leaps a second for a year leave it exact', () => {
    const clock = new LamportClock()
    const dayMs = 86_400_000
    for (let now = 0; now <= 365 * dayMs; now += dayMs / 4) {
      for (let bits = 50; bits >= 1; bits--) clock.witness(clock.time + 2 ** bits, now)
    }
    assert.ok(clock.time <= 2 + 2 ** 40 + 2 ** 20 * 86_400 * 365, `${clock.time}`)
    assert.ok(clock.time < 2 ** 45)
  })

  it('the first answer is believed up to 2^51, however old the cluster is; the second is held to the leap', () => {
    const clock = new LamportClock()
    assert.equal(clock.witnessAnswer(2 ** 45, 0), true)
    assert.equal(clock.time, 2 ** 45 + 1)
    assert.equal(clock.witness(2 ** 45 + 2 ** 39, 0), true, 'the leap is still to be had')
    assert.equal(clock.witnessAnswer(2 ** 46, 0), false)
    assert.equal(clock.witnessAnswer(3, 0), true)
    assert.equal(clock.time, 2 ** 45 + 2 ** 40 + 1)
    for (const [told, time] of [
      [2 ** 51, 2 ** 51 + 1],
      [2 ** 51 + 1, 2 ** 40 + 1],
      [2 ** 52 + 1, 1],
      [2n ** 64n - 1n, 1],
    ] as const) {
      const fresh = new LamportClock()
      assert.equal(fresh.witnessAnswer(told, 0), told === 2 ** 51)
      assert.equal(fresh.time, time)
    }
  })

  it('a forged time of 64 bits does not turn the clock back to zero', () => {
    const clock = clockAt(10)
    assert.equal(clock.witness(2n ** 64n - 1n, 0), false)
    assert.equal(clock.witness(BigInt(Number.MAX_SAFE_INTEGER) + 1n, 0), false)
    assert.equal(clock.time, 10)
  })

  it('never falls, and is above everything it believed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(fc.nat(1000), fc.maxSafeNat()), fc.nat(10_000), fc.boolean())), (seen) => {
        const clock = new LamportClock()
        let now = 0
        for (const [time, pause, isExchange] of seen) {
          now += pause
          const before = clock.time
          const isBelieved = isExchange ? clock.witnessAnswer(time, now) : clock.witness(time, now)
          assert.equal(clock.time > time, isBelieved)
          assert.ok(clock.time >= before)
        }
      }),
    )
  })
})
