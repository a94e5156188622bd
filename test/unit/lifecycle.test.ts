// How an instance begins and ends, without the instance. Whole members begin and end in membership.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClosedError } from '../../src/base/errors.ts'
import type { ClosedEvent } from '../../src/events.ts'
import { Lifecycle } from '../../src/lifecycle.ts'

/** One whose `begin` is `begin`; what it does is written down. */
function living(
  begin: (lifecycle: Lifecycle) => Promise<void> = async (lifecycle) => lifecycle.running(),
  news: (lifecycle: Lifecycle) => void = () => {},
) {
  const done: string[] = []
  const limits: (() => void)[] = []
  let saidGoodbye = (): void => {}
  const goodbye = new Promise<void>((resolve) => {
    saidGoodbye = resolve
  })
  const lifecycle: Lifecycle = new Lifecycle({
    driver: {
      command: () => {
        done.push('goodbye')
        saidGoodbye()
        return undefined as never
      },
      schedule: (_key, delayMs, task) => {
        done.push(`limit ${delayMs}`)
        limits.push(task)
      },
      tellNews: () => {
        done.push('news')
        news(lifecycle)
      },
      close: async () => void done.push('driver closed'),
    },
    begin: () => begin(lifecycle),
    closing: () => void done.push(`let go, ${lifecycle.status}`),
    closed: ({ reason }: ClosedEvent) => void done.push(`told ${reason}`),
  })
  return { lifecycle, done, limits, goodbye }
}

describe('a lifecycle', () => {
  it('begins once, and anew where that failed', async () => {
    let attempts = 0
    const { lifecycle } = living(async (own) => {
      if (++attempts === 1) throw new RangeError('taken')
      own.running()
    })
    assert.deepEqual([lifecycle.status, lifecycle.starting], ['idle', undefined])
    await assert.rejects(lifecycle.start(), RangeError)
    assert.deepEqual([lifecycle.status, lifecycle.starting], ['idle', undefined])
    await Promise.all([lifecycle.start(), lifecycle.start()])
    assert.deepEqual([lifecycle.status, attempts], ['running', 2])
  })

  it('leaves with a goodbye, and closes when that is complete', async () => {
    const { lifecycle, done, goodbye } = living()
    await lifecycle.start()
    const left = lifecycle.leave(undefined)
    await goodbye
    assert.equal(lifecycle.status, 'leaving')
    assert.throws(() => lifecycle.throwIfOver(), ClosedError)
    await assert.rejects(lifecycle.start(), ClosedError)
    lifecycle.departed()
    await Promise.all([left, lifecycle.leave(undefined)])
    assert.deepEqual(done, ['goodbye', 'news', 'driver closed', 'let go, closed', 'told left'])
  })

  it('closes at the earliest of several limits', async () => {
    const { lifecycle, done, limits } = living()
    await lifecycle.start()
    const both = [lifecycle.leave(500), lifecycle.leave(100)]
    limits[1]?.()
    await Promise.all(both)
    assert.deepEqual(done.slice(0, 2), ['limit 500', 'limit 100'])
    assert.equal(done.at(-1), 'told left')
  })

  it('says no goodbye where nothing was begun, or somebody closes it', async () => {
    const idle = living()
    await idle.lifecycle.leave(undefined)
    assert.deepEqual(idle.done, ['news', 'driver closed', 'let go, closed', 'told left'])
    const running = living()
    await running.lifecycle.start()
    const closed = running.lifecycle.close({ type: 'closed', reason: 'closed' })
    assert.equal(running.lifecycle.close({ type: 'closed', reason: 'failed' }), closed)
    await closed
    await running.lifecycle.leave(undefined)
    assert.deepEqual(running.done, ['news', 'driver closed', 'let go, closed', 'told closed'])
  })

  it('tells what waits first, and a listener may close it then', async () => {
    const closes: Promise<void>[] = []
    const { lifecycle, done } = living(undefined, (own) => {
      closes.push(own.close({ type: 'closed', reason: 'failed' }))
    })
    const closed = lifecycle.close({ type: 'closed', reason: 'closed' })
    assert.equal(lifecycle.status, 'closed')
    assert.equal(closes[0], closed)
    await closed
    assert.deepEqual(done, ['news', 'driver closed', 'let go, closed', 'told closed'])
  })

  it('closes also where what waits cannot be told', async () => {
    const { lifecycle, done } = living(undefined, () => {
      throw new RangeError('a fault of the host')
    })
    await assert.rejects(lifecycle.close({ type: 'closed', reason: 'closed' }), RangeError)
    assert.deepEqual([lifecycle.status, done.at(-1)], ['closed', 'told closed'])
  })

  it('lets a start see that it was closed meanwhile', async () => {
    const { lifecycle } = living(async (own) => {
      own.throwIfClosing()
      await Promise.resolve()
      own.throwIfClosing()
      own.running()
    })
    const started = lifecycle.start()
    const closed = lifecycle.close({ type: 'closed', reason: 'closed' })
    await assert.rejects(started, ClosedError)
    await closed
    assert.equal(lifecycle.status, 'closed')
  })
})
