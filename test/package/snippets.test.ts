// Tests of snippets.ts: what counts as a program, and that nothing which looks like code slips through unmarked.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readPage } from './snippets.ts'

describe('the programs of a page', () => {
  test('a marked block is a program, with its mode and its line', () => {
    const { programs, faults } = readPage(
      page('# Title', '```ts run', 'one()', '', 'two()', '```', '```ts check', 'x', '```'),
    )
    assert.deepEqual(programs, [
      { mode: 'run', source: 'one()\n\ntwo()', line: 2 },
      { mode: 'check', source: 'x', line: 7 },
    ])
    assert.deepEqual(faults, [])
  })

  for (const info of [
    'ts',
    'js',
    'typescript',
    'javascript',
    'mjs',
    'tsx',
    'TS',
    'ts runs',
    'ts run later',
    'js run',
    'node',
  ]) {
    test(`a block marked '${info}' is a fault`, () => {
      const { programs, faults } = readPage(page('', `\`\`\`${info}`, 'x', '```'))
      assert.deepEqual(programs, [])
      assert.deepEqual(faults, [{ name: `'${info}': write 'ts run' or 'ts check'`, line: 2 }])
    })
  }

  test('a fence without a language is a fault', () => {
    assert.deepEqual(readPage(page('```', 'x', '```')).faults, [{ name: 'a fence without a language', line: 1 }])
  })

  test('other languages are no programs and no faults', () => {
    const { programs, faults } = readPage(page('```text', 'x', '```', '```json', '{}', '```', '~~~sh', 'ls', '~~~'))
    assert.deepEqual([programs, faults], [[], []])
  })

  test('a block that continues is one program with the block before', () => {
    const { programs } = readPage(
      page('```ts run', 'a', '```', 'so', '```sh', 'ls', '```', '```ts run continues', 'b', '```'),
    )
    assert.deepEqual(programs, [{ mode: 'run', source: 'a\nb', line: 1 }])
  })

  for (const lines of [
    ['```ts run continues', 'b', '```'],
    ['```ts check', 'a', '```', '```ts run continues', 'b', '```'],
    ['```ts run', 'a', '```', '```ts', 'x', '```', '```ts run continues', 'b', '```'],
  ]) {
    test(`nothing to continue: ${lines.join(' ')}`, () => {
      assert.match(readPage(page(...lines)).faults.at(-1)?.name ?? '', /continues no block of its kind/)
    })
  }

  test('a block inside a list loses its indent, and a longer fence may hold a shorter one', () => {
    const { programs } = readPage(page('- so:', '  ````ts run', '  if (x)', '    y(`', '```', '`)', '  ````'))
    assert.deepEqual(programs, [{ mode: 'run', source: 'if (x)\n  y(`\n```\n`)', line: 2 }])
  })

  test('a block that is never closed reaches to the end', () => {
    assert.deepEqual(readPage('```ts run\nx').programs, [{ mode: 'run', source: 'x', line: 1 }])
  })
})

describe('the promises of a page', () => {
  test('npm scripts are found in text and in blocks', () => {
    const { scripts } = readPage(
      page('Use `npm run demo`, then', '```sh', 'npm ci && npm test', 'npm run -s test:sim', '```'),
    )
    assert.deepEqual(scripts, [
      { name: 'demo', line: 1 },
      { name: 'test', line: 3 },
      { name: 'test:sim', line: 4 },
    ])
  })

  test('files are found in shell blocks only', () => {
    const { files } = readPage(page('see src/none.ts', '```sh', 'npx tsx examples/discover-peers.ts --port 0', '```'))
    assert.deepEqual(files, [{ name: 'examples/discover-peers.ts', line: 3 }])
  })

  test('links that stay here are found, others and those in code are not', () => {
    const { links } = readPage(
      page(
        '[a](docs/a.md) ![b](b.svg "B") [c](https://example.org) [d](#here) `[e](e.md)` [f](mailto:f@example.org)',
        '[g]: docs/g.md',
        '```text',
        '[h](h.md)',
        '```',
        '<img src="i.png">',
      ),
    )
    assert.deepEqual(links, [
      { name: 'docs/a.md', line: 1 },
      { name: 'b.svg', line: 1 },
      { name: '#here', line: 1 },
      { name: 'docs/g.md', line: 2 },
      { name: 'i.png', line: 6 },
    ])
  })

  test('headings make anchors as GitHub does', () => {
    const { anchors } = readPage(
      page('# `start()` & join', '## Errors', '## Errors', '### [Tags](x.md): a_b', '```sh', '# no', '```'),
    )
    assert.deepEqual([...anchors], ['start--join', 'errors', 'errors-1', 'tags-a_b'])
  })
})

function page(...lines: string[]): string {
  return `${lines.join('\n')}\n`
}
