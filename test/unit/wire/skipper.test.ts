import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DecodeError } from '../../../src/base/errors.ts'
import { encodeSerfMessage } from '../../../src/wire/serf-messages.ts'
import { Skipper } from '../../../src/wire/skipper.ts'
import { serfMessages } from './arbitraries.ts'
import { fromHex } from './vectors.ts'

/** Where the skipper stops when the bytes come one at a time; undefined where the value is not whole. */
function skip(bytes: Uint8Array, step = bytes.length, skipper = new Skipper()): number | undefined {
  let at = 0
  for (let end = Math.min(step, bytes.length); ; end = Math.min(end + step, bytes.length)) {
    at = skipper.advance(bytes, at, end, bytes.length)
    if (skipper.done) return at
    if (end === bytes.length) return undefined
  }
}

test('every form is passed to its last byte, whole or byte by byte', () => {
  const forms = [
    ...['00', '7f', 'e0', 'ff', 'c0', 'c2', 'c3', 'a0', 'a161', '80', '90', '8101c0', '92c0c0', 'cc01', 'cd0001'],
    ...['ce00000001', 'cf0000000000000001', 'd001', 'd10001', 'd200000001', 'd30000000000000001', 'ca00000000'],
    ...['cb0000000000000000', 'd90161', 'da000161', 'db0000000161', 'c40161', 'c5000161', 'c60000000161'],
    ...[
      'd40161',
      'd5016161',
      'd60161616161',
      'd7016161616161616161',
      `d801${'61'.repeat(16)}`,
      'c7010161',
      'c800010161',
    ],
    ...['c9000000010161', 'dc0001c0', 'dd00000001c0', 'de0001c0c0', 'df00000001c0c0', '9191819190c0'],
  ]
  for (const form of forms) {
    const bytes = fromHex(`${form}7f7f`)
    assert.equal(skip(bytes), form.length / 2, form)
    assert.equal(skip(bytes, 1), form.length / 2, `${form}, byte by byte`)
  }
  assert.equal(new Set(forms.map((form) => form.slice(0, 2))).size > 36, true)
})

test('a message is passed to the same place, whatever the pieces', () => {
  fc.assert(
    fc.property(serfMessages, fc.integer({ min: 1, max: 9 }), (message, step) => {
      if (message.type === 'relay') return
      const bytes = encodeSerfMessage(message).subarray(1)
      assert.equal(skip(bytes), bytes.length)
      assert.equal(skip(bytes, step), bytes.length)
    }),
  )
})

test('the never-used byte, deep nesting and claims beyond reach are refused', () => {
  assert.throws(() => skip(fromHex('c1')), DecodeError)
  assert.equal(skip(fromHex(`${'91'.repeat(64)}c0`)), 65)
  assert.throws(() => skip(fromHex(`${'91'.repeat(65)}c0`)), DecodeError)
  for (const claim of ['dbffffffff', 'ddffffffff', 'dfffffffff', 'c9ffffffff', 'a261', '92c0', 'cd01']) {
    assert.throws(() => skip(fromHex(claim)), DecodeError, claim)
  }
})

test('extension types are refused where they are not wanted', () => {
  const strict = (): Skipper => new Skipper({ extensions: false, maxDepth: 4 })
  for (const hex of ['d40161', 'd6ff00000000', 'c7010161', '91c9000000010161']) {
    assert.throws(() => skip(fromHex(hex), 1, strict()), DecodeError, hex)
  }
  assert.equal(skip(fromHex('91919190'), 1, strict()), 4)
  assert.throws(() => skip(fromHex('9191919191c0'), 1, strict()), DecodeError)
})

test('values may be counted: no more are passed than were granted, whatever their length', () => {
  const three = fromHex('92c0a161')
  const skipper = new Skipper({ maxValues: 3 })
  assert.equal(skip(three, 1, skipper), 4)
  assert.equal(skipper.valuesLeft, 0)
  skipper.reset()
  assert.throws(() => skip(fromHex('93c0c0c0'), 1, skipper), /too many values/)
  skipper.reset(4)
  assert.equal(skip(fromHex('93c0c0c0'), 1, skipper), 4)
})
