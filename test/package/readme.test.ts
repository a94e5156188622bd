// README and docs keep their word: their programs compile against the built package under its public name and run,
// the scripts, files and links they name exist. How a block is marked stands in snippets.ts.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { installBuilt, ROOT, run, TSC, temporaryFolder } from './built.ts'
import { type Page, readPage } from './snippets.ts'

/** Milliseconds that a program on a page may take, on a busy machine. */
const LIMIT_MS = 30_000
const STRICT = {
  target: 'ES2023',
  lib: ['ES2023', 'ESNext.Disposable'],
  module: 'NodeNext',
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  outDir: 'out',
  rootDir: '.',
}

const pages = new Map(pageNames().map((name) => [name, readPage(readFileSync(join(ROOT, name), 'utf8'))]))
const scripts: Record<string, string> = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts
const programs = [...pages].flatMap(([page, { programs }]) =>
  programs.map((program) => ({
    ...program,
    where: `${page}:${program.line}`,
    file: `${page}-${program.line}`.replace(/\W+/g, '-'),
  })),
)

describe('what the pages promise', () => {
  test('README opens with a program, and so do the docs', () => {
    for (const place of ['README.md', 'docs/']) {
      assert.ok(
        programs.some(({ where }) => where.startsWith(place)),
        `no 'ts run' or 'ts check' block in ${place}`,
      )
    }
    assert.ok(
      programs.some(({ mode }) => mode === 'run'),
      'no block runs',
    )
  })

  test('every block of code says whether it runs or is only checked', () => {
    blameNone((page) => page.faults)
  })

  test('every npm script that is named exists', () => {
    blameNone((page) => page.scripts.filter(({ name }) => !Object.hasOwn(scripts, name)))
  })

  test('every file that a command names exists', () => {
    blameNone((page) => page.files.filter(({ name }) => !existsSync(join(ROOT, name))))
  })

  test('every link that stays here leads somewhere', () => {
    blameNone((page, at) => page.links.filter(({ name }) => !leadsSomewhere(at, name)))
  })
})

describe('the programs of the pages', { concurrency: 2 }, () => {
  const place = temporaryFolder('readme')
  after(place.remove)
  /** Failures of the compiler by the name of the file. */
  const complaints = new Map<string, string[]>()

  before(async () => {
    await installBuilt(place.path)
    writeFileSync(join(place.path, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    for (const { file, source } of programs) {
      // `export {}` makes a module of a block without imports, so that it may await.
      writeFileSync(join(place.path, `${file}.ts`), `${source}\nexport {}\n`)
    }
    const files = programs.map(({ file }) => `${file}.ts`)
    writeFileSync(join(place.path, 'tsconfig.json'), JSON.stringify({ compilerOptions: STRICT, files }))
    const { output } = await run(process.execPath, [TSC, '-p', '.', '--pretty', 'false'], place.path)
    for (const line of output.split('\n').filter((line) => /error TS\d+/.test(line))) {
      const file = /^(.*?)\.ts\(/.exec(line)?.[1] ?? ''
      complaints.set(file, [...(complaints.get(file) ?? []), line])
    }
  })

  test('the compiler complains of nothing but a page', () => {
    const known = new Set(programs.map(({ file }) => file))
    assert.deepEqual(
      [...complaints].filter(([file]) => !known.has(file)),
      [],
    )
  })

  for (const { where, file, mode } of programs) {
    test(`${where} compiles${mode === 'run' ? ' and runs to its end' : ''}`, async () => {
      assert.equal((complaints.get(file) ?? []).join('\n'), '')
      assert.ok(existsSync(join(place.path, 'out', `${file}.js`)), 'the compiler gave no program')
      if (mode === 'check') return
      const { code, output } = await run(process.execPath, [`out/${file}.js`], place.path, LIMIT_MS)
      assert.equal(code, 0, `${code === null ? `no end after ${LIMIT_MS} ms` : `exit code ${code}`}\n${output}`)
    })
  }
})

function pageNames(): string[] {
  const docs = existsSync(join(ROOT, 'docs'))
    ? readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    : []
  return [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    ...docs
      .map((name) => `docs/${name.replaceAll('\\', '/')}`)
      .filter((name) => name.endsWith('.md'))
      .sort(),
  ]
}

function leadsSomewhere(at: string, link: string): boolean {
  const [path = '', anchor] = decodeURI(link).split('#')
  const target = path === '' ? at : relative(ROOT, join(ROOT, dirname(at), path)).replaceAll('\\', '/')
  if (target.startsWith('..') || statSync(join(ROOT, target), { throwIfNoEntry: false }) === undefined) return false
  return anchor === undefined || !target.endsWith('.md') || pages.get(target)?.anchors.has(anchor) === true
}

function blameNone(find: (page: Page, name: string) => readonly { name: string; line: number }[]): void {
  const found = [...pages].flatMap(([name, page]) =>
    find(page, name).map((fault) => `${name}:${fault.line} ${fault.name}`),
  )
  if (found.length > 0) assert.fail(found.join('\n'))
}
