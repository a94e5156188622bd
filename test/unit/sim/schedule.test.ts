// Virtual time and the turns that code under test takes in it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Schedule, type Scheduled } from '../../../src/sim/schedule.ts'
import { takeTurns } from '../../../src/sim/turns.ts'

function runAll(schedule: Schedule): void {
  while (schedule.step());
}

describe('sim/schedule', () => {
  it('runs tasks by time, and those of one time in the order of their insertion, cancelled ones never', () => {
    const task = fc.record({ at: fc.integer({ min: 0, max: 20 }), isCancelled: fc.boolean() })
    fc.assert(
      fc.property(fc.array(task, { maxLength: 200 }), (tasks) => {
        const schedule = new Schedule()
        const ran: number[] = []
        const handles: Scheduled[] = tasks.map(({ at }, index) => schedule.at(at, () => ran.push(index)))
        tasks.forEach(({ isCancelled }, index) => {
          if (isCancelled) assert.equal(schedule.cancel(handles[index]!), true)
        })
        runAll(schedule)
        const expected = tasks
          .map((task, index) => ({ ...task, index }))
          .filter(({ isCancelled }) => !isCancelled)
          .sort((left, right) => left.at - right.at || left.index - right.index)
          .map(({ index }) => index)
        assert.deepEqual(ran, expected)
        assert.equal(schedule.size, 0)
      }),
    )
  })

  it('stands still while a task runs, and is then at the time of the next', () => {
    const schedule = new Schedule()
    const seen: number[] = []
    schedule.at(5, () => {
      schedule.at(schedule.now + 2.5, () => seen.push(schedule.now))
      seen.push(schedule.now)
    })
    runAll(schedule)
    assert.deepEqual(seen, [5, 7.5])
    assert.equal(schedule.steps, 2)
  })

  it('takes a time that is past for now', () => {
    const schedule = new Schedule()
    const seen: number[] = []
    schedule.at(10, () => schedule.at(3, () => seen.push(schedule.now)))
    runAll(schedule)
    assert.deepEqual(seen, [10])
  })

  it('lets a task be cancelled by an earlier one of the same time, and tells whether it was', () => {
    const schedule = new Schedule()
    const answers: boolean[] = []
    let late: Scheduled | undefined
    const early = schedule.at(1, () => answers.push(schedule.cancel(late!)))
    late = schedule.at(1, () => answers.push(false))
    runAll(schedule)
    assert.deepEqual(answers, [true])
    assert.equal(schedule.cancel(late), false)
    assert.equal(schedule.cancel(early), false)
  })

  it('skips no task that waits', () => {
    const schedule = new Schedule()
    schedule.at(5, () => {})
    schedule.skipTo(5)
    assert.equal(schedule.now, 5)
    assert.throws(() => schedule.skipTo(6), /no task is skipped/)
    runAll(schedule)
    schedule.skipTo(6)
    schedule.skipTo(4)
    assert.equal(schedule.now, 6)
  })

  it('refuses a time that is not a number', () => {
    assert.throws(() => new Schedule().at(Number.NaN, () => {}), /scheduled for a number/)
  })
})

describe('sim/turns', () => {
  it('lets every promise continuation run between two turns, however deep its chain', async () => {
    const seen: string[] = []
    let turn = 0
    await takeTurns(() => {
      const now = ++turn
      seen.push(`turn ${now}`)
      if (now === 2) {
        let chain: Promise<unknown> = Promise.resolve()
        for (let depth = 0; depth < 1_000; depth++) chain = chain.then(() => {})
        void chain.then(() => queueMicrotask(() => process.nextTick(() => seen.push('continued'))))
      }
      return now < 3
    })
    assert.deepEqual(seen, ['turn 1', 'turn 2', 'continued', 'turn 3'])
  })

  it('takes no turn after the last, also where one batch is not enough', async () => {
    let turns = 0
    await takeTurns(() => ++turns < 200)
    assert.equal(turns, 200)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(turns, 200)
  })

  it('rejects with what a turn throws, and takes no more', async () => {
    let turns = 0
    const run = takeTurns(() => {
      if (++turns === 3) throw new Error('broken turn')
      return true
    })
    await assert.rejects(run, /broken turn/)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(turns, 3)
  })
})
