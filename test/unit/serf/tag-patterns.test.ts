import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { RE2Set } from 're2js'
import {
  compilePattern,
  countInstructions,
  MAX_INSTRUCTIONS_PER_CHARACTER,
  MAX_PATTERN_INSTRUCTIONS,
  MAX_PATTERN_LENGTH,
  TagPatterns,
} from '../../../src/serf/tag-patterns.ts'
import { counted } from './pattern-steps.ts'

/** A pattern, a value, and what Go's `regexp.MatchString` says of them: true, false, or that it is no pattern. */
const GO: readonly (readonly [pattern: string, value: string, verdict: boolean | 'error'])[] = [
  // Found anywhere, not held against the whole.
  ['we', 'a web server', true],
  ['^we', 'a web server', false],
  ['', '', true],
  ['', 'x', true],
  ['^$', '', true],
  ['^(web|api)$', 'api', true],
  ['^(web|api)$', 'apis', false],
  // Flags.
  ['(?i)WEB', 'web', true],
  ['(?i)k', '\u212a', true],
  ['(?i)(?-i)K', 'k', false],
  ['(?i:W)eb', 'web', true],
  ['(?s)a.b', 'a\nb', true],
  ['a.b', 'a\nb', false],
  ['(?m)^b$', 'a\nb', true],
  ['^b$', 'a\nb', false],
  ['(?U)a+', 'aa', true],
  ['(?x)a', 'a', 'error'],
  // The end of the text.
  ['a\\z', 'a\n', false],
  ['a$', 'a\n', false],
  ['a\\Z', 'a', 'error'],
  ['\\Aa', 'ba', false],
  // Quoting.
  ['\\Qa.b\\E+', 'a.bb', true],
  ['\\Qa.b\\E', 'axb', false],
  ['\\Q(', '(', true],
  // Classes.
  ['\\pL', 'é', true],
  ['\\p{Greek}', 'β', true],
  ['\\p{Nonsense}', 'a', 'error'],
  ['[[:alpha:]]', '3', false],
  ['[[:nothing:]]', 'n', 'error'],
  ['[]a]', ']', true],
  ['[^]a]', 'a', false],
  ['[a-\\d]', 'a', 'error'],
  ['\\w', 'é', false],
  ['\\d', '٣', false],
  ['\\bé', 'é', false],
  ['.', '😀', true],
  ['^.$', '😀', true],
  // Repetitions.
  ['^a{2,3}$', 'aa', true],
  ['a{,3}', 'a{,3}', true],
  ['a{1001}', 'a', 'error'],
  ['(a{500}){3}', 'a', 'error'],
  ['a**', 'a', 'error'],
  ['a*+', 'a', 'error'],
  ['*a', 'a', 'error'],
  ['(|a)*', 'b', true],
  // What Perl has and RE2 has not.
  ['(?=a)', 'a', 'error'],
  ['(?<!a)b', 'b', 'error'],
  ['(a)\\1', 'aa', 'error'],
  ['\\C', 'a', 'error'],
  ['(?<n>a)', 'a', true],
  ['(?P<n>a)', 'a', true],
  ['(?P<n>a)(?P<n>b)', 'ab', 'error'],
  // Escapes.
  ['\\x41', 'A', true],
  ['\\x{1F600}', '😀', true],
  ['\\101', 'A', true],
  ['\\_', '_', true],
  ['\\é', 'é', 'error'],
  ['\\/', '/', true],
  ['\\y', 'y', 'error'],
  ['a\\', 'a', 'error'],
  ['(a', 'a', 'error'],
  ['a)', 'a', 'error'],
  ['[a', 'a', 'error'],
]

/** Each look of the automaton at an instruction. */
function stepsOf(set: RE2Set, value: string): number {
  return counted(() => set.match(value)).steps
}

function compiled(pattern: string): RE2Set {
  const set = compilePattern(pattern)
  assert.ok(set instanceof RE2Set, `${pattern.slice(0, 40)}: ${set}`)
  return set
}

