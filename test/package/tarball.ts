// The tarball as it would be published: packed, judged by publint and attw, installed into an empty folder without
// optional dependencies, and used from there in every way that package.json promises. Needs the npm registry or npm's
// cache, so it is no part of `npm test`; `npm run check:package` runs it.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Finished, ROOT, run, temporaryFolder } from './built.ts'
import { compileConsumer } from './consumer.ts'

type Manifest = {
  readonly version: string
  readonly dependencies: Record<string, string>
  readonly exports: Record<string, { readonly types: string; readonly default: string } | string>
}

const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
/** `rollcall`, `rollcall/wire` ...: what a program may import. */
const entries = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === 'string' ? [] : [{ name: `rollcall${path.slice(1)}`, ...target }],
)
/** A name that each entry must offer; for the others it is enough that they offer something. */
const WANTED: Readonly<Record<string, string>> = { rollcall: 'Membership', 'rollcall/wire': 'decodePacket' }
const LIMIT_MS = 20_000

describe('the tarball', () => {
  const place = temporaryFolder('tarball')
  const tarball = join(place.path, `rollcall-${manifest.version}.tgz`)
  const consumer = join(place.path, 'consumer')
  const installed = join(consumer, 'node_modules/rollcall')
  after(place.remove)

  before(async () => {
    expectSuccess(await npm(['pack', '--pack-destination', place.path], ROOT))
    mkdirSync(consumer)
    writeFileSync(join(consumer, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    const quiet = ['--omit=optional', '--prefer-offline', '--no-audit', '--no-fund']
    expectSuccess(await npm(['install', ...quiet, tarball], consumer))
  })

  test('publint finds nothing', async () => {
    expectSuccess(await run(join(ROOT, 'node_modules/.bin/publint'), [tarball, '--strict'], ROOT))
  })

  test('attw finds nothing', async () => {
    // ESM only, on purpose: `require()` of it works on every Node that `engines` allows.
    const options = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm']
    expectSuccess(await run(join(ROOT, 'node_modules/.bin/attw'), [tarball, ...options], ROOT))
  })

  test('it holds the build, the readme and the licence, and nothing else', () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
    for (const wanted of ['package.json', 'README.md', 'LICENSE']) assert.ok(files.includes(wanted), `no ${wanted}`)
    const others = files.filter(
      (file) => !/^(?:package\.json|README\.md|LICENSE|dist\/[\w./-]+\.(?:js|d\.ts))$/.test(file),
    )
    assert.deepEqual(others, [])
    for (const { types, default: code } of entries) {
      assert.ok(
        existsSync(join(installed, types)) && existsSync(join(installed, code)),
        `${code} or ${types} is missing`,
      )
    }
  })

  test('it brings its declared dependencies, and what those need', () => {
    const direct = Object.keys(manifest.dependencies)
    const lock = JSON.parse(readFileSync(join(consumer, 'package-lock.json'), 'utf8'))
    const names = Object.keys(lock.packages)
      .filter((path) => path !== '')
      .map((path) => path.replace('node_modules/', ''))
    for (const name of direct) assert.ok(names.includes(name), `no ${name}`)
    const owned = new Set([
      ...direct,
      'rollcall',
      ...direct.flatMap((name) => Object.keys(lock.packages[`node_modules/${name}`]?.dependencies ?? {})),
    ])
    // msgpackr names an addon as optional, which we never load: all below works without it, for it is not there.
    const optional = names.filter((name) => lock.packages[`node_modules/${name}`]?.optional === true)
    assert.deepEqual(
      names.filter((name) => !owned.has(name) && !optional.includes(name)),
      [],
    )
    assert.deepEqual(
      optional.filter((name) => existsSync(join(consumer, 'node_modules', name))),
      [],
    )
    const native = readdirSync(join(consumer, 'node_modules'), { recursive: true, encoding: 'utf8' })
    assert.deepEqual(
      native.filter((file) => file.endsWith('.node') || file.endsWith('binding.gyp')),
      [],
    )
  })

  for (const { name } of entries) {
    test(`${name} comes by import and by require, with the same names, and lets the process end`, async () => {
      const imported = await namesOf('esm.mjs', `import * as all from '${name}'`)
      const required = await namesOf('cjs.cjs', `const all = require('${name}')`)
      assert.deepEqual(required, imported)
      assert.ok(imported.length > 0, `${name} offers nothing`)
      if (WANTED[name] !== undefined) assert.ok(imported.includes(WANTED[name]), `${name} has no ${WANTED[name]}`)
    })
  }

  test('nothing but the published entries can be imported', async () => {
    const { code, output } = await evaluate('inner.mjs', "import 'rollcall/dist/membership.js'")
    assert.notEqual(code, 0)
    assert.match(output, /ERR_PACKAGE_PATH_NOT_EXPORTED/)
  })

  test('a TypeScript program compiles against it', async () => {
    mkdirSync(join(consumer, 'node_modules/@types'), { recursive: true })
    for (const name of ['@types/node', 'undici-types']) {
      if (!existsSync(join(consumer, 'node_modules', name)))
        symlinkSync(join(ROOT, 'node_modules', name), join(consumer, 'node_modules', name), 'junction')
    }
    const { output } = await compileConsumer(consumer, 'NodeNext', ['consumer.ts', 'consumer.cts'])
    assert.equal(output, '')
  })

  /** The names that a program of ours sees in `all`, sorted; what Node itself adds for `require` is left out. */
  async function namesOf(file: string, program: string): Promise<string[]> {
    const names = "Object.keys(all).filter((name) => name !== '__esModule' && name !== 'module.exports').sort()"
    const finished = await evaluate(file, `${program}\nconsole.log('names ' + ${names})`)
    expectSuccess(finished)
    return /^names (.*)$/m.exec(finished.output)?.[1]?.split(',').filter(Boolean) ?? []
  }

  function evaluate(file: string, program: string): Promise<Finished> {
    writeFileSync(join(consumer, file), `${program}\n`)
    return run(process.execPath, [file], consumer, LIMIT_MS)
  }
})

/** npm's own script where npm started us, so that no shell stands between. */
function npm(args: string[], cwd: string): Promise<Finished> {
  const script = process.env.npm_execpath
  return script?.endsWith('.js') ? run(process.execPath, [script, ...args], cwd) : run('npm', args, cwd)
}

function expectSuccess({ code, output }: Finished): void {
  assert.equal(code, 0, `${code === null ? 'killed, too slow' : `exit code ${code}`}\n${output}`)
}
