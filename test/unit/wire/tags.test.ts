import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '../../../src/base/bytes.ts'
import { decodeTags, encodeTags } from '../../../src/wire/tags.ts'
import type { Fields } from './vectors.ts'
import { fromHex, Tally, toHex, vectorsOf } from './vectors.ts'

describe('golden vectors of tags', () => {
  test('all meta decodes to its stated tags, and encodes to its bytes', (t) => {
    const tally = new Tally()
    for (const { name, bytes, hex, decoded, params, encode } of vectorsOf('serf-tags')) {
      const wanted = ((decoded as Fields).tags ?? {}) as Record<string, string>
      const { tags } = decodeTags(bytes)
      if (typeof wanted.role === 'object') {
        // A role that is not UTF-8: Go keeps the bytes as a string, we have no string for them.
        assert.deepEqual(decodeTags(bytes), { tags: {}, complete: false }, name)
        tally.add('role that is not UTF-8')
        continue
      }
      assert.deepEqual({ ...tags }, wanted, name)
      tally.add('decoded')
      if (encode !== 'exact') continue
      if (params.serfProtocol === 2) {
        assert.equal(toHex(utf8(tags.role as string)), hex, name)
        tally.add('bare role')
      } else {
        assert.equal(toHex(encodeTags(wanted)), hex, name)
        tally.add('exact')
      }
    }
    t.diagnostic(JSON.stringify(tally.counts))
    assert.deepEqual(tally.counts, { decoded: 28, exact: 6, 'bare role': 3, 'role that is not UTF-8': 2 })
  })
})

describe('tags', () => {
  test('what is encoded decodes to the same tags, and the order of giving makes no difference', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString'))
    const pairs = fc.uniqueArray(fc.tuple(key, fc.string()), { selector: ([name]) => name, maxLength: 20 })
    fc.assert(
      fc.property(pairs, (entries) => {
        const tags = Object.fromEntries(entries)
        const bytes = encodeTags(tags)
        assert.deepEqual(decodeTags(bytes), { tags, complete: true })
        assert.deepEqual(encodeTags(Object.fromEntries(entries.toReversed())), bytes)
      }),
    )
  })

  test('any bytes give tags, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, magic) => {
        const { tags } = decodeTags(magic ? Uint8Array.of(0xff, ...bytes) : bytes)
        assert.ok(Object.isFrozen(tags))
        assert.ok(Object.values(tags).every((value) => typeof value === 'string'))
      }),
      { numRuns: 1000 },
    )
  })

  test('a broken map keeps the pairs before the break, and says so', () => {
    assert.deepEqual(decodeTags(fromHex('ff82a161a178a16201')), { tags: { a: 'x' }, complete: false })
    assert.deepEqual(decodeTags(fromHex('ff81a161a178')), { tags: { a: 'x' }, complete: true })
  })

  test('a tag called __proto__ is an own property and changes no prototype', () => {
    const { tags } = decodeTags(encodeTags(Object.fromEntries([['__proto__', 'x']])))
    assert.deepEqual(Object.keys(tags), ['__proto__'])
    assert.equal(Object.getPrototypeOf(tags), Object.prototype)
  })
})
