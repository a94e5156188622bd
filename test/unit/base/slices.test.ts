import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { finish, type Slices } from '../../../src/base/slices.ts'

describe('slices', () => {
  it('finish does all that is left, with one time, and gives the result', () => {
    const times: number[] = []
    function* work(): Slices<string> {
      times.push(yield)
      times.push(yield)
      return 'done'
    }
    assert.equal(finish(work(), 7), 'done')
    assert.deepEqual(times, [7, 7])
    const begun = work()
    begun.next(0)
    begun.next(1)
    assert.equal(finish(begun, 2), 'done')
    assert.deepEqual(times, [7, 7, 1, 2])
  })
})
