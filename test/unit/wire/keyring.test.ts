import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { OptionsError } from '../../../src/base/errors.ts'
import { formatKey, Keyring, parseKey } from '../../../src/wire/keyring.ts'

const keyOf = (first: number, length = 16): Uint8Array => new Uint8Array(length).fill(first)

function refusal(act: () => unknown): OptionsError {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof OptionsError)
    return error
  }
  return assert.fail('it was not refused')
}

describe('keyring', () => {
  test('the first key is the primary, and the order is kept', () => {
    const keyring = new Keyring([keyOf(1), keyOf(2, 24), keyOf(3, 32), keyOf(1)])
    assert.deepEqual(keyring.primary, keyOf(1))
    assert.deepEqual(keyring.keys, [keyOf(1), keyOf(2, 24), keyOf(3, 32)])
  })

  test('no key, and a key of another size, are refused', () => {
    assert.equal(refusal(() => new Keyring([])).option, 'keyring')
    assert.equal(refusal(() => new Keyring([keyOf(1, 15)])).limit, 'key size must be 16, 24 or 32 bytes')
  })

  test('a value that is neither text nor bytes is no key, and is not shown', () => {
    const values = [16, null, undefined, 'k'.repeat(16), new Array(16).fill(7), new ArrayBuffer(16)]
    for (const value of values as unknown as Uint8Array[]) {
      const error = refusal(() => new Keyring([value]))
      assert.equal(error.limit, 'key size must be 16, 24 or 32 bytes')
      assert.match(String(error.value), /^\(hidden: \w+\)$/)
      assert.equal(refusal(() => parseKey(value, 'secretKey')).option, 'secretKey')
    }
  })

  test('keys are copied on the way in and on the way out', () => {
    const key = keyOf(1)
    const keyring = new Keyring([key])
    key.fill(9)
    keyring.keys[0]?.fill(9)
    assert.deepEqual(keyring.primary, keyOf(1))
  })

  test('add appends once, use moves to the front, remove takes away', () => {
    const keyring = new Keyring([keyOf(1)])
    keyring.add(keyOf(2))
    keyring.add(keyOf(2))
    assert.deepEqual(keyring.keys, [keyOf(1), keyOf(2)])
    keyring.use(keyOf(2))
    assert.deepEqual(keyring.keys, [keyOf(2), keyOf(1)])
    keyring.remove(keyOf(1))
    keyring.remove(keyOf(7))
    assert.deepEqual(keyring.keys, [keyOf(2)])
  })

  test('using an unknown key and removing the primary are refused, and change nothing', () => {
    const keyring = new Keyring([keyOf(1), keyOf(2)])
    assert.equal(refusal(() => keyring.use(keyOf(3))).limit, 'requested key is not in the keyring')
    assert.equal(refusal(() => keyring.remove(keyOf(1))).limit, 'removing the primary key is not allowed')
    assert.deepEqual(keyring.keys, [keyOf(1), keyOf(2)])
  })
})

describe('keys as text', () => {
  test('base64 comes back as the bytes it was made of', () => {
    const sizes = fc.constantFrom(16, 24, 32)
    const keys = sizes.chain((size) => fc.uint8Array({ minLength: size, maxLength: size }))
    fc.assert(
      fc.property(keys, (key) => {
        assert.equal(formatKey(key), Buffer.from(key).toString('base64'))
        assert.deepEqual(parseKey(formatKey(key), 'secretKey'), key)
      }),
    )
  })

  test('bytes are taken as they are, as a copy', () => {
    const key = keyOf(5, 32)
    const parsed = parseKey(key, 'secretKey')
    assert.deepEqual(parsed, key)
    assert.notEqual(parsed, key)
  })

  test('text that is not strict base64, or of another size, is refused without showing the key', () => {
    const good = formatKey(keyOf(0xa7))
    const unpadded = good.slice(0, -2)
    for (const text of [
      '',
      unpadded,
      ` ${good}`,
      `${good}\n`,
      good.replaceAll('+', '-'),
      `${good.slice(0, -3)}5==`,
      'p6en',
      '*'.repeat(24),
    ]) {
      if (text === good) continue
      const error = refusal(() => parseKey(text, 'secretKey'))
      assert.equal(error.option, 'secretKey')
      for (const shown of [error.message, String(error.value)])
        assert.ok(text.length < 4 || !shown.includes(text.trim().slice(0, 20)), shown)
    }
    assert.equal(refusal(() => parseKey(keyOf(1, 17), 'keyring')).option, 'keyring')
  })
})
