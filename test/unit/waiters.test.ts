import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Waiters } from '../../src/waiters.ts'

/** Waits under `id`, and writes down how it ended. */
function wait(waiters: Waiters, id: number, ends: string[]): void {
  waiters.set(id, {
    resolve: () => void ends.push(`${id} resolved`),
    reject: (error) => void ends.push(`${id} ${error.message}`),
  })
}

describe('waiters', () => {
  it('are settled once, by number, and forgotten with it', () => {
    const waiters = new Waiters()
    const ends: string[] = []
    for (const id of [1, 2, 3]) wait(waiters, id, ends)
    waiters.resolve(2)
    waiters.reject(1, new Error('no'))
    for (const id of [1, 2, 77]) {
      waiters.resolve(id)
      waiters.reject(id, new Error('late'))
    }
    assert.deepEqual(ends, ['2 resolved', '1 no'])
    assert.deepEqual([waiters.has(1), waiters.has(2), waiters.has(3)], [false, false, true])
  })

  it('are all rejected at once, each with an error of its own, and one that waits anew meanwhile is left', () => {
    const waiters = new Waiters()
    const errors: Error[] = []
    const reject = (error: Error): void => {
      errors.push(error)
      if (errors.length === 1) wait(waiters, 9, [])
    }
    for (const id of [1, 2]) waiters.set(id, { resolve: () => assert.fail('resolved'), reject })
    waiters.rejectAll(() => new Error('over'))
    assert.deepEqual([errors.length, errors[0] === errors[1], waiters.has(1), waiters.has(9)], [2, false, false, true])
  })
})
