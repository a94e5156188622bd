import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { READ_PARTS, StreamReading } from '../../../src/driver/stream-reading.ts'
import { wrapCompressed } from '../../../src/wire/compress.ts'
import { largeState, sealingOf, streamBytes } from './support.ts'

const KEY = new Uint8Array(32).fill(7)
const ERROR = { type: 'error', error: 'no' } as const

describe('reading one stream', () => {
  it('what came is held unread until it is read', () => {
    const bytes = streamBytes(sealingOf(), 'dialler', ERROR)
    const reading = make()
    for (const byte of bytes.subarray(0, -1)) reading.take(Uint8Array.of(byte))
    assert.equal(reading.heldBytes, bytes.length - 1)
    assert.deepEqual(reading.read(), { kind: 'awaiting' })
    reading.take(bytes.subarray(-1))
    assert.deepEqual(reading.read(), { kind: 'message', message: ERROR })
    assert.equal(reading.heldBytes, 0)
  })

  it('a large push/pull is read in several reads, in each form, and is whole also where the end came before the last', () => {
    for (const [secretKey, compress] of [
      [undefined, false],
      [undefined, true],
      [KEY, false],
      [KEY, true],
    ] as const) {
      const sealing = sealingOf({ ...(secretKey && { secretKey }) })
      const state = largeState(2 * READ_PARTS + 10)
      const reading = new StreamReading(sealing, 'listener')
      reading.take(streamBytes(sealing, 'dialler', state, compress))
      assert.deepEqual(reading.read(), { kind: 'more' })
      reading.end(undefined)
      assert.deepEqual(reading.read(), { kind: 'more' })
      assert.ok(reading.heldBytes > 256 * READ_PARTS, 'what was read of it is counted')
      const last = reading.read()
      assert.ok(last.kind === 'message')
      assert.deepEqual(last.message, state)
    }
  })

  it('what unfolds to far more is unfolded in several reads, each of a bounded amount, and no memory is taken in the first', () => {
    const reading = make()
    const bomb = wrapCompressed(new Uint8Array(41_943_040))
    reading.take(bomb)
    let held = bomb.length
    let reads = 0
    for (let outcome = reading.read(); outcome.kind !== 'unreadable'; outcome = reading.read()) {
      assert.deepEqual(outcome, { kind: 'unfolding' })
      const grown = reading.heldBytes - held
      assert.ok(reads === 0 ? grown === 0 : grown > 0 && grown < 2_700_000, `${grown} bytes in read ${reads}`)
      held = reading.heldBytes
      reads++
      reading.take(Uint8Array.of(1))
      assert.equal(reading.heldBytes, held, 'what comes behind it is not held')
    }
    assert.ok(reads >= 16, `${reads} reads`)
    assert.equal(reading.heldBytes, 0)
  })

  it('the end counts once all that came is read: within a message, or with nothing', () => {
    const error = new Error('reset')
    const silent = make()
    silent.end(error)
    assert.deepEqual(silent.read(), { kind: 'ended', isWithinMessage: false, error })
    const broken = make()
    broken.take(streamBytes(sealingOf(), 'dialler', largeState(2 * READ_PARTS)).subarray(0, -1))
    assert.deepEqual(broken.read(), { kind: 'more' })
    broken.end(undefined)
    while (broken.read().kind === 'more');
    assert.deepEqual(broken.read(), { kind: 'ended', isWithinMessage: true, error: undefined })
  })

  it('what is no message is told when it is read, also where it was too much to hold', () => {
    const reading = make()
    reading.take(Uint8Array.of(99, 1))
    const outcome = reading.read()
    assert.ok(outcome.kind === 'unreadable')
    assert.match(outcome.error.message, /99/)

    const full = make()
    full.take(new Uint8Array(30_000_000))
    const refused = full.read()
    assert.ok(refused.kind === 'unreadable')
    assert.match(refused.error.message, /more than \d+ bytes/)
    assert.equal(full.heldBytes, 0)
  })
})

function make(): StreamReading {
  return new StreamReading(sealingOf(), 'listener')
}
