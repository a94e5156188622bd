// A machine's clock, true or not.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HostClock } from '../../../src/sim/clock.ts'
import { Schedule } from '../../../src/sim/schedule.ts'
import { Traffic } from '../../../src/sim/traffic.ts'

function runTo(schedule: Schedule, ms: number): void {
  while ((schedule.next() ?? Number.POSITIVE_INFINITY) <= ms) schedule.step()
  schedule.skipTo(ms)
}

describe('sim/clock', () => {
  it('shows true time, and wakes at it', () => {
    const schedule = new Schedule()
    const clock = new HostClock(schedule)
    const woken: number[] = []
    clock.wakeAt(10.1, () => woken.push(schedule.now))
    clock.wakeAt(-1, () => woken.push(schedule.now))
    clock.wakeAt(11, () => woken.push(-1))()
    runTo(schedule, 100)
    assert.deepEqual([woken, clock.now()], [[0, 10.1], 100])
  })

  it('that runs fast shows more, and wakes earlier, also whom it was to wake before', () => {
    const schedule = new Schedule()
    const clock = new HostClock(schedule)
    const woken: number[] = []
    clock.wakeAt(100, () => woken.push(schedule.now))
    runTo(schedule, 20)
    clock.ratio = 2
    assert.equal(clock.now(), 20)
    clock.wakeAt(40, () => woken.push(schedule.now))
    runTo(schedule, 120)
    assert.deepEqual([woken, clock.now()], [[30, 60], 220])
    clock.ratio = 1
    runTo(schedule, 130)
    assert.equal(clock.now(), 230, 'a clock that is set right keeps what it shows')
  })

  it('that runs slow shows less, and wakes later', () => {
    const schedule = new Schedule()
    const clock = new HostClock(schedule)
    clock.ratio = 0.5
    const woken: number[] = []
    clock.wakeAt(100, () => woken.push(schedule.now))
    runTo(schedule, 300)
    assert.deepEqual([woken, clock.now()], [[200], 150])
  })

  it('never wakes before it shows the time, whatever is rounded', () => {
    const schedule = new Schedule()
    const clock = new HostClock(schedule)
    let woken = 0
    for (let index = 1; index <= 1_000; index++) {
      clock.ratio = 0.1 + (index % 97) / 10
      const at = clock.now() + index / 7
      clock.wakeAt(at, () => {
        woken++
        assert.ok(clock.now() >= at && clock.now() < at + 1e-3, `${clock.now()} for ${at}`)
      })
      runTo(schedule, schedule.now + 1e4 * index)
    }
    assert.equal(woken, 1_000)
  })

  it('counts the timers that it sets off at a wrong time', () => {
    const schedule = new Schedule()
    const { felt } = new Traffic()
    const clock = new HostClock(schedule, [felt])
    clock.wakeAt(1, () => {})
    runTo(schedule, 2)
    clock.ratio = 1.01
    clock.wakeAt(5, () => {})
    runTo(schedule, 10)
    assert.equal(felt.drifted, 1)
  })

  it('refuses a rate that is no drift', () => {
    const clock = new HostClock(new Schedule())
    for (const ratio of [0, -1, 0.09, 11, Number.NaN]) {
      assert.throws(() => (clock.ratio = ratio), { code: 'ERR_OPTIONS', option: 'ratio', limit: /0.1 to 10/ })
    }
    assert.equal(clock.ratio, 1)
  })
})
