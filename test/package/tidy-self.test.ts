// The tidy rules bite: each is fed a small house that breaks it, and a clean one beside it. A rule without a broken
// house here fails, so nobody can add a rule that never fires.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are sources of broken houses, and a placeholder in one is its own
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Manifest } from './house.ts'
import { RULES, tidy } from './tidy.ts'

/** A clean house, one file for nearly every room. Each broken one is this with a few files exchanged. */
const CLEAN: Readonly<Record<string, string>> = {
  'src/index.ts':
    "// Door.\nexport { Membership } from './membership.ts'\nexport type { Options } from './options.ts'\n",
  'src/wire/index.ts': "// Door.\nexport * from './packet.ts'\n",
  'src/sim/index.ts': "// Door.\nexport { simulate } from './cluster.ts'\nexport * as turns from './turns.ts'\n",
  'src/rpc/index.ts': "// Door.\nexport { serve } from './server.ts'\n",
  'src/membership.ts':
    "// Facade.\nimport { drive } from './driver/driver.ts'\nimport { Emitter } from './listeners.ts'\nimport { host } from './node/host.ts'\nimport type { Options } from './options.ts'\nexport class Membership extends Emitter { run = (o: Options) => drive(host, o) }\n",
  'src/listeners.ts':
    "// Listeners.\nimport { EventEmitter } from 'eventemitter3'\nexport class Emitter extends EventEmitter {}\n",
  'src/options.ts': '// Options.\nexport type Options = { readonly date: number }\n',
  'src/base/log.ts': "// Log.\nimport createDebug from 'debug'\nexport const trace = createDebug('x')\n",
  'src/wire/packet.ts': "// Packet.\nimport { trace } from '../base/log.ts'\nexport const packet = trace\n",
  'src/swim/swim.ts': "// Swim.\nimport { packet } from '../wire/packet.ts'\nexport const swim = packet\n",
  'src/serf/serf.ts': "// Serf.\nimport { swim } from '../swim/swim.ts'\nexport const serf = swim\n",
  'src/driver/driver.ts':
    "// Driver.\nimport { serf } from '../serf/serf.ts'\nexport const drive = (...all: unknown[]) => [serf, all]\n",
  'src/driver/host.ts': '// Host.\nexport type Host = { readonly now: () => number }\n',
  'src/node/host.ts':
    "// Node.\nimport { createSocket } from 'node:dgram'\nimport type { Host } from '../driver/host.ts'\nimport { seal } from './cipher.ts'\nexport const host: Host = { now: () => performance.now() }\nexport const all = [createSocket, seal]\n",
  'src/node/cipher.ts':
    "// Cipher.\nimport { createCipheriv } from 'node:crypto'\nexport const seal = createCipheriv\n",
  'src/sim/cluster.ts':
    "// Cluster.\nimport { Membership } from '../membership.ts'\nimport { seal } from '../node/cipher.ts'\nexport const simulate = () => [new Membership(), seal]\n",
  'src/sim/turns.ts':
    '// Turns.\nexport const turn = () => new Promise<void>((done) => globalThis.setImmediate(done))\n',
  'src/rpc/server.ts': "// Server.\nimport { createServer } from 'node:net'\nexport const serve = createServer\n",
  'src/agent/agent.ts':
    "// Agent.\nimport { Membership } from '../index.ts'\nexport const agent = () => new Membership()\n",
  'src/cli/main.ts':
    "// Line.\nimport { agent } from '../agent/agent.ts'\nimport { trace } from '../base/log.ts'\nagent()\ntrace()\n",
  'src/core-globals.d.ts': '// Globals.\ndeclare class TextEncoder {}\n',
  'test/unit/swim/swim.test.ts': "// Tests of swim.\nimport { it } from 'node:test'\nit('swims', () => {})\n",
  'test/unit/options.test.ts': "// Tests of options.\nimport { test } from 'node:test'\ntest('o', () => {})\n",
  'test/interop/agents.test.ts':
    "// Agents.\nimport { interopTest } from './support.ts'\ninteropTest('a', () => setTimeout(() => {}, 1))\n",
}
const MANIFEST: Manifest = {
  dependencies: { debug: '1', eventemitter3: '1' },
  exports: {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './wire': { types: './dist/wire/index.d.ts', default: './dist/wire/index.js' },
    './sim': { types: './dist/sim/index.d.ts', default: './dist/sim/index.js' },
    './rpc': { types: './dist/rpc/index.d.ts', default: './dist/rpc/index.js' },
    './package.json': './package.json',
  },
  bin: { rollcall: './dist/cli/main.js' },
}

