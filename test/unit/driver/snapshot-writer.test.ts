// Lines on their way to the disk: in order, one at a time, in bounded memory; what fails is told once.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textOf, utf8 } from '../../../src/base/bytes.ts'
import { CLOSE_LIMIT_MS, MAX_BACKLOG_BYTES, SnapshotWriter, STUCK_MS } from '../../../src/driver/snapshot-writer.ts'
import type { SnapshotNotice } from '../../../src/serf/notices.ts'

/** A disk that does each thing when the test says so. */
class Slow {
  readonly did: string[] = []
  readonly failures: string[] = []
  readonly writer: SnapshotWriter
  readonly opened: Promise<unknown>
  #pending: { readonly what: string; resolve: () => void; reject: (error: Error) => void } | undefined
  #deferred: (() => void)[] = []
  #wake: (() => void) | undefined
  timers = 0
  now = 0

  constructor() {
    const file = {
      append: (bytes: Uint8Array, isSynced: boolean) => this.#begin(`${isSynced ? 'sync ' : ''}${textOf(bytes)}`),
      replace: (bytes: Uint8Array) => this.#begin(`all ${textOf(bytes)}`),
      close: () => this.#begin('close'),
    }
    const clock = {
      now: () => this.now,
      wakeAt: (at: number, wake: () => void) => {
        assert.equal(at, CLOSE_LIMIT_MS)
        this.timers++
        this.#wake = wake
        return () => {
          this.timers--
        }
      },
    }
    const defer = (task: () => void): void => void this.#deferred.push(task)
    this.writer = new SnapshotWriter({ clock, defer }, (message) => this.failures.push(message))
    this.opened = this.writer.recordTo(Promise.resolve({ file }))
  }

  append(text: string, isSynced = false): void {
    this.writer.take({ type: 'snapshot', op: 'append', bytes: utf8(text), isSynced })
  }

  replace(text: string): void {
    this.writer.take(all(text))
  }

  /** What is under way ends. */
  async end(error?: Error): Promise<void> {
    const pending = this.#pending
    assert.ok(pending !== undefined, 'nothing is under way')
    this.#pending = undefined
    if (error !== undefined) pending.reject(error)
    else {
      this.did.push(pending.what)
      pending.resolve()
    }
    await settled()
    for (const task of this.#deferred.splice(0)) task()
    await settled()
  }

  get underWay(): string | undefined {
    return this.#pending?.what
  }

  runDeferred(): void {
    for (const task of this.#deferred.splice(0)) task()
  }

  timeOut(): void {
    this.#wake?.()
  }

  #begin(what: string): Promise<void> {
    assert.equal(this.#pending, undefined, 'one at a time')
    return new Promise((resolve, reject) => {
      this.#pending = { what, resolve, reject }
    })
  }
}

async function opened(): Promise<Slow> {
  const slow = new Slow()
  await slow.opened
  return slow
}

function all(text: string): SnapshotNotice {
  return { type: 'snapshot', op: 'replace', bytes: utf8(text), isSynced: true }
}

/** Promises that are settled are settled for those who wait. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

describe('driver/snapshot-writer.ts', () => {
  it('one thing is under way at a time, and what waits goes together', async () => {
    const slow = await opened()
    slow.append('a')
    slow.append('b')
    slow.append('c', true)
    assert.equal(slow.underWay, 'a')
    await slow.end()
    assert.equal(slow.underWay, 'sync bc')
    await slow.end()
    assert.equal(slow.underWay, undefined)
    slow.append('d')
    await slow.end()
    assert.deepEqual(slow.did, ['a', 'sync bc', 'd'])
  })

  it('who writes all anew overtakes what waits, and what comes then follows it', async () => {
    const slow = await opened()
    slow.append('a')
    slow.append('b')
    slow.replace('ab')
    slow.append('c')
    for (let count = 0; count < 3; count++) await slow.end()
    assert.deepEqual(slow.did, ['a', 'all ab', 'c'])
  })

  it('a failure is told once, drops what waits, and nothing is added to what may be torn', async () => {
    const slow = await opened()
    slow.append('a')
    slow.append('b')
    await slow.end(new Error('ENOSPC: no space'))
    assert.equal(slow.failures.length, 1)
    assert.match(String(slow.failures[0]), /ENOSPC: no space/)
    slow.append('c')
    assert.equal(slow.underWay, undefined)
    slow.replace('abc')
    slow.append('d')
    await slow.end()
    await slow.end()
    assert.deepEqual([slow.did, slow.failures.length], [['all abc', 'd'], 1])
  })

  it('a disk that does not keep up has failed: its backlog is bounded, and dropped', async () => {
    const slow = await opened()
    slow.append('first')
    const piece = 'x'.repeat(MAX_BACKLOG_BYTES / 4)
    for (let count = 0; count < 4; count++) slow.append(piece)
    slow.runDeferred()
    assert.deepEqual(slow.failures, [])
    slow.append('one more')
    assert.deepEqual(slow.failures, [], 'never told from inside a call')
    slow.runDeferred()
    assert.equal(slow.failures.length, 1)
    assert.match(String(slow.failures[0]), /does not keep up/)
    slow.append('ignored')
    slow.replace('everything')
    await slow.end()
    await slow.end()
    assert.deepEqual(slow.did, ['first', 'all everything'])
  })

  it('a disk that does not answer has failed, however little waits for it; what is written anew is tried again', async () => {
    const slow = await opened()
    slow.append('a')
    slow.now = STUCK_MS
    slow.append('b')
    slow.runDeferred()
    assert.equal(slow.failures.length, 0)
    slow.now++
    slow.append('c')
    slow.runDeferred()
    assert.equal(slow.failures.length, 1)
    slow.replace('abc')
    await slow.end()
    await slow.end()
    slow.append('d')
    await slow.end()
    assert.deepEqual([slow.did, slow.failures.length], [['a', 'all abc', 'd'], 1])
  })

  it('closing writes what waits and the last word, then closes; a failure then is told to nobody', async () => {
    const slow = await opened()
    slow.append('a')
    let isClosed = false
    const closing = slow.writer.close(all('last')).then(() => {
      isClosed = true
    })
    await slow.end()
    await slow.end(new Error('EIO'))
    assert.equal(slow.underWay, 'close')
    assert.equal(isClosed, false)
    await slow.end()
    await closing
    assert.deepEqual([slow.did, slow.failures, slow.timers], [['a', 'close'], [], 0])
  })

  it('a disk that hangs does not keep us for ever', async () => {
    const slow = await opened()
    slow.append('a')
    const closing = slow.writer.close(undefined)
    slow.timeOut()
    await closing
    assert.equal(slow.underWay, 'a')
  })
})
