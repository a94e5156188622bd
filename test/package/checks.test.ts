// The acceptance checks of the behaviour spec, by number: each has a test whose title begins with it.
// A number counts only where a test runner is handed it: `test('ML-22: …')` or a scenario's `title: 'SF-71: …'`.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ROOT } from './built.ts'
import { titlesIn } from './titles.ts'

/** Part I is memberlist, Part II Serf; the agent's own checks (AG) come with the agent. */
const CHECKS: readonly string[] = [
  ...numbers('ML', [1, 18], [20, 28], [30, 37], [40, 46], [50, 56], [60, 64]),
  ...numbers(
    'SF',
    [1, 3],
    [10, 16],
    [20, 25],
    [30, 34],
    [40, 49],
    [50, 55],
    [60, 65],
    [70, 72],
    [80, 82],
    [90, 93],
    [95, 98],
  ),
]

/** The numbers with which the titles in a source begin: `ML-30, ML-31: …` names two. */
function namedIn(source: string): string[] {
  return titlesIn(source).flatMap(
    (title) => /^((?:ML|SF)-\d\d(?:, (?:ML|SF)-\d\d)*)\b/.exec(title)?.[1]?.split(', ') ?? [],
  )
}

function numbers(part: 'ML' | 'SF', ...ranges: readonly (readonly [number, number])[]): string[] {
  return ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, at) => `${part}-${String(first + at).padStart(2, '0')}`),
  )
}

describe('the acceptance checks', () => {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const named = new Set(files.flatMap((file) => namedIn(readFileSync(join(ROOT, 'test', file), 'utf8'))))

  test('each is named by a test', () => {
    assert.deepEqual(
      CHECKS.filter((id) => !named.has(id)),
      [],
    )
  })

  test('no test names one that does not exist', () => {
    assert.deepEqual(
      [...named].filter((id) => !CHECKS.includes(id)),
      [],
    )
  })

  test('a number in a comment or within a title names nothing', () => {
    assert.deepEqual(namedIn("// ML-01: no\ntest('see ML-02', run)\nconst text = 'ML-03: no'"), [])
    assert.deepEqual(namedIn("test('ML-04, SF-10: yes', run)\nconst one = { title: 'ML-05: yes' }"), [
      'ML-04',
      'SF-10',
      'ML-05',
    ])
  })
})