type Case = {
  readonly rule: string
  readonly fact: string
  /** Exchanged or added; `null` takes a file away; a text that begins with `+` is put at the end of the clean one. */
  readonly files?: Readonly<Record<string, string | null>>
  readonly manifest?: Manifest
  /** The file that must be blamed. */
  readonly blamed: string
}

const BROKEN: readonly Case[] = [
  broken('room', 'an upward import', 'src/wire/packet.ts', "+import { swim } from '../swim/swim.ts'\n"),
  broken('room', 'an upward type-only import', 'src/swim/swim.ts', "+import type { serf } from '../serf/serf.ts'\n"),
  broken(
    'room',
    'an upward import inside a type',
    'src/base/log.ts',
    "+export type P = import('../wire/packet.ts').P\n",
  ),
  broken(
    'room',
    'an upward dynamic import',
    'src/serf/serf.ts',
    "+export const d = () => import('../driver/driver.ts')\n",
  ),
  broken('room', 'an upward re-export', 'src/wire/packet.ts', "+export { swim } from '../swim/swim.ts'\n"),
  broken('room', 'driver imports node', 'src/driver/driver.ts', "+import { seal } from '../node/cipher.ts'\n"),
  broken('room', 'node imports the facade', 'src/node/cipher.ts', "+import type { Options } from '../options.ts'\n"),
  broken('room', 'sim imports rpc', 'src/sim/cluster.ts', "+import { serve } from '../rpc/server.ts'\n"),
  broken('room', 'rpc imports sim', 'src/rpc/server.ts', "+import { turn } from '../sim/turns.ts'\n"),
  broken(
    'room',
    'sim imports more of node than the cipher',
    'src/sim/cluster.ts',
    "+import { host } from '../node/host.ts'\n",
  ),
  broken(
    'room',
    'the library imports its own door',
    'src/sim/cluster.ts',
    "+import { packet } from '../wire/index.ts'\n",
  ),
  broken('room', 'a program reaches past the doors', 'src/agent/agent.ts', "+import { swim } from '../swim/swim.ts'\n"),
  broken('room', 'the agent imports the command line', 'src/agent/agent.ts', "+import '../cli/main.ts'\n"),
  broken('room', 'the library imports a test', 'src/wire/packet.ts', "+import '../../test/unit/options.test.ts'\n"),
  broken('room', 'a room that the plan does not know', 'src/utils/misc.ts', '// Misc.\n'),
  broken('room', 'a root file that the plan does not know', 'src/helpers.ts', '// Misc.\n'),
  broken('door', 'a door with a value', 'src/wire/index.ts', '+export const version = 1\n'),
  broken(
    'door',
    'a door that imports, then exports',
    'src/index.ts',
    "+import { x } from './options.ts'\nexport { x }\n",
  ),
  broken('door', 'a door that declares a type', 'src/index.ts', '+export type Member = { name: string }\n'),
  {
    rule: 'door',
    fact: 'a published door that is not there',
    files: { 'src/rpc/index.ts': null, 'src/rpc/server.ts': null },
    blamed: 'package.json',
  },
  {
    rule: 'door',
    fact: 'a door that nothing publishes',
    manifest: { ...MANIFEST, exports: {} },
    blamed: 'src/sim/index.ts',
  },
  broken('path', 'an import without .ts', 'src/wire/packet.ts', "+import { x } from '../base/log'\n"),
  broken('path', 'an import that ends in .js', 'src/wire/packet.ts', "+import { x } from '../base/log.js'\n"),
  broken('path', 'an import of a folder', 'src/wire/packet.ts', "+import { x } from '../base'\n"),
  broken(
    'path',
    'an import of a file that is not there',
    'src/wire/packet.ts',
    "+import { x } from '../base/none.ts'\n",
  ),
  broken('path', 'an inner index', 'src/serf/index.ts', "// Inner.\nexport * from './serf.ts'\n"),
  broken('path', 'an absolute import', 'src/wire/packet.ts', "+import { x } from '/etc/x.ts'\n"),
  {
    rule: 'cycle',
    fact: 'two files that import each other, by types only',
    files: {
      'src/wire/a.ts': "// A.\nimport type { B } from './b.ts'\nexport type A = B\n",
      'src/wire/b.ts': "// B.\nimport type { A } from './a.ts'\nexport type B = A\n",
    },
    blamed: 'src/wire/a.ts',
  },
  {
    rule: 'cycle',
    fact: 'a cycle of three, behind an innocent file',
    files: {
      'src/swim/a.ts': "// A.\nimport './b.ts'\n",
      'src/swim/b.ts': "// B.\nimport './c.ts'\n",
      'src/swim/c.ts': "// C.\nexport * from './a.ts'\n",
      'src/swim/swim.ts': "// Swim.\nimport './a.ts'\nexport const swim = 1\n",
    },
    blamed: 'src/swim/a.ts',
  },
  broken('cycle', 'a file that imports itself', 'src/swim/swim.ts', "+import * as me from './swim.ts'\n"),
  broken('node', 'driver says node:', 'src/driver/driver.ts', "+import { hostname } from 'node:os'\n"),
  broken('node', 'the facade says node:', 'src/membership.ts', "+import type { Socket } from 'node:net'\n"),
  ...['Date.now()', 'new Date()', 'performance.now()', 'setTimeout(f, 1)', 'setInterval(f, 1)', 'setImmediate(f)'].map(
    world,
  ),
  ...['Math.random()', 'crypto.getRandomValues(b)', 'process.pid', 'Buffer.from(b)', 'queueMicrotask(f)'].map(world),
  ...['globalThis.Date', 'AbortSignal.timeout(1)', 'Math?.random()', '`${Date.now()}`', '[Date]', '{ at: Date }'].map(
    world,
  ),
  ...['driver/driver', 'membership', 'sim/cluster', 'base/log', 'serf/serf', 'wire/packet'].map((file) =>
    broken('world', `a clock in ${file}`, `src/${file}.ts`, '+export const at = Date.now()\n'),
  ),
  broken('world', 'a timer in the one file that takes turns', 'src/sim/turns.ts', '+export const t = setTimeout\n'),
  broken('world', 'a clock behind globalThis there', 'src/sim/turns.ts', '+export const t = globalThis.Date\n'),
  broken('package', 'a dependency beside its door', 'src/serf/serf.ts', "+import createDebug from 'debug'\n"),
  broken('package', 'a part of a dependency beside its door', 'src/serf/serf.ts', "+import x from 'debug/src/x.js'\n"),
  broken('package', 'an unknown package', 'src/node/host.ts', "+import x from '@scope/left-pad/y'\n"),
  broken('package', "one of Node's modules without node:", 'src/node/host.ts', "+import { readFileSync } from 'fs'\n"),
  broken('package', 'the package by its own name', 'src/rpc/server.ts', "+import { Membership } from 'rollcall'\n"),
  dependency('an unknown dependency', { dependencies: { ...MANIFEST.dependencies, lodash: '1' } }),
  dependency('a known dependency that nothing uses', { dependencies: { ...MANIFEST.dependencies, msgpackr: '1' } }),
  dependency('a dependency that is used but not declared', { dependencies: { debug: '1' } }),
  dependency('an optional dependency', { optionalDependencies: { debug: '1' } }),
  dependency('a peer dependency', { peerDependencies: { debug: '1' } }),
  broken('orphan', 'a file that nobody imports', 'src/wire/alone.ts', '// Alone.\n'),
  broken('orphan', 'a file that imports but is not imported', 'src/wire/alone.ts', "// A.\nimport './packet.ts'\n"),
  broken('length', 'a file of 501 lines', 'src/swim/swim.ts', `// Swim.\n${'export {}\n'.repeat(500)}`),
  broken('opening', 'a file without an opening comment', 'src/options.ts', 'export type Options = 1\n// late\n'),
  broken('opening', 'a helper of tests without an opening comment', 'test/sim/help.ts', 'export {}\n'),
  broken('default-export', 'a default export', 'src/options.ts', '+export default 1\n'),
  broken('default-export', 'a default export by another name', 'src/options.ts', '+export { x as default }\n'),
  broken('enum', 'an enum', 'src/options.ts', '+enum Colour { Red }\n'),
  broken('enum', 'a const enum in a test', 'test/unit/options.test.ts', '+export const enum Colour { Red }\n'),
  broken('any', 'any as a type', 'src/options.ts', '+export const x: any = 1\n'),
  broken('any', 'any as an argument', 'src/options.ts', '+export type X = Map<string, any>\n'),
  broken('any', 'any in a test', 'test/unit/options.test.ts', '+export const x = 1 as any\n'),
  ...['// @ts-ignore', '// @ts-nocheck', '/* TODO later */', '// FIXME', '/** XXX */'].map((comment) =>
    broken('marker', comment.replace(/\W+/g, ' ').trim(), 'src/options.ts', `+${comment}\n`),
  ),
  broken('mirror', 'a unit test of nothing', 'test/unit/swim/gone.test.ts', '// Tests.\n'),
  broken('mirror', 'a unit test in the wrong room', 'test/unit/wire/swim.test.ts', '// Tests.\n'),
  broken('test', 'a test file without a test', 'test/sim/empty.test.ts', '// Tests.\nexport const x = 1\n'),
  broken(
    'test',
    'a test that keeps the others from running',
    'test/unit/options.test.ts',
    "+test.only('x', () => {})\n",
  ),
  broken('test', 'a test that leaves', 'test/interop/agents.test.ts', '+process.exit(0)\n'),
  broken('test', 'a sleeping unit test', 'test/unit/options.test.ts', '+setTimeout(() => {}, 1)\n'),
  broken('test', 'a sleeping helper', 'test/sim/help.ts', "// H.\nexport { setTimeout } from 'node:timers/promises'\n"),
]

