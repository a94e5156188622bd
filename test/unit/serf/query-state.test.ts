import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newQueries, SeenQueries } from '../../../src/serf/query-state.ts'

describe('what has been seen', () => {
  test('the newest 512 times are known, by the ids of each', () => {
    const seen = new SeenQueries()
    assert.equal(seen.note(1, 5), 'new')
    assert.equal(seen.note(1, 5), 'seen')
    assert.equal(seen.note(1, 6), 'new')
    assert.equal(seen.note(513, 5), 'new')
    assert.equal(seen.note(513, 5), 'seen')
  })

  test('of one time there is a bound', () => {
    const seen = new SeenQueries()
    for (let id = 0; id < 1024; id++) assert.equal(seen.note(1, id), 'new')
    assert.equal(seen.note(1, 1024), 'too-many')
    assert.equal(seen.note(1, 0), 'seen')
    assert.equal(seen.note(2, 1024), 'new')
  })
})

test('at first nothing is known, and the first time is 1', () => {
  const { clock, minTime, open } = newQueries()
  assert.deepEqual([clock.time, minTime, open.size], [1, 0, 0])
})
