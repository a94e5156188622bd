import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import { untilAborted } from '../../../src/base/abort.ts'

const never = new Promise<never>(() => {})

describe('base/abort.ts', () => {
  it('gives what the promise gives, and leaves no listener', async () => {
    const { signal } = new AbortController()
    assert.equal(await untilAborted(Promise.resolve(7), signal), 7)
    assert.equal(await untilAborted(Promise.resolve(8), undefined), 8)
    await assert.rejects(untilAborted(Promise.reject(new RangeError('no')), signal), RangeError)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it('rejects with the reason where the signal comes first, during or before, and leaves no listener', async () => {
    const controller = new AbortController()
    const waiting = untilAborted(never, controller.signal)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 1)
    controller.abort(new RangeError('enough'))
    await assert.rejects(waiting, RangeError)
    await assert.rejects(untilAborted(never, controller.signal), RangeError)
    await assert.rejects(untilAborted(Promise.resolve(7), controller.signal), RangeError)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  })

  it('a rejection that comes after the signal is not unhandled', async () => {
    for (const abortedBefore of [true, false]) {
      const controller = new AbortController()
      if (abortedBefore) controller.abort(new RangeError('enough'))
      let reject: (error: Error) => void = () => {}
      const late = new Promise<never>((_, given) => {
        reject = given
      })
      const waiting = untilAborted(late, controller.signal)
      controller.abort(new RangeError('enough'))
      await assert.rejects(waiting, RangeError)
      reject(new Error('late'))
      await new Promise(setImmediate) // an unhandled rejection would fail this test here
    }
  })
})