/** Lines that look like a broken rule to a careless reader and break none; each is put at the end of src/swim/swim.ts. */
const INNOCENT: readonly string[] = [
  '// Date.now() and setTimeout in a comment, any, enum Colour { Red }, export default',
  'export const text = \'import x from "lodash"; Date.now()\'',
  'export const template = `Date.now() ${text} setTimeout } process`',
  'export const nested = `${[`Date ${text}`].map((x) => ({ x }))} Buffer`',
  'export const pattern = /Date.now\\(\\)|[/\'"`]|setTimeout/u',
  'export const half = (text.length / 2) / 3 // setTimeout',
  'export const first = [1, 2].find((x) => x / 2 > 0 / 1)',
  'export type Shape = { process: number; Date?: string; readonly Buffer: number }',
  'export const shape = { process: 1, Date: 2 }',
  'export const seen = (clock: Shape) => [clock.Date, clock?.process]',
  'export const raced = Promise.any([])',
  'const any = { port: 1 }; export const port = any.port',
  'export class Machine { #process = 1; get value() { return this.#process } }',
  'export const enumerable = { enum: 1, default: 2, any: 3 }',
  "export const word = 'TODO'",
  'export const biggest = Math.max(1, 2)',
]

describe('tidy', () => {
  test('a clean house breaks no rule', () => {
    assert.deepEqual(tidy({ files: CLEAN, manifest: MANIFEST }), [])
  })

  test('every rule has a broken house here', () => {
    assert.deepEqual([...new Set(BROKEN.map(({ rule }) => rule))].sort(), Object.keys(RULES).sort())
  })

  for (const line of INNOCENT) {
    test(`no rule minds: ${line}`, () => {
      const files = { ...CLEAN, 'src/swim/swim.ts': `${CLEAN['src/swim/swim.ts']}${line}\n` }
      assert.deepEqual(tidy({ files, manifest: MANIFEST }), [])
    })
  }

  for (const { rule, fact, files, manifest, blamed } of BROKEN) {
    test(`${rule}: ${fact} is caught`, () => {
      const found = tidy({ files: changed(files ?? {}), manifest: manifest ?? MANIFEST })
      const hit = found.find((violation) => violation.rule === rule && violation.file === blamed)
      assert.ok(hit, `not caught; found instead: ${JSON.stringify(found)}`)
    })
  }

  test('a violation names its line', () => {
    const [found] = tidy({ files: changed({ 'src/options.ts': '+\n\nexport const x: any = 1\n' }), manifest: MANIFEST })
    assert.deepEqual(found, { rule: 'any', file: 'src/options.ts', line: 5, what: 'any: say what it is, or unknown' })
  })

  test('a broken text is read to its end', () => {
    for (const text of ['`${', "'", '/*', '"\\', '`\\', '/[', 'export {', 'import', '}}}', '`${`${`', '\u0000']) {
      tidy({ files: { 'src/base/log.ts': text }, manifest: {} })
    }
  })
})

function broken(rule: string, fact: string, file: string, text: string): Case {
  return { rule, fact, files: { [file]: text }, blamed: file }
}

function world(expression: string): Case {
  return broken('world', expression, 'src/swim/swim.ts', `+export const bad = (f, b) => (${expression})\n`)
}

function dependency(fact: string, change: Manifest): Case {
  return { rule: 'dependencies', fact, manifest: { ...MANIFEST, ...change }, blamed: 'package.json' }
}

function changed(changes: Readonly<Record<string, string | null>>): Record<string, string> {
  const files: Record<string, string> = { ...CLEAN }
  for (const [path, text] of Object.entries(changes)) {
    if (text === null) delete files[path]
    else files[path] = text.startsWith('+') ? (files[path] ?? '') + text.slice(1) : text
  }
  return files
}
