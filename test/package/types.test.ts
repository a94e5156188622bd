// The published types, seen by a user: a small program compiles against the built package in the ways that TypeScript
// resolves packages, with the strictest settings and our declarations checked too, and refuses what it must refuse.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { installBuilt, temporaryFolder } from './built.ts'
import { compileConsumer } from './consumer.ts'

describe('the published types', () => {
  const place = temporaryFolder('types')
  before(() => installBuilt(place.path))
  after(place.remove)

  test('a program that resolves as Node does compiles, from ESM and from CommonJS', async () => {
    const { output } = await compileConsumer(place.path, 'NodeNext', ['consumer.ts', 'consumer.cts', 'typed-tags.ts'])
    assert.equal(output, '')
  })

  test('a program for a bundler compiles', async () => {
    const { output } = await compileConsumer(place.path, 'Bundler', ['consumer.ts', 'typed-tags.ts'])
    assert.equal(output, '')
  })

  test('the compiler sees the package: a program that is wrong does not compile', async () => {
    const { code, output } = await compileConsumer(place.path, 'NodeNext', ['wrong.ts'])
    assert.notEqual(code, 0)
    assert.match(output, /has no exported member .*Membershop/)
  })

  test('no declaration leads out of the package', () => {
    const dist = join(place.path, 'node_modules/rollcall/dist')
    const names = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.d.ts'))
    assert.ok(names.length > 10, `${names.length} declarations`)
    const manifest = readFileSync(join(dist, '../package.json'), 'utf8')
    const { dependencies } = JSON.parse(manifest) as { readonly dependencies: Readonly<Record<string, string>> }
    const isDependency = (from: string): boolean => Object.hasOwn(dependencies, from) || /^node:\w+$/.test(from)
    for (const name of names) {
      for (const [, from = ''] of readFileSync(join(dist, name), 'utf8').matchAll(
        /(?:from|import\()\s*['"]([^'"]+)['"]/g,
      )) {
        const isOurs = from.startsWith('.') && existsSync(join(dist, dirname(name), from.replace(/\.[jt]s$/, '.d.ts')))
        assert.ok(isOurs || isDependency(from), `${name} imports ${from}`)
      }
    }
  })
})
