import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AssertionError } from '../../../src/base/assert.ts'
import { NO_BYTES, utf8 } from '../../../src/base/bytes.ts'
import { DecodeError } from '../../../src/base/errors.ts'
import { addLabel, checkLabel, labelHeaderLength, labelOverhead } from '../../../src/wire/label.ts'
import { toHex } from './vectors.ts'

const rest = Uint8Array.of(8, 1)

test('a label stands in front of the rest, and none adds nothing', () => {
  assert.equal(toHex(addLabel(utf8('ab'), rest)), 'f40261620801')
  assert.equal(addLabel(NO_BYTES, rest), rest)
  assert.equal(labelOverhead(utf8('ab')), 4)
  assert.equal(labelOverhead(NO_BYTES), 0)
})

test('the length of the header is known as soon as it can be', () => {
  const bytes = addLabel(utf8('ab'), rest)
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((end) => labelHeaderLength(bytes, end)),
    [undefined, undefined, undefined, undefined, 4, 4],
  )
  assert.equal(labelHeaderLength(rest, 1), 0)
})

test('an empty header, another label, a missing one and an unwanted one are refused', () => {
  assert.throws(() => labelHeaderLength(Uint8Array.of(0xf4, 0), 2), DecodeError)
  const bytes = addLabel(utf8('ab'), rest)
  assert.doesNotThrow(() => checkLabel(bytes, 4, utf8('ab')))
  assert.throws(() => checkLabel(bytes, 4, utf8('ac')), DecodeError)
  assert.throws(() => checkLabel(bytes, 4, NO_BYTES), DecodeError)
  assert.throws(() => checkLabel(rest, 0, utf8('ab')), DecodeError)
})

test('a label of more than 255 bytes is our own bug', () => {
  assert.throws(() => addLabel(new Uint8Array(256), rest), AssertionError)
})
