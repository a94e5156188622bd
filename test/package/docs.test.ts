// The pages that list things list what the sources have: options with their defaults and bounds, events, warnings, error
// codes, and every difference from Serf. A page cannot drift; a source cannot grow past its page.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { OptionsError } from '../../src/base/errors.ts'
import { type MembershipOptions, resolveOptions } from '../../src/options.ts'
import { resolveSerfOptions, SERF_OPTION_NAMES } from '../../src/serf/options.ts'
import { INVARIANTS } from '../../src/sim/invariants.ts'
import { PROFILES, type Profile, SWIM_OPTION_NAMES } from '../../src/swim/options.ts'
import { ROOT } from './built.ts'
import { titlesIn } from './titles.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** Cells of the rows whose first one is a name in code, by that name. A name that comes twice is a fault of the page. */
function rowsOf(page: string, columns: number): Map<string, string[]> {
  const rows = new Map<string, string[]>()
  for (const line of read(page).split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    const name = /^`([\w-]+)`$/.exec(cells[1] ?? '')?.[1]
    if (name === undefined || cells.length !== columns + 2) continue
    assert.ok(!rows.has(name), `${page} lists ${name} twice`)
    rows.set(name, cells.slice(2, -1))
  }
  return rows
}

/** The texts in quotes of one declaration, from its name to the next empty line. */
function textsOf(path: string, declaration: string): string[] {
  const [, after = ''] = read(path).split(declaration)
  const texts = [...(after.split('\n\n')[0] ?? '').matchAll(/'([\w-]+)'/g)].map(([, text = '']) => text)
  assert.ok(texts.length > 0, `${path} has nothing behind ${declaration}`)
  return texts
}

describe('docs/options.md', () => {
  const knobs = rowsOf('docs/options.md', 6)
  const others = rowsOf('docs/options.md', 4)

  test('it lists every option, and no other', () => {
    const declared = /^ {2}readonly (\w+)\?:|\{ readonly (\w+)\?: undefined \}/gm
    const known = [...read('src/options.ts').matchAll(declared)].map(([, name, other = '']) => name ?? other)
    assert.deepEqual([...others.keys()].sort(), known.sort())
    assert.deepEqual([...knobs.keys()].sort(), [...SWIM_OPTION_NAMES, ...SERF_OPTION_NAMES].sort())
  })

  for (const [index, profile] of (['lan', 'wan', 'local'] as const satisfies readonly Profile[]).entries()) {
    test(`the defaults of ${profile} are those of the code`, () => {
      const defaults = Object.entries({ ...PROFILES[profile], ...resolveSerfOptions({}) })
      const stated = [...knobs].map(([name, cells]) => [name, cells[index]?.replaceAll(' ', '')])
      assert.deepEqual(
        Object.fromEntries(stated),
        Object.fromEntries(defaults.map(([name, value]) => [name, String(value)])),
      )
    })
  }

  test('the bounds of every knob are those of the code', () => {
    for (const [name, cells] of knobs) {
      const limit = refusal({ [name]: -1 }).replace(/^must be (?:a whole number from )?/, '')
      assert.equal(cells[3]?.replace(/(\d) (?=\d)/g, '$1'), limit, name)
    }
  })

  test('the bounds in words are those of the code', () => {
    const bound = (name: string): string => others.get(name)?.[1] ?? ''
    const tooLong: readonly (readonly [keyof MembershipOptions, (bytes: number) => unknown])[] = [
      ['name', (bytes) => 'n'.repeat(bytes)],
      ['label', (bytes) => 'l'.repeat(bytes)],
    ]
    for (const [name, make] of tooLong) {
      const most = Number(/(\d+) bytes/.exec(bound(name))?.[1])
      resolveOptions({ [name]: make(most) })
      refusal({ [name]: make(most + 1) })
    }
    assert.match(
      refusal({ tags: { role: 'r'.repeat(600) } }),
      new RegExp(`${/\d+/.exec(bound('tags'))?.[0]} are allowed`),
    )
    for (const bytes of [16, 24, 32]) resolveOptions({ secretKey: new Uint8Array(bytes) })
    assert.match(refusal({ secretKey: new Uint8Array(8) }), /16, 24 or 32 bytes/)
    assert.match(bound('secretKey'), /16, 24 or 32 bytes/)
  })

  test('the other defaults are those of the code', () => {
    const stated = (name: string): string => others.get(name)?.[0] ?? ''
    const resolved = resolveOptions({})
    assert.equal(stated('bind'), `\`${resolved.bind.key}\``)
    assert.equal(stated('compression'), `\`${resolved.compression}\``)
    assert.equal(stated('profile'), '`lan`')
    assert.deepEqual(resolved.swim, PROFILES.lan)
    for (const name of ['keyring', 'tags', 'secretKey', 'label']) assert.equal(stated(name), 'none')
    assert.deepEqual([resolved.keyring, resolved.tags, resolved.label.length], [undefined, {}, 0])
  })
})

