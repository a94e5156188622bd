import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { StreamSealing } from '../../../src/driver/stream-sealing.ts'
import { StreamReader, type StreamRole } from '../../../src/wire/stream.ts'
import { encodeSwimMessage } from '../../../src/wire/swim-messages.ts'
import { SwimType } from '../../../src/wire/types.ts'
import { type RunningOptions, sealingOf } from './support.ts'

const KEY = new Uint8Array(32).fill(7)
const BODY = encodeSwimMessage({ type: 'error', error: 'a reason' })

describe('what is written to a stream', () => {
  it('is read by the other side, compressed or not, sealed or not, labelled by the dialler', () => {
    for (const compress of [true, false]) {
      for (const options of [{}, { secretKey: KEY }, { label: utf8('red') }, { secretKey: KEY, label: utf8('red') }]) {
        for (const [ours, theirs] of [
          ['dialler', 'listener'],
          ['listener', 'dialler'],
        ] as const) {
          const bytes = make(options, compress).seal(BODY, ours)
          assert.deepEqual(read(options, theirs, bytes), { type: 'error', error: 'a reason' })
        }
      }
    }
  })

  it('is compressed where it is told to be, though that is larger', () => {
    assert.equal(make({}, true).seal(BODY, 'listener')[0], SwimType.compress)
    assert.deepEqual(make({}, false).seal(BODY, 'listener'), BODY)
  })

  it('is one and the same bytes each time without a key, and bytes of its own each time with one', () => {
    const plain = make({}, true)
    assert.equal(plain.seal(BODY, 'listener'), plain.seal(BODY, 'listener'))
    assert.equal(plain.isSealing, false)
    const sealed = make({ secretKey: KEY }, true)
    assert.notDeepEqual(sealed.seal(BODY, 'listener'), sealed.seal(BODY, 'listener'))
    assert.equal(sealed.isSealing, true)
  })

  it('is plain with a key too, where outgoing bytes are not to be sealed yet', () => {
    const sealing = { ...sealingOf({ secretKey: KEY }), verifyOutgoing: false }
    const plain = new StreamSealing({ sealing, compress: false, nonce: () => undefined })
    assert.deepEqual(plain.seal(BODY, 'listener'), BODY)
    assert.equal(plain.isSealing, false)
  })
})

function make(options: RunningOptions, compress: boolean): StreamSealing {
  const sealing = sealingOf(options)
  let nonces = 0
  return new StreamSealing({ sealing, compress, nonce: () => sealing.keyring && new Uint8Array(12).fill(++nonces) })
}

function read(options: RunningOptions, role: StreamRole, bytes: Uint8Array): unknown {
  return new StreamReader({ sealing: sealingOf(options), role }).push(bytes)?.message
}
