import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DecryptError } from '../../../src/base/errors.ts'
import { open, PADDED_SEAL_OVERHEAD_BYTES, SEAL_OVERHEAD_BYTES, seal, sealedLength } from '../../../src/wire/encrypt.ts'
import { Keyring } from '../../../src/wire/keyring.ts'
import { testCipher } from './vectors.ts'

const nonce = new Uint8Array(12).fill(1)
const keyOf = (first: number): Uint8Array => new Uint8Array(16).fill(first)
const ring = new Keyring([keyOf(1), keyOf(2)])

describe('AES-GCM frames', () => {
  test('what is sealed opens to the same bytes, in the length that was foretold', () => {
    const bytes = fc.uint8Array({ maxLength: 100 })
    fc.assert(
      fc.property(bytes, bytes, fc.constantFrom(0 as const, 1 as const), (plain, additional, version) => {
        const sealed = seal(plain, ring, testCipher, nonce, version, additional)
        assert.equal(sealed.length, sealedLength(plain.length, version))
        const most = version === 0 ? PADDED_SEAL_OVERHEAD_BYTES : SEAL_OVERHEAD_BYTES
        assert.ok(sealed.length <= plain.length + most)
        assert.deepEqual(open(sealed, ring, testCipher, additional), { plain, version, keyIndex: 0 })
      }),
    )
  })

  test('every key of the ring is tried, and the one that fits is told', () => {
    const sealed = seal(Uint8Array.of(5), new Keyring([keyOf(2)]), testCipher, nonce, 1, nonce)
    assert.equal(open(sealed, ring, testCipher, nonce).keyIndex, 1)
  })

  test('a changed byte, other additional data and an unknown key are refused', () => {
    const sealed = seal(Uint8Array.of(5), ring, testCipher, nonce, 1, nonce)
    for (let at = 1; at < sealed.length; at++) {
      const changed = sealed.slice()
      changed[at] = (changed[at] as number) ^ 1
      assert.throws(() => open(changed, ring, testCipher, nonce), DecryptError, `byte ${at}`)
    }
    assert.throws(() => open(sealed, ring, testCipher, keyOf(0)), DecryptError)
    assert.throws(() => open(sealed, new Keyring([keyOf(3)]), testCipher, nonce), DecryptError)
  })

  test('a count of padding beyond the bytes is refused, not cut', () => {
    const sealed = seal(new Uint8Array(16).fill(200), ring, testCipher, nonce, 1, nonce)
    sealed[0] = 0
    assert.throws(() => open(sealed, ring, testCipher, nonce), DecryptError)
  })
})