describe('docs/events.md', () => {
  const rows = [...rowsOf('docs/events.md', 3).keys()]
  const types = [...read('src/events.ts').matchAll(/readonly type: '([\w-]+)'/g)].map(([, type = '']) => type)

  test('it lists every event, and no other', () => {
    assert.deepEqual(rows.sort(), [...types].sort())
  })

  test('so does the README', () => {
    const listed = [...rowsOf('README.md', 2).keys()]
    assert.deepEqual(listed.sort(), [...types].sort())
  })

  test('it lists every warning, and no other, and every field of a member', () => {
    const codes = [
      ...textsOf('src/driver/warnings.ts', 'export type WarningCode'),
      ...textsOf('src/serf/notices.ts', 'export type SerfWarning'),
      ...textsOf('src/swim/delegate.ts', 'export type SwimWarning'),
    ]
    const [, member = ''] = /interface Member<.*?> \{(.*?)\n\}/s.exec(read('src/serf/members.ts')) ?? []
    const fields = [...member.matchAll(/^ {2}readonly (\w+)/gm)].map(([, name = '']) => name)
    // `address`, `host` and `port` share a row.
    const wanted = [...codes, ...fields.filter((name) => !['address', 'host', 'port'].includes(name))]
    assert.deepEqual([...rowsOf('docs/events.md', 2).keys()].sort(), wanted.sort())
  })
})

test('README.md and the decision note name every dependency, and how many there are', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Readonly<Record<string, string>> }
  const names = Object.keys(dependencies)
  const count = ['no', 'one', 'two', 'three', 'four', 'five', 'six'][names.length] ?? 'many'
  const [, said = '', list = ''] = /(\w+) (?:small )?dependenc(?:y|ies),\s+([^(;]+)/i.exec(read('README.md')) ?? []
  assert.equal(said.toLowerCase(), count)
  assert.deepEqual([...list.matchAll(/`([\w-]+)`/g)].map(([, name]) => name).sort(), names.sort())
  const note = read('docs/decisions/0001-dependencies.md')
  assert.match(note, new RegExp(`^# ${count} dependenc`, 'i'))
  for (const name of names) {
    const importers = sourceFiles().filter((file) => read(file).includes(`from '${name}`))
    assert.equal(importers.length, 1, `${name}: ${importers}`)
    assert.ok(note.includes(`\`${name}\``), name)
  }
})

