import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES, utf8 } from '../../../src/base/bytes.ts'
import { sharedAddress, sharedBytes, sharedName } from '../../../src/swim/shared.ts'

describe('what many records hold alike', () => {
  it('is one byte string, one address and one text, for whoever brings the same', () => {
    assert.equal(sharedBytes(utf8('meta')), sharedBytes(utf8('meta')))
    assert.notEqual(sharedBytes(utf8('meta')), sharedBytes(utf8('other')))
    const ip = (): Uint8Array => Uint8Array.of(10, 0, 0, 1)
    assert.equal(sharedAddress(ip(), 7946), sharedAddress(ip(), 7946))
    assert.equal(sharedName(['m', '1'].join('-')), 'm-1')
  })

  it('is an address of its own for each port, and for each form of the bytes', () => {
    const ip = Uint8Array.of(10, 0, 0, 2)
    const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2)
    for (const [bytes, port] of [
      [ip, 1],
      [ip, 2],
      [ip, 1],
      [mapped, 1],
    ] as const) {
      const found = sharedAddress(bytes, port)
      assert.deepEqual([found.ip, found.port], [bytes, port])
    }
  })

  it('leaves no bytes and nothing what they are: on the wire they differ', () => {
    const empty = new Uint8Array(0)
    assert.equal(sharedBytes(NO_BYTES), NO_BYTES)
    assert.equal(sharedBytes(empty), empty)
  })

  it('is bounded, and right when it forgets', () => {
    for (let number = 0; number < 40_000; number++) {
      assert.equal(sharedName(`stranger-${number}`), `stranger-${number}`)
      assert.deepEqual(sharedBytes(utf8(`${number}`)), utf8(`${number}`))
    }
  })
})
