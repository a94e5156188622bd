// What is kept of user events, and known again. serf-behaviour §25.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { NO_BYTES } from '../../../src/base/bytes.ts'
import { MAX_KEPT_BYTES, UserEvents } from '../../../src/serf/event-state.ts'

describe('UserEvents', () => {
  it('as a law: whatever comes in whatever order, nothing is delivered twice, nor from more than 512 ticks ago', () => {
    const heard = fc.array(fc.record({ ltime: fc.integer({ min: 0, max: 1600 }), name: fc.constantFrom('a', 'b') }), {
      maxLength: 200,
    })
    fc.assert(
      fc.property(heard, (list) => {
        const events = new UserEvents()
        const seen = new Set<string>()
        for (const { ltime, name } of list) {
          events.clock.witness(ltime, 0)
          const { time } = events.clock
          const verdict = events.take(ltime, name, NO_BYTES)
          const key = `${name} ${ltime}`
          if (time > 512 && ltime < time - 512) assert.equal(verdict, 'old')
          else assert.equal(verdict, seen.has(key) ? 'seen' : 'new')
          seen.add(key)
        }
      }),
    )
  })

  it('SF-34: with a minimum time set at the start no event before it is delivered, nor told on', () => {
    const events = new UserEvents(true)
    events.minTime = 41
    events.heed(90, undefined)
    assert.equal(events.minTime, 41, 'who knows where it was needs no first exchange to tell it')
    events.clock.witness(60, 0)
    assert.deepEqual(
      [40, 41, 41].map((ltime) => events.take(ltime, 'deploy', NO_BYTES)),
      ['ignored', 'new', 'seen'],
    )
    events.minTime = 30
    assert.equal(events.minTime, 41, 'it never falls')
  })

  it('thousands of events of one time are kept within bounds, and are delivered as long as they are', () => {
    const events = new UserEvents()
    events.clock.witness(7, 0)
    const payload = new Uint8Array(1000)
    let taken = 0
    for (let at = 0; at < 10_000; at++) if (events.take(7, `flood-${at}`, payload) === 'new') taken++
    assert.ok(taken > 1000 && taken < MAX_KEPT_BYTES / 1000, `${taken}`)
    assert.equal(events.take(7, 'one-more', payload), 'too-much')
    assert.equal(events.take(6, 'older', payload), 'too-much')
    // The next moment is not kept out by it.
    events.clock.witness(8, 0)
    assert.equal(events.take(8, 'deploy', payload), 'new')
    // What was let go of for it is not delivered again.
    assert.equal(events.take(7, 'flood-0', payload), 'old')
    assert.equal(events.take(8, 'deploy', payload), 'seen')
    assert.deepEqual(
      events.slots().map(({ ltime }) => ltime),
      [8],
    )
  })

  it('what is too much for all that is older to make room for takes none of it away', () => {
    const events = new UserEvents()
    events.clock.witness(20, 0)
    const large = new Uint8Array(9000)
    assert.equal(events.take(5, 'small', NO_BYTES), 'new')
    for (let at = 100; at < 444; at++) assert.equal(events.take(20, `flood-${at}`, large), 'new')
    const { revision } = events
    assert.equal(events.take(6, 'one', large), 'too-much')
    assert.deepEqual([events.revision, events.take(5, 'small', NO_BYTES)], [revision, 'seen'])
  })

  it('what has had its time takes no room: a long stream of large events is taken whole', () => {
    const events = new UserEvents()
    for (let ltime = 1; ltime <= 2000; ltime++) {
      events.clock.witness(ltime, 0)
      assert.equal(events.take(ltime, 'deploy', new Uint8Array(4000)), 'new')
    }
    assert.equal(events.slots().length, 512)
  })
})
