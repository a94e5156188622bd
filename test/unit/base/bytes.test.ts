// Arithmetic on byte strings.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { concat, copyOf, hexOf, NO_BYTES, sameBytes, textOf, utf8 } from '../../../src/base/bytes.ts'

describe('base/bytes.ts', () => {
  it('text becomes UTF-8 and comes back, a byte order mark too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        assert.equal(textOf(utf8(text)), text)
      }),
    )
    assert.equal(textOf(utf8('\ufeffx')), '\ufeffx')
    assert.equal(textOf(NO_BYTES), '')
  })

  it('bytes that are no UTF-8 are no text', () => {
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0x61, 0x80]]) {
      assert.equal(textOf(Uint8Array.from(bytes)), undefined)
    }
  })

  it('parts are joined in order into an array of its own', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (parts) => {
        const all = concat(parts)
        assert.deepEqual(
          [...all],
          parts.flatMap((part) => [...part]),
        )
        for (const part of parts) assert.notEqual(all.buffer, part.buffer)
      }),
    )
  })

  it('a copy of a piece shares no memory with the whole, and pins none of it', () => {
    const whole = Uint8Array.of(1, 2, 3, 4)
    const copy = copyOf(whole.subarray(1, 3))
    whole.fill(9)
    assert.deepEqual(copy, Uint8Array.of(2, 3))
    assert.equal(copy.buffer.byteLength, 2)
  })

  it('bytes are the same where length and every byte are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6, max: 2 }), fc.uint8Array({ maxLength: 6, max: 2 }), (left, right) => {
        assert.equal(sameBytes(left, right), left.join() === right.join() && left.length === right.length)
        assert.equal(sameBytes(left, left), true)
        assert.equal(sameBytes(left, left.slice()), true)
      }),
      { numRuns: 500 },
    )
  })

  it('hexadecimal is lower case, two digits a byte', () => {
    assert.equal(hexOf(Uint8Array.of(0, 9, 10, 15, 16, 171, 255)), '00090a0f10abff')
    assert.equal(hexOf(NO_BYTES), '')
  })
})
