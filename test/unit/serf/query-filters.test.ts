import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MAX_FILTERS, MAX_QUERY_INSTRUCTIONS, MAX_QUERY_WORK, QueryFilters } from '../../../src/serf/query-filters.ts'
import { countInstructions, TagPatterns } from '../../../src/serf/tag-patterns.ts'
import { encodeQueryFilter, type QueryFilter } from '../../../src/wire/query-filter.ts'
import { fromHex } from '../wire/vectors.ts'
import { counted } from './pattern-steps.ts'

const member = { name: 'web-1', tags: { role: 'web', zone: 'eu-1' } }

function passes(filters: readonly (QueryFilter | Uint8Array)[]): { verdict: boolean; warnings: string[] } {
  const warnings: string[] = []
  const bytes = filters.map((filter) => (filter instanceof Uint8Array ? filter : encodeQueryFilter(filter)))
  const warn = (message: string): void => void warnings.push(message)
  const verdict = QueryFilters.read(bytes, new TagPatterns(), warn)?.passes(member, warn) ?? false
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

/** Queries of 64 patterns, each another, that are as nasty as their number makes them. */
const HEAVY: Readonly<Record<string, (at: number) => string>> = {
  'optional dots': (at) => `(?:.?){${670 - at}}$`,
  stars: (at) => `(?:.*){${670 - at}}$`,
  'empty loops': (at) => `(?:(?:|.)*){${370 - at}}$`,
  'folded letters': (at) => `(?i:(?:[a-z]?){${600 - at}})$`,
  'unicode classes': (at) => `(?:\\pL?){${180 - at}}$`,
  'small ones': (at) => `(?:.?){${4 + (at % 8)}}${'a?'.repeat(at % 5)}$`,
}

describe('what a whole query may take', () => {
  test('all patterns together have the instructions that one may have, and none is compiled where they have more', () => {
    // 18 instructions each, of which the query may have 4,096.
    const small = Array.from({ length: MAX_FILTERS }, (_, at) => tag('role', `.{${10 + at}}`))
    assert.equal(passes(small).warnings.length, 0)
    const large = Array.from({ length: MAX_FILTERS }, (_, at) => tag('role', `.{${64 + at}}|`))
    const ours = large.map((one) => (one.type === 'tag' ? countInstructions(one.pattern) : 0))
    assert.ok(ours.reduce((sum, one) => sum + one) > MAX_QUERY_INSTRUCTIONS && Math.max(...ours) < 200)
    const { result, compiled, steps } = counted(() => passes(large))
    assert.match(result.warnings[0] as string, /^patterns of \d+ instructions, at most 4096/)
    assert.deepEqual([result.verdict, compiled, steps], [false, 0, 0])
  })

  test('instructions times characters have a bound too, known before anything is compiled', () => {
    const pattern = `a?${'.?'.repeat(200)}`
    const most = Math.floor(MAX_QUERY_WORK / countInstructions(pattern)) - 1
    const filters = [encodeQueryFilter(tag('note', pattern))]
    for (const [length, isTaken] of [
      [most, true],
      [most + 1, false],
    ] as const) {
      const warnings: string[] = []
      const warn = (message: string): void => void warnings.push(message)
      const { result, compiled } = counted(() =>
        QueryFilters.read(filters, new TagPatterns(), warn)?.passes(
          { name: 'web-1', tags: { note: 'a'.repeat(length) } },
          warn,
        ),
      )
      assert.deepEqual([result, compiled, warnings.length], [isTaken, isTaken ? 1 : 0, isTaken ? 0 : 1], `${length}`)
    }
  })

  test('whatever the patterns, the steps of a query are at most twice that bound, and what is compiled within its own', () => {
    let taken = 0
    for (const [what, make] of Object.entries(HEAVY)) {
      for (const filtersOfOne of [1, 4, MAX_FILTERS]) {
        for (const length of [0, 20, 490]) {
          const filters = Array.from({ length: filtersOfOne }, (_, at) => encodeQueryFilter(tag('note', make(at))))
          const candidate = { name: 'web-1', tags: { note: 'a'.repeat(length) } }
          const { steps, instructions } = counted(() =>
            QueryFilters.read(filters, new TagPatterns(), () => {})?.passes(candidate, () => {}),
          )
          assert.ok(steps <= 2 * MAX_QUERY_WORK, `${filtersOfOne} of ${what}, ${length} letters: ${steps} steps`)
          assert.ok(instructions <= MAX_QUERY_INSTRUCTIONS, `${filtersOfOne} of ${what}: ${instructions} instructions`)
          if (steps > 0) taken++
        }
      }
    }
    assert.ok(taken >= 8, `${taken} queries were taken`)
  })

  test('the names are looked at first, and cost nothing', () => {
    const { result, compiled } = counted(() => passes([tag('role', 'w'), { type: 'nodes', nodes: ['other'] }]))
    assert.deepEqual([result, compiled], [{ verdict: false, warnings: [] }, 0])
  })
})
