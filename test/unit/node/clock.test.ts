import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../../src/driver/host.ts'
import { makeClock } from '../../../src/node/clock.ts'

/** Time and one timer by hand. */
class Hand {
  readonly armed: { delayMs: number; fire: () => void }[] = []
  now: number
  readonly clock: Clock

  constructor(now = 0) {
    this.now = now
    this.clock = makeClock(
      () => this.now,
      (delayMs, fire) => {
        const timer = { delayMs, fire }
        this.armed.push(timer)
        return () => {
          const at = this.armed.indexOf(timer)
          if (at >= 0) this.armed.splice(at, 1)
        }
      },
    )
  }

  /** Fires the timer, `earlyMs` before its time. */
  fire(earlyMs = 0): void {
    const timer = this.armed.shift()
    assert.ok(timer, 'a timer is armed')
    this.now += timer.delayMs - earlyMs
    timer.fire()
  }
}

describe('node/clock.ts', () => {
  it('asks for whole milliseconds, rounded up', () => {
    const hand = new Hand(10.25)
    hand.clock.wakeAt(13, () => {})
    assert.equal(hand.armed[0]?.delayMs, 3)
  })

  it('arms an early timer again instead of waking before the time', () => {
    const hand = new Hand()
    let wokenAt: number | undefined
    hand.clock.wakeAt(100, () => {
      wokenAt = hand.now
    })
    hand.fire(0.8)
    assert.equal(wokenAt, undefined)
    assert.equal(hand.armed.length, 1)
    hand.fire()
    assert.ok(wokenAt !== undefined && wokenAt >= 100)
    assert.equal(hand.armed.length, 0)
  })

  it('wakes for a time that has passed, but not inside the call', () => {
    const hand = new Hand(50)
    let wakes = 0
    hand.clock.wakeAt(20, () => wakes++)
    assert.equal(wakes, 0)
    hand.fire()
    assert.equal(wakes, 1)
  })

  it('sleeps longer than setTimeout can by arming again', () => {
    const hand = new Hand()
    const at = 2 ** 31 + 5000
    let wakes = 0
    hand.clock.wakeAt(at, () => wakes++)
    assert.equal(hand.armed[0]?.delayMs, 2 ** 31 - 1)
    hand.fire()
    assert.equal(wakes, 0)
    assert.equal(hand.armed[0]?.delayMs, 5001)
    hand.fire()
    assert.equal(wakes, 1)
  })

  it('never wakes once cancelled, also after it was armed again', () => {
    const hand = new Hand()
    const cancel = hand.clock.wakeAt(100, () => assert.fail('woken'))
    hand.fire(1)
    cancel()
    cancel()
    assert.equal(hand.armed.length, 0)
  })
})
