import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AssertionError } from '../../../src/base/assert.ts'
import { DecodeError } from '../../../src/base/errors.ts'
import { decodeCompound, encodeCompound } from '../../../src/wire/compound.ts'
import { fromHex, toHex } from './vectors.ts'

function partsOf(compound: Uint8Array): Uint8Array[] {
  const { bounds } = decodeCompound(compound)
  return bounds.slice(1).map((end, index) => compound.subarray(bounds[index], end))
}

test('what is put together comes apart again', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 255 }), (parts) => {
      const compound = encodeCompound(parts)
      assert.deepEqual(partsOf(compound), parts)
      assert.equal(decodeCompound(compound).count, parts.length)
    }),
    { numRuns: 30 },
  )
})

test('the parts that are whole are kept where the last one is cut', () => {
  const compound = fromHex('0703000100020005aabbbbcccc')
  assert.deepEqual(partsOf(compound).map(toHex), ['aa', 'bbbb'])
  assert.equal(decodeCompound(compound).count, 3)
})

test('bytes behind the last part are ignored', () => {
  assert.deepEqual(partsOf(fromHex('07010001aaffff')).map(toHex), ['aa'])
})

test('a compound without a count or with a cut table is refused', () => {
  assert.throws(() => decodeCompound(fromHex('07')), DecodeError)
  assert.throws(() => decodeCompound(fromHex('070300010002')), DecodeError)
})

test('more messages than one byte counts are our own bug', () => {
  assert.throws(() => encodeCompound(new Array<Uint8Array>(256).fill(Uint8Array.of(8))), AssertionError)
})