/** Patterns that take a backtracking engine, or one that expands, for ever: each of any size. */
const CATASTROPHES: Readonly<Record<string, (size: number) => string>> = {
  'nested stars': (size) => `${'('.repeat(size)}a${'*)'.repeat(size)}*b`,
  'stars of alternatives': (size) => `${'(a|aa)*'.repeat(size)}$b`,
  'optional, then required': (size) => `${'a?'.repeat(size)}${'a'.repeat(size)}b`,
  'dots and stars': (size) => `${'.*'.repeat(size)}=.*b`,
  'overlapping classes': (size) => `${'[a-z]*[a-y]+'.repeat(size)}[^a]`,
  'empty loops': (size) => `${'(|a)*'.repeat(size)}b`,
  'counted repetitions': (size) => `(a{0,${size}}){1,8}b`,
  'words and borders': (size) => `${'(\\b|\\w)*'.repeat(size)}!`,
  'folded letters': (size) => `(?i)${'(a|A|aa)+'.repeat(size)}b`,
  'unicode classes': (size) => `${'\\pL*'.repeat(size)}!`,
}

/** A few characters that are written out to as much as they may be. */
const DENSE: readonly string[] = [
  '.{1,255}',
  '(?:.?){130}$',
  '(?:.?){160}$  ',
  '(?:.*){170}$',
  '(?:(?:|.)*){120}$',
  '(?:\\pL?){60}$',
  '(?i:(?:[a-z]?){200})$',
  '(?:a{0,30}){20}b',
]

