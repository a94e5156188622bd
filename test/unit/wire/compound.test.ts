import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AssertionError } from '../../../src/base/assert.ts'
import { DecodeError } from '../../../src/base/errors.ts'
import { decodeCompound, encodeCompound } from '../../../src/wire/compound.ts'
import { fromHex, toHex } from './vectors.ts'

test('what is put together comes apart again', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 255 }), (parts) => {
      assert.deepEqual(decodeCompound(encodeCompound(parts)), { parts, count: parts.length })
    }),
    { numRuns: 30 },
  )
})

test('the parts that are whole are kept where the last one is cut', () => {
  const { parts, count } = decodeCompound(fromHex('0703000100020005aabbbbcccc'))
  assert.deepEqual(parts.map(toHex), ['aa', 'bbbb'])
  assert.equal(count, 3)
})

test('bytes behind the last part are ignored', () => {
  assert.deepEqual(decodeCompound(fromHex('07010001aaffff')).parts.map(toHex), ['aa'])
})

test('a compound without a count or with a cut table is refused', () => {
  assert.throws(() => decodeCompound(fromHex('07')), DecodeError)
  assert.throws(() => decodeCompound(fromHex('070300010002')), DecodeError)
})

test('more messages than one byte counts are our own bug', () => {
  assert.throws(() => encodeCompound(new Array<Uint8Array>(256).fill(Uint8Array.of(8))), AssertionError)
})