test('docs/errors.md has a heading for every code, and no other', () => {
  const headings = [...read('docs/errors.md').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
  assert.deepEqual(headings.sort(), textsOf('src/base/errors.ts', 'export type ErrorCode').sort())
})

test('docs/exploration.md lists every invariant, as the sources say it', () => {
  const rows = [...rowsOf('docs/exploration.md', 2)].map(([name, [says]]) => [name, says])
  assert.deepEqual(rows, Object.entries(INVARIANTS))
})

describe('docs/differences-from-serf.md', () => {
  test('it quotes every `Differs:` of the sources under its file, and nothing else', () => {
    const page = read('docs/differences-from-serf.md')
    const quoted = [...page.matchAll(/^`(src\/[^`]+)`: "(.*)"$/gm)].map(([, file, text]) => `${file}: ${text}`)
    const stated = sourceFiles().flatMap((file) => differencesIn(read(file)).map((text) => `${file}: ${text}`))
    assert.deepEqual(quoted.sort(), stated.sort())
    assert.ok(stated.length > 0, 'no difference was found')
  })

  // Serf's users must be able to trust each entry: it is shown beside a real member of Go, or says why that shows nothing.
  test('every entry names a test that is there: beside Go, or without Go for a reason', () => {
    const [, ...entries] = read('docs/differences-from-serf.md').split(/^## /m)
    assert.ok(entries.length > 0)
    for (const entry of entries) {
      const heading = entry.slice(0, entry.indexOf('\n'))
      const beside = [...entry.matchAll(/^Beside Go: `(test\/interop\/[^`]+)`, "(.+)"$/gm)]
      const without = [...entry.matchAll(/^Without Go: [^`\n]{10,}: `(test\/[^`]+)`, "(.+)"$/gm)]
      assert.equal(beside.length > 0, without.length === 0, `${heading}: one of both`)
      const meant = [...entry.matchAll(/^(?:Beside|Without) Go:/gm)]
      assert.equal(beside.length + without.length, meant.length, `${heading}: a line that names no test`)
      for (const [, file = '', title = ''] of [...beside, ...without]) {
        const titles = titlesIn(read(file)).map((one) => one.replace(/, $/, ''))
        assert.ok(titles.includes(title), `${heading}: ${file} has no test "${title}"`)
      }
    }
  })

  test('every test that is named for an entry is on the page', () => {
    const headings = new Set([...read('docs/differences-from-serf.md').matchAll(/^## (.+)$/gm)].map(([, text]) => text))
    const files = readdirSync(join(ROOT, 'test/interop')).filter((name) => name.startsWith('differences'))
    const named = files.flatMap((name) => titlesIn(read(`test/interop/${name}`)))
    assert.ok(named.length > 0)
    assert.deepEqual(
      named.filter((title) => !headings.has(title)),
      [],
    )
  })

  test('a difference is read to the end of its sentence, across lines, wherever it stands in a comment', () => {
    const text = [
      '/** Some rule. Differs: one thing,',
      ' *  and more of it. Then something else. */',
      'const a = 1',
      '  // Differs: another',
      'const b = 2 // Differs: a third; no more',
    ].join('\n')
    assert.deepEqual(differencesIn(text), ['one thing, and more of it', 'another', 'a third'])
  })
})

/** What stands behind each `Differs:`, up to the end of the clause or of the comment. */
function differencesIn(text: string): string[] {
  const comments = text.split('\n').map((line) => {
    const [, before = '', words = ''] = /^(.*?)(?:\/\*\*?|\/\/|^\s*\*)(?!\/)(.*?)(?:\*\/)?$/.exec(line) ?? []
    // A full stop between comments that do not belong together, and for lines of code.
    return before.trim() === '' && words !== '' ? words : `. ${words}`
  })
  const clauses = [...comments.join(' ').matchAll(/Differs: ([^.;]+)/g)]
  return clauses.map(([, clause = '']) => clause.replace(/\s+/g, ' ').trim())
}

function sourceFiles(): string[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
}

/** What would have been accepted; fails where nothing is refused, or the name is not known. */
function refusal(options: Record<string, unknown>): string {
  try {
    resolveOptions(options as MembershipOptions)
  } catch (error) {
    assert.ok(error instanceof OptionsError, String(error))
    return error.limit
  }
  return assert.fail(`accepted: ${Object.keys(options)}`)
}
