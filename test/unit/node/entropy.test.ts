import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hexOf } from '../../../src/base/bytes.ts'
import { fillWithEntropy } from '../../../src/node/entropy.ts'

describe('node/entropy.ts', () => {
  it('no nonce comes twice, across many fillings of the pool', () => {
    const seen = new Set<string>()
    for (let count = 0; count < 5000; count++) {
      const nonce = new Uint8Array(12)
      fillWithEntropy(nonce)
      seen.add(hexOf(nonce))
    }
    assert.equal(seen.size, 5000)
  })

  it('fills every byte of any size, below, at and beyond the pool', () => {
    for (const length of [0, 1, 12, 4095, 4096, 4097, 100_000]) {
      const touched = new Uint8Array(length)
      // A byte stays zero in one of 256 drawings; in sixteen, never.
      for (let round = 0; round < 16; round++) {
        const drawn = new Uint8Array(length)
        fillWithEntropy(drawn)
        for (let at = 0; at < length; at++) touched[at] = (touched[at] as number) | (drawn[at] as number)
      }
      assert.ok(!touched.includes(0), `${length} bytes`)
    }
  })
})
