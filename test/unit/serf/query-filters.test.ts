import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MAX_FILTERS, passesFilters } from '../../../src/serf/query-filters.ts'
import { TagPatterns } from '../../../src/serf/tag-patterns.ts'
import { encodeQueryFilter, type QueryFilter } from '../../../src/wire/query-filter.ts'
import { fromHex } from '../wire/vectors.ts'

const member = { name: 'web-1', tags: { role: 'web', zone: 'eu-1' } }

function passes(filters: readonly (QueryFilter | Uint8Array)[]): { verdict: boolean; warnings: string[] } {
  const warnings: string[] = []
  const bytes = filters.map((filter) => (filter instanceof Uint8Array ? filter : encodeQueryFilter(filter)))
  const verdict = passesFilters(bytes, member, new TagPatterns(), (message) => warnings.push(message))
  return { verdict, warnings }
}

function tag(name: string, pattern: string): QueryFilter {
  return { type: 'tag', tag: name, pattern }
}

describe('filters', () => {
  test('none lets everybody pass', () => {
    assert.deepEqual(passes([]), { verdict: true, warnings: [] })
  })

  test('of names: ours must be among them, whole', () => {
    assert.equal(passes([{ type: 'nodes', nodes: ['other', 'web-1'] }]).verdict, true)
    assert.equal(passes([{ type: 'nodes', nodes: ['web', 'web-11'] }]).verdict, false)
    assert.equal(passes([{ type: 'nodes', nodes: [] }]).verdict, false)
  })

  test('of tags: the pattern is found in the value, and a missing tag is empty', () => {
    assert.equal(passes([tag('role', 'e')]).verdict, true)
    assert.equal(passes([tag('role', '^e')]).verdict, false)
    assert.equal(passes([tag('nothing', '^$')]).verdict, true)
    assert.equal(passes([tag('nothing', '.')]).verdict, false)
    assert.equal(passes([tag('constructor', '.')]).verdict, false, 'no tag by inheritance')
  })

  test('all must pass', () => {
    assert.equal(passes([tag('role', 'web'), tag('zone', '^eu-')]).verdict, true)
    assert.equal(passes([tag('role', 'web'), tag('zone', '^us-')]).verdict, false)
  })

  test('a pattern that is refused matches nothing, and a person is told', () => {
    const { verdict, warnings } = passes([tag('role', '(?=web)')])
    assert.equal(verdict, false)
    assert.match(warnings[0] as string, /the tag role matches nothing: .*invalid or unsupported Perl syntax/)
  })

  test('SF-49: a zero-length one, one of an unknown type and one that breaks off match nothing, and are survived', () => {
    for (const hex of ['', '07', '0192', '00a5']) {
      const { verdict, warnings } = passes([tag('role', 'web'), fromHex(hex)])
      assert.equal(verdict, false, hex)
      assert.equal(warnings.length, 1, hex)
    }
  })

  test('too many of them, or too large ones, are not looked at', () => {
    assert.equal(passes(Array.from({ length: MAX_FILTERS }, () => tag('role', 'web'))).verdict, true)
    assert.match(passes(Array.from({ length: MAX_FILTERS + 1 }, () => tag('role', 'web'))).warnings[0] as string, /65/)
    const long = { type: 'nodes', nodes: ['web-1', 'x'.repeat(4096)] } as const
    assert.equal(passes([long]).verdict, false)
  })
})
