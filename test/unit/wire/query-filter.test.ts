import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DecodeError } from '../../../src/base/errors.ts'
import { decodeQueryFilter, encodeQueryFilter, type QueryFilter } from '../../../src/wire/query-filter.ts'
import { type Fields, fromHex, toHex, vectorsOf } from './vectors.ts'

function filterOf(stated: Fields): QueryFilter {
  return stated.type === 'node'
    ? { type: 'nodes', nodes: stated.nodes as string[] }
    : { type: 'tag', tag: stated.Tag as string, pattern: stated.Expr as string }
}

describe('filters of queries', () => {
  test('the golden vectors read and are written byte for byte', () => {
    const vectors = vectorsOf('serf-filters').filter(({ layer }) => layer === 'serf-filter')
    for (const { bytes, decoded, hex } of vectors) {
      const filter = filterOf(decoded as Fields)
      assert.deepEqual(decodeQueryFilter(bytes), filter)
      assert.equal(toHex(encodeQueryFilter(filter)), hex)
    }
    assert.equal(vectors.length, 4)
  })

  test('an empty one, one of a type that nobody defined, and one that breaks off are refused', () => {
    for (const hex of ['', '02', 'ff90', '0092a161', '0181a3', '00c3', '01a161']) {
      assert.throws(() => decodeQueryFilter(fromHex(hex)), DecodeError, hex)
    }
  })

  test('none of ours is ever empty', () => {
    assert.equal(toHex(encodeQueryFilter({ type: 'nodes', nodes: [] })), '0090')
  })

  test('nil names nobody, and a tag filter without a field has it empty', () => {
    assert.deepEqual(decodeQueryFilter(fromHex('00c0')), { type: 'nodes', nodes: [] })
    assert.deepEqual(decodeQueryFilter(fromHex('0180')), { type: 'tag', tag: '', pattern: '' })
  })
})
