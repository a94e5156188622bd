// The house against its own rules (tidy.ts). It counts what it has read, so that a moved folder cannot make it silent.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Manifest } from './house.ts'
import { tidy } from './tidy.ts'

const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))
const FOLDERS = ['src', 'test', 'bench', 'examples']
/** Rooms that must be there already; a room that the plan names for later is free to be missing. */
const ROOMS = ['base', 'wire', 'swim', 'serf', 'driver', 'node', 'sim']
const FEWEST_LIBRARY_FILES = 40
const FEWEST_TEST_FILES = 20

const files = readTree()
const names = Object.keys(files)

test('the tree was read: every room that is built, its tests, its doors', () => {
  for (const room of ROOMS)
    assert.ok(
      names.some((name) => name.startsWith(`src/${room}/`)),
      `nothing in src/${room}`,
    )
  const library = names.filter((name) => name.startsWith('src/'))
  const tests = names.filter((name) => name.startsWith('test/') && name.endsWith('.test.ts'))
  assert.ok(library.length >= FEWEST_LIBRARY_FILES, `only ${library.length} files in src`)
  assert.ok(tests.length >= FEWEST_TEST_FILES, `only ${tests.length} test files`)
})

test('no house rule is broken', () => {
  const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const violations = tidy({ files, manifest })
  const lines = violations.map(({ rule, file, line, what }) => `${file}:${line} [${rule}] ${what}`)
  if (lines.length > 0) assert.fail(`${lines.length} broken:\n${lines.join('\n')}`)
})

function readTree(): Record<string, string> {
  const files: Record<string, string> = {}
  for (const folder of FOLDERS) {
    if (statSync(join(ROOT, folder), { throwIfNoEntry: false }) === undefined) continue
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      const path = [folder, ...name.split(sep)].join('/')
      if (/\.[mc]?ts$/.test(path) && !path.includes('/node_modules/'))
        files[path] = readFileSync(join(ROOT, path), 'utf8')
    }
  }
  return files
}
