// What counts as absence: time after a timer was due, and time without any timer, until the next step.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Presence } from '../../../src/sim/presence.ts'

function process() {
  const clock = { now: 100 }
  const presence = new Presence(() => clock.now)
  const stepAt = (at: number): number => {
    clock.now = at
    presence.step()
    return presence.absentMs
  }
  return { presence, stepAt }
}

describe('sim/presence.ts', () => {
  it('who does something before it is to wake, or just then, was there', () => {
    const { presence, stepAt } = process()
    presence.arm(150)
    assert.deepEqual([stepAt(120), stepAt(150)], [0, 0])
  })

  it('who does nothing from the moment of its earliest timer on was not, until it does', () => {
    const { presence, stepAt } = process()
    presence.arm(150)
    presence.arm(400)
    assert.deepEqual([stepAt(120), stepAt(180), stepAt(200)], [0, 30, 50])
  })

  it('a timer that was taken back, or has come, is waited for no more', () => {
    const { presence, stepAt } = process()
    const disarm = presence.arm(150)
    presence.arm(400)
    disarm()
    disarm()
    assert.deepEqual([stepAt(300), stepAt(410)], [0, 10])
  })

  it('all time without a timer counts', () => {
    const { stepAt } = process()
    assert.deepEqual([stepAt(130), stepAt(135)], [30, 35])
  })
})
