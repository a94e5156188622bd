// The thread of a process that is stopped, starved or slow.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Random } from '../../../src/base/random.ts'
import { EventLoop } from '../../../src/sim/event-loop.ts'
import { Schedule } from '../../../src/sim/schedule.ts'
import { Traffic } from '../../../src/sim/traffic.ts'

interface Bench {
  readonly schedule: Schedule
  readonly loop: EventLoop
  readonly traffic: Traffic
  readonly log: string[]
  readonly arrive: (at: number, name: string, bytes?: number) => void
  readonly due: (at: number, name: string) => void
  readonly runTo: (ms: number) => void
}

function bench(bufferBytes = 10_000): Bench {
  const schedule = new Schedule()
  const traffic = new Traffic()
  const loop = new EventLoop({ schedule, random: new Random(1), bufferBytes, felt: [traffic.felt] })
  const log: string[] = []
  const note = (name: string) => (): void => void log.push(`${schedule.now} ${name}`)
  return {
    schedule,
    loop,
    traffic,
    log,
    arrive: (at, name, bytes = 100) =>
      void schedule.at(at, () => {
        if (!loop.arrive(bytes, note(name))) log.push(`${schedule.now} ${name} lost`)
      }),
    due: (at, name) => void schedule.at(at, () => loop.due(note(name))),
    runTo: (ms) => {
      while ((schedule.next() ?? Number.POSITIVE_INFINITY) <= ms) schedule.step()
      schedule.skipTo(ms)
    },
  }
}

describe('sim/event-loop', () => {
  it('in good health hands over at once, whatever the size', () => {
    const { loop, log, arrive, due, runTo, traffic } = bench(1)
    arrive(1, 'packet', 60_000)
    due(2, 'timer')
    runTo(10)
    assert.deepEqual([log, loop.isPaused], [['1 packet', '2 timer'], false])
    assert.ok(Object.values(traffic.felt).every((count) => count === 0))
  })

  it('paused, keeps what fits, and runs late timers before it', () => {
    const { loop, log, arrive, due, runTo, traffic } = bench(2 * 612)
    loop.pause()
    arrive(1, 'first')
    arrive(2, 'second')
    arrive(3, 'third')
    arrive(4, 'stream', 0)
    due(5, 'timer')
    runTo(10)
    assert.deepEqual(log, ['3 third lost'])
    loop.resume()
    loop.resume()
    assert.equal(log.length, 1, 'nothing happens inside the call')
    runTo(20)
    assert.deepEqual(log.slice(1), ['10 timer', '10 first', '10 second', '10 stream'])
    assert.deepEqual([traffic.felt.held, traffic.felt.late], [3, 1])
    arrive(21, 'fourth')
    loop.pause()
    runTo(22)
    loop.resume()
    runTo(23)
    assert.equal(log.at(-1), '22 fourth', 'the buffer is empty again')
  })

  it('with lag, hands over late and in order, while timers are on time', () => {
    const { loop, log, arrive, due, runTo, traffic } = bench()
    loop.lag = 50
    arrive(1, 'first')
    due(2, 'timer')
    arrive(3, 'stream', 0)
    runTo(20)
    loop.lag = 10
    arrive(21, 'second')
    runTo(30)
    loop.lag = 0
    arrive(31, 'third')
    arrive(54, 'fourth')
    runTo(100)
    // What came later waits behind what came before, however short its own lag.
    assert.deepEqual(log, ['2 timer', '51 first', '53 stream', '53 second', '53 third', '54 fourth'])
    assert.deepEqual([traffic.felt.lagged, traffic.felt.late], [4, 0])
  })

  it('with lag, loses packets that its buffer has no room for', () => {
    const { loop, log, arrive, runTo } = bench(2 * 612)
    loop.lag = 50
    for (const at of [1, 2, 3, 52, 53]) arrive(at, `at ${at}`)
    runTo(200)
    assert.deepEqual(log, ['3 at 3 lost', '51 at 1', '52 at 2', '102 at 52', '103 at 53'])
  })

  it('slow, works on one thing after the other; timers wait for the end of the turn', () => {
    const { loop, log, arrive, due, runTo, traffic } = bench()
    loop.slowMs = 10
    arrive(1, 'first')
    arrive(2, 'second')
    due(3, 'timer')
    due(30, 'later')
    arrive(40, 'third')
    runTo(100)
    assert.deepEqual(log, ['11 first', '21 second', '21 timer', '30 later', '50 third'])
    assert.deepEqual([traffic.felt.slowed, traffic.felt.late], [3, 1])
  })

  it('slow, looks at its timers after 32 things', () => {
    const { loop, log, arrive, due, runTo } = bench(1_000_000)
    loop.slowMs = 1
    for (let index = 1; index <= 40; index++) arrive(0, `packet ${index}`)
    due(0.5, 'timer')
    runTo(100)
    assert.equal(log.indexOf('32 timer'), 32)
    assert.deepEqual([log[31], log[33], log.length], ['32 packet 32', '33 packet 33', 41])
  })

  it('slow, loses packets that its buffer has no room for, and streams never', () => {
    const { loop, log, arrive, runTo } = bench(2 * 612)
    loop.slowMs = 10
    for (let index = 1; index <= 4; index++) arrive(1, `packet ${index}`)
    arrive(1, 'stream', 0)
    runTo(100)
    assert.deepEqual(log, ['1 packet 3 lost', '1 packet 4 lost', '11 packet 1', '21 packet 2', '31 stream'])
  })

  it('slow no more, catches up at once', () => {
    const { loop, log, arrive, runTo } = bench()
    loop.slowMs = 10
    for (const name of ['first', 'second', 'third']) arrive(1, name)
    runTo(5)
    loop.slowMs = 0
    runTo(100)
    assert.deepEqual(log, ['11 first', '11 second', '11 third'])
  })

  it('slow and stopped, begins anew with what it was at', () => {
    const { loop, log, arrive, due, runTo } = bench()
    loop.slowMs = 10
    arrive(1, 'first')
    arrive(2, 'second')
    runTo(5)
    loop.pause()
    due(6, 'timer')
    runTo(100)
    loop.resume()
    runTo(200)
    assert.deepEqual(log, ['100 timer', '110 first', '120 second'])
  })

  it('has nobody to hand to when the process ends: what waited finds that out at once, timers never', () => {
    const { loop, log, arrive, due, runTo } = bench(3 * 612)
    loop.slowMs = 10
    loop.lag = 5
    arrive(1, 'first')
    arrive(2, 'second')
    arrive(8, 'third')
    due(9, 'timer')
    runTo(10)
    loop.clear()
    assert.deepEqual(log, ['10 first', '10 second', '10 third'])
    arrive(20, 'next')
    runTo(100)
    assert.deepEqual(log.slice(3), ['35 next'], 'and the next process is treated the same')
  })
})
