import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_BYTES, utf8 } from '../../../src/base/bytes.ts'
import { nodeCipher } from '../../../src/node/cipher.ts'

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const NONCE = new Uint8Array(12)

// Test cases 2, 8 and 14 of the GCM specification (McGrew, Viega): zero key, zero nonce, sixteen zero bytes.
const KNOWN = [
  { keyBytes: 16, sealed: '0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf' },
  { keyBytes: 24, sealed: '98e7247c07f0fe411c267e4384b0f6002ff58d80033927ab8ef4d4587514f0fb' },
  { keyBytes: 32, sealed: 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919' },
]

describe('node/cipher.ts', () => {
  for (const { keyBytes, sealed } of KNOWN) {
    it(`a key of ${keyBytes} bytes gives the published ciphertext and opens it`, () => {
      const key = new Uint8Array(keyBytes)
      const plain = new Uint8Array(16)
      assert.deepEqual(nodeCipher.seal(key, NONCE, plain, NO_BYTES), bytesOf(sealed))
      assert.deepEqual(nodeCipher.open(key, NONCE, bytesOf(sealed), NO_BYTES), plain)
    })
  }

  it('an empty message is a tag, and opens to nothing', () => {
    const key = new Uint8Array(16)
    const sealed = nodeCipher.seal(key, NONCE, NO_BYTES, NO_BYTES)
    assert.deepEqual(sealed, bytesOf('58e2fccefa7e3061367f1d57a4e7455a'))
    assert.deepEqual(nodeCipher.open(key, NONCE, sealed, NO_BYTES), NO_BYTES)
  })

  it('nothing opens when a bit of it, of the nonce, the key or the additional data is changed', () => {
    const parts = [new Uint8Array(16).fill(3), new Uint8Array(12).fill(4), utf8('secret'), utf8('label')] as const
    const [key, nonce, plain, additional] = parts
    const sealed = nodeCipher.seal(key, nonce, plain, additional)
    assert.deepEqual(nodeCipher.open(key, nonce, sealed, additional), plain)
    const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
    for (let at = 0; at < sealed.length; at++)
      assert.equal(nodeCipher.open(key, nonce, flipped(sealed, at), additional), undefined)
    assert.equal(nodeCipher.open(flipped(key, 0), nonce, sealed, additional), undefined)
    assert.equal(nodeCipher.open(key, flipped(nonce, 11), sealed, additional), undefined)
    assert.equal(nodeCipher.open(key, nonce, sealed, flipped(additional, 0)), undefined)
    assert.equal(nodeCipher.open(key, nonce, sealed, NO_BYTES), undefined)
  })

  it('bytes too short for a tag, an empty nonce and a key of no variant open to nothing and throw nothing', () => {
    const key = new Uint8Array(16)
    for (let length = 0; length < 16; length++) {
      assert.equal(nodeCipher.open(key, NONCE, new Uint8Array(length), NO_BYTES), undefined)
    }
    const sealed = nodeCipher.seal(key, NONCE, utf8('x'), NO_BYTES)
    assert.equal(nodeCipher.open(key, NO_BYTES, sealed, NO_BYTES), undefined)
    assert.equal(nodeCipher.open(new Uint8Array(17), NONCE, sealed, NO_BYTES), undefined)
  })

  it('what comes out is a plain array that owns exactly its memory', () => {
    const key = new Uint8Array(32)
    const sealed = nodeCipher.seal(key, NONCE, utf8('seventeen bytes..'), NO_BYTES)
    const opened = nodeCipher.open(key, NONCE, sealed, NO_BYTES) as Uint8Array
    for (const bytes of [sealed, opened]) {
      assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype)
      assert.equal(bytes.buffer.byteLength, bytes.length)
    }
  })
})