describe('patterns for tags', () => {
  test('mean what they mean to Go', () => {
    const patterns = new TagPatterns()
    for (const [pattern, value, verdict] of GO) {
      const ours = patterns.matches(pattern, value)
      assert.equal(typeof ours === 'string' ? 'error' : ours, verdict, `${pattern} in ${JSON.stringify(value)}`)
    }
  })

  test('the steps grow no faster than the pattern times the value, however nasty the pattern', () => {
    for (const [what, make] of Object.entries(CATASTROPHES)) {
      const ratios: number[] = []
      for (const size of [8, 16, 32]) {
        const pattern = make(size)
        const set = compiled(pattern)
        const instructions = (set.prog as unknown as { inst: unknown[] }).inst.length
        assert.ok(instructions <= 8 * Math.max(pattern.length, size * 16), `${what}: ${instructions} instructions`)
        for (const length of [64, 128, 256, 512]) {
          const steps = stepsOf(set, 'a'.repeat(length))
          // Each instruction is looked at when it is reached and when it is held against the character: at most twice a character.
          assert.ok(steps <= 2 * instructions * (length + 2), `${what} of ${size}, ${length} letters: ${steps} steps`)
          assert.ok(steps > length, `${what}: steps are counted`)
          ratios.push(steps / (instructions * (length + 2)))
        }
      }
      // Doubled lengths double the steps and no more: the share per instruction and letter stays as it is.
      const [least, most] = [Math.min(...ratios), Math.max(...ratios)]
      assert.ok(most <= 2 && most <= 2 * least + 0.1, `${what}: from ${least} to ${most}`)
    }
  })

  test('a match takes at most 256 steps for each character of the pattern and of the value and its end, however nasty the pattern', () => {
    const battery = Object.values(CATASTROPHES).flatMap((make) => [1, 4, 16, 48].map(make))
    let [taken, most] = [0, 0]
    for (const pattern of [...battery, ...DENSE]) {
      const set = compilePattern(pattern)
      if (typeof set === 'string') continue
      taken++
      for (const length of [0, 1, 64, 512]) {
        // Held against the start and the end too, as if each were a character.
        const steps = stepsOf(set, 'a'.repeat(length)) / (pattern.length * (length + 2))
        assert.ok(steps <= 2 * MAX_INSTRUCTIONS_PER_CHARACTER, `${pattern}, ${length} letters: ${steps} a character`)
        most = Math.max(most, steps)
      }
    }
    assert.ok(taken > 40 && most > 32, `${taken} patterns, up to ${most} steps a character`)
  })

  test('a few characters that are written out to many instructions are refused, and what is written for tags is not', () => {
    for (const pattern of ['.{1000}', '(?:.?){670}$', '(?:.*){300}$', '(?:\\pL?){180}$', '(?:a{0,40}){40}b']) {
      assert.match(
        String(compilePattern(pattern)),
        /^a pattern of \d+ instructions, at most \d+ for its length$/,
        pattern,
      )
    }
    for (const pattern of [
      '',
      '.{1,255}',
      '^.{512}$',
      '(?i)[а-яА-Я]',
      '^[a-z]{1,63}$',
      '(?i)^[à-ÿÀ-Ý]+$',
      '\\pL{20}',
    ]) {
      compiled(pattern)
    }
  })

  test('what would be written out to too many instructions is refused before it is', () => {
    for (const pattern of [
      `(?:${'x'.repeat(1000)}){1000}`,
      '(?:(?:abcdefghij){100}){10}',
      `(?:${'a?'.repeat(400)}){10}`,
      '\\pL{1000}',
      `(?i)${'[\\x{100}-\\x{1ffff}]'.repeat(40)}`,
      `(?i)[${'Ā-豈'.repeat(40)}]`,
    ]) {
      const { result: refusal, handed, steps } = counted(() => compilePattern(pattern))
      assert.ok(typeof refusal === 'string', pattern.slice(0, 40))
      assert.match(refusal, /^a pattern of \d+ instructions, at most \d+ for its length$/)
      // Nothing was written out: the engine, which takes seconds over the first, never saw it.
      assert.deepEqual([handed, steps], [0, 0], pattern.slice(0, 40))
    }
    assert.equal(counted(() => compilePattern('a{3}')).handed, 1, 'what it sees is counted')
  })

  test('real filters are far from the bound', () => {
    for (const pattern of [
      '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      '^\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}$',
      '(?i)^(web|api|cache)-[a-z0-9-]{1,63}\\.(example|test)\\.com$',
      '^v\\d+\\.\\d+\\.\\d+(-[\\w.]+)?$',
    ]) {
      assert.ok(countInstructions(pattern) < MAX_PATTERN_INSTRUCTIONS / 8, pattern)
      compiled(pattern)
    }
  })

  test('the count is never below the instructions that there are', () => {
    // biome-ignore format: the formatter puts each of these parts on a line of its own, some fifty lines
    const parts = ['a', 'b', '|', '(', ')', '(?:', '(?i)', '(?i:', '(?P<n>', '[a-z]', '[^b]', '[]a]', '[[:alpha:]]', '[a\\]]', '\\pL',
      '\\Q', '\\E', '\\x{41}', '{3}', '{2,5}', '{2,}', '{0,3}', '*', '+', '?', '.', '^', '$', '\\b', '[', '\\', '{', '}', '-', ']',
      '\\d', ',', '3', '[[:', 'é', '[à-ÿ]', '(?', '<', ':]', '\\Qa{9}', '[{9}', '😀']
    let patterns = 0
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 10 }), (chosen) => {
        const pattern = chosen.join('')
        const set = new RE2Set(RE2Set.UNANCHORED, 0, 0)
        try {
          set.add(pattern)
        } catch {
          return true
        }
        set.compile()
        patterns++
        return countInstructions(pattern) >= (set.prog as unknown as { inst: unknown[] }).inst.length
      }),
      { numRuns: 5000 },
    )
    assert.ok(patterns > 500, `${patterns} of the texts are patterns`)
  })

  test('too long a pattern is refused unread', () => {
    const patterns = new TagPatterns()
    assert.equal(patterns.matches('a'.repeat(MAX_PATTERN_LENGTH), 'a'), false)
    assert.equal(patterns.matches('a'.repeat(MAX_PATTERN_LENGTH + 1), 'a'), 'a pattern of 1025 characters')
  })

  test('sixteen are kept, those used last, and no more', () => {
    const patterns = new TagPatterns()
    const compiledFor = (number: number): number => counted(() => patterns.matches(`^${number}$`, '')).compiled
    for (let number = 0; number < 16; number++) assert.equal(compiledFor(number), 1)
    for (let number = 0; number < 16; number++) assert.equal(compiledFor(number), 0)
    assert.equal(compiledFor(0), 0)
    assert.equal(compiledFor(16), 1)
    assert.deepEqual([patterns.has('^0$'), patterns.has('^1$'), patterns.has('^16$')], [true, false, true])
    assert.equal(compiledFor(1), 1)
  })

  test('a pattern that was let go of is compiled anew', () => {
    const patterns = new TagPatterns()
    for (let round = 0; round < 3; round++) {
      for (let number = 0; number < 40; number++) {
        assert.equal(patterns.matches(`^${number}$`, `${number}`), true)
        assert.equal(typeof patterns.matches(`(${number}`, ''), 'string')
      }
    }
  })
})
