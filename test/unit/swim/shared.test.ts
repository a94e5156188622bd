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

  it('is found also where many ports share one address', () => {
    const ip = Uint8Array.of(10, 0, 0, 3)
    const ports = Array.from({ length: 50 }, (_, index) => 7946 + 256 * index)
    const first = ports.map((port) => sharedAddress(ip, port))
    ports.forEach((port, index) => {
      assert.equal(sharedAddress(Uint8Array.from(ip), port), first[index])
    })
    assert.throws(() => sharedAddress(new Uint8Array(17), 7946), { name: 'OptionsError' })
  })

  it('holds no memory but its own: a short view does not keep the slab that it lies in', () => {
    const slab = new Uint8Array(8192)
    slab.set(utf8('a claim, just encoded'), 100)
    const shared = sharedBytes(slab.subarray(100, 121))
    assert.deepEqual(shared, utf8('a claim, just encoded'))
    assert.equal(shared.buffer.byteLength, shared.length)
    slab.fill(0)
    assert.equal(sharedBytes(utf8('a claim, just encoded')), shared)
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
