import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ClosedEvent } from '../../src/events.ts'
import { GuardedEmitter } from '../../src/listeners.ts'

const EVENT: ClosedEvent = Object.freeze({ type: 'closed', reason: 'left' })

describe('a listener that throws', () => {
  it('does not keep the others from being called, in order, and its error is handed over', () => {
    const { emitter, thrown, told } = emitting()
    emitter.on('closed', () => void told.push('first'))
    emitter.on('closed', () => {
      told.push('second')
      throw new RangeError('a fault of the second')
    })
    emitter.once('closed', () => {
      told.push('third')
      throw new RangeError('a fault of the third')
    })
    emitter.on('closed', () => void told.push('fourth'))
    assert.equal(emitter.emit('closed', EVENT), true)
    assert.deepEqual(told, ['first', 'second', 'third', 'fourth'])
    assert.deepEqual(
      thrown.map((error) => (error as Error).message),
      ['a fault of the second', 'a fault of the third'],
    )
    emitter.emit('closed', EVENT)
    assert.deepEqual(told.slice(4), ['first', 'second', 'fourth'])
  })

  it('hands over whatever it throws, also nothing', () => {
    const { emitter, thrown } = emitting()
    emitter.on('closed', () => {
      throw undefined
    })
    emitter.emit('closed', EVENT)
    assert.deepEqual(thrown, [undefined])
  })

  it('a promise of its own that rejects is not ours to see', async () => {
    const { emitter, thrown } = emitting()
    let rejected: Promise<void> | undefined
    emitter.on('closed', () => {
      rejected = Promise.reject(new RangeError('late'))
      return rejected
    })
    emitter.emit('closed', EVENT)
    await assert.rejects(rejected as Promise<void>, RangeError)
    assert.deepEqual(thrown, [])
  })
})

describe('adding and taking away', () => {
  it('`on` and `addListener`, `off` and `removeListener` are the same, and give the emitter', () => {
    for (const [on, off] of [
      ['on', 'off'],
      ['addListener', 'removeListener'],
      ['on', 'removeListener'],
      ['addListener', 'off'],
    ] as const) {
      const { emitter, told } = emitting()
      const listener = (): void => void told.push(on)
      assert.equal(emitter[on]('closed', listener), emitter)
      emitter.emit('closed', EVENT)
      assert.equal(emitter[off]('closed', listener), emitter)
      emitter.emit('closed', EVENT)
      assert.deepEqual(told, [on])
      assert.equal(emitter.listenerCount('closed'), 0)
    }
  })

  it('one function added twice is called twice, and `off` takes both away', () => {
    const { emitter, told } = emitting()
    const listener = (): void => void told.push('called')
    emitter.on('closed', listener).on('closed', listener)
    emitter.emit('closed', EVENT)
    assert.equal(told.length, 2)
    assert.deepEqual(emitter.listeners('closed'), [listener, listener])
    emitter.off('closed', listener)
    assert.equal(emitter.emit('closed', EVENT), false)
  })

  it('one function for two events is taken away from one alone', () => {
    const { emitter, told } = emitting()
    const listener = ({ type }: { type: string }): void => void told.push(type)
    emitter.on('closed', listener).on('warning', listener)
    emitter.off('warning', listener)
    emitter.emit('closed', EVENT)
    emitter.emit('warning', { type: 'warning', code: 'join-failed', message: '', suppressed: 0 })
    assert.deepEqual(told, ['closed'])
  })

  it('`once` is called once, and `off` takes it away before', () => {
    const { emitter, told } = emitting()
    const listener = (): void => void told.push('once')
    emitter.once('closed', listener)
    assert.deepEqual(emitter.listeners('closed'), [listener])
    emitter.emit('closed', EVENT)
    emitter.emit('closed', EVENT)
    emitter.once('closed', listener)
    emitter.off('closed', listener)
    emitter.emit('closed', EVENT)
    assert.deepEqual([told, emitter.eventNames()], [['once'], []])
  })

  it('of a function added with `on` and with `once` the former stays', () => {
    const { emitter, told } = emitting()
    const listener = (): void => void told.push('called')
    emitter.on('closed', listener).once('closed', listener)
    emitter.emit('closed', EVENT)
    emitter.emit('closed', EVENT)
    assert.equal(told.length, 3)
    emitter.once('closed', listener)
    emitter.removeListener('closed', listener, undefined, true)
    assert.equal(emitter.listenerCount('closed'), 1)
  })

  it('a listener that takes itself or a later one away does so from the next event on', () => {
    const { emitter, told } = emitting()
    const later = (): void => void told.push('later')
    const self = (): void => {
      told.push('self')
      emitter.off('closed', self).off('closed', later)
      emitter.on('closed', () => void told.push('new'))
    }
    emitter.on('closed', self).on('closed', later)
    emitter.emit('closed', EVENT)
    assert.deepEqual(told, ['self', 'later'])
    emitter.emit('closed', EVENT)
    assert.deepEqual(told, ['self', 'later', 'new'])
  })

  it('`removeAllListeners`, and `off` without a function, take all away', () => {
    const { emitter } = emitting()
    const add = (): void => void emitter.on('closed', () => {}).on('closed', () => {})
    add()
    emitter.on('warning', () => {})
    emitter.off('closed')
    assert.deepEqual([emitter.listenerCount('closed'), emitter.listenerCount('warning')], [0, 1])
    add()
    emitter.removeAllListeners('closed')
    assert.deepEqual([emitter.listenerCount('closed'), emitter.listenerCount('warning')], [0, 1])
    add()
    emitter.removeAllListeners()
    assert.deepEqual(emitter.eventNames(), [])
  })

  it('what is no function is refused', () => {
    const { emitter } = emitting()
    for (const listener of [undefined, null, 'text', {}]) {
      assert.throws(() => emitter.on('closed', listener as never), TypeError)
      assert.throws(() => emitter.once('closed', listener as never), TypeError)
    }
  })
})

describe('what a listener is given', () => {
  it('is the very event; `this` is the emitter, or the context', () => {
    const { emitter } = emitting()
    const seen: unknown[] = []
    const listener = function (this: unknown, event: ClosedEvent): void {
      seen.push(this, event)
    }
    const context = { name: 'context' }
    emitter.on('closed', listener)
    emitter.once('closed', listener, context)
    emitter.emit('closed', EVENT)
    assert.equal(seen[0], emitter)
    assert.equal(seen[1], EVENT)
    assert.equal(seen[2], context)
    assert.equal(seen[3], EVENT)
    emitter.on('closed', listener, context)
    emitter.off('closed', listener, context)
    assert.deepEqual([emitter.listenerCount('closed'), emitter.listeners('closed')], [1, [listener]])
  })
})

function emitting(): { emitter: GuardedEmitter<undefined>; thrown: unknown[]; told: string[] } {
  const thrown: unknown[] = []
  return { emitter: new GuardedEmitter<undefined>((error) => void thrown.push(error)), thrown, told: [] }
}
