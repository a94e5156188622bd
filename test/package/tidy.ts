// The house rules that a compiler does not check, as arithmetic: sources go in, violations come out. It reads no files;
// tidy.test.ts hands it the tree, tidy-self.test.ts hands it small broken ones. The rules are those of CONTRIBUTING.md;
// who may import whom is the table in house.ts.
import {
  cycles,
  DOORS,
  eachWord,
  type House,
  isProperty,
  packageOf,
  propertyAfter,
  publishedSources,
  RANKS,
  readHouse,
  reExportEnd,
  resolveImport,
  type Source,
  type Tree,
  targetsOf,
} from './house.ts'

export type Violation = { readonly rule: string; readonly file: string; readonly line: number; readonly what: string }

/** The only file of `node` that the simulator may borrow: the real cipher, fed with seeded nonces. */
const BORROWED_BY_SIM = 'src/node/cipher.ts'
const PROGRAMS = new Set(['agent', 'cli'])
const MAY_SAY_NODE = new Set(['node', 'rpc', 'agent', 'cli'])
/** Each third-party package and the one file that may import it. */
const PACKAGE_DOORS: Readonly<Record<string, string>> = {
  eventemitter3: 'src/listeners.ts',
  debug: 'src/base/log.ts',
  msgpackr: 'src/pack.ts',
  re2js: 'src/serf/tag-patterns.ts',
}
/** Rooms that get time, chance and the world as arguments or not at all. */
const WORLDLESS = new Set(['base', 'wire', 'swim', 'serf', 'driver', 'membership', 'sim'])
const WORLD = new Set([
  'Buffer',
  'Date',
  'Temporal',
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'console',
  'fetch',
  'global',
  'globalThis',
  'performance',
  'process',
  'queueMicrotask',
  'require',
  'setImmediate',
  'setInterval',
  'setTimeout',
])
/** Names that are harmless alone and reach the world through one property. */
const WORLD_PROPERTIES = new Set([
  'AbortSignal.timeout',
  'Atomics.wait',
  'Atomics.waitAsync',
  'Math.random',
  'crypto.getRandomValues',
  'crypto.randomUUID',
  'crypto.subtle',
])
/** Where the simulator takes real turns of the event loop, so that the promises of real members settle. */
const WORLD_ALLOWED: Readonly<Record<string, ReadonlySet<string>>> = {
  'src/sim/turns.ts': new Set(['setImmediate', 'globalThis']),
}
const MAX_LINES = 500
/** Unit tests of a whole room rather than of one file: golden bytes. */
const UNMIRRORED = new Set(['captures', 'malformed'].map((name) => `test/unit/wire/${name}.test.ts`))
/** Tests that stand on simulated time or on none. */
const SLEEPLESS = /^test\/(?:unit|sim)\//
const SLEEPS = new Set(['setTimeout', 'setInterval', 'node:timers', 'node:timers/promises'])

type Report = (file: string, line: number, what: string) => void

/** Every rule by name. Each has a broken tree of its own in tidy-self.test.ts. */
export const RULES: Readonly<Record<string, (house: House, report: Report) => void>> = {
  room: checkRooms,
  door: checkDoors,
  path: checkPaths,
  cycle: checkCycles,
  node: checkNodeModules,
  world: checkWorld,
  package: checkPackages,
  dependencies: checkDependencies,
  orphan: checkOrphans,
  length: checkLength,
  opening: checkOpening,
  'default-export': checkDefaultExports,
  enum: checkEnums,
  any: checkAny,
  marker: checkMarkers,
  mirror: checkMirror,
  test: checkTests,
}

/** All violations, by rule, then by file in the order of the tree. */
export function tidy(tree: Tree): Violation[] {
  const house = readHouse(tree)
  return Object.entries(RULES).flatMap(([rule, check]) => {
    const found: Violation[] = []
    check(house, (file, line, what) => found.push({ rule, file, line, what }))
    return found
  })
}

// ---- imports -------------------------------------------------------------------------------------------------------

function checkRooms({ sources, library }: House, report: Report): void {
  for (const source of library) {
    if (source.room === undefined) report(source.path, 1, 'stands in no room of the plan')
    if (source.room === undefined || source.room === 'door') continue
    for (const { from, line } of source.imports) {
      const target = sources.get(resolveImport(source.path, from) ?? '')
      const why = target && whyForbidden(source, target)
      if (why !== undefined) report(source.path, line, `imports ${target?.path}: ${why}`)
    }
  }
}

function whyForbidden(source: Source, target: Source): string | undefined {
  const [own, other] = [source.room ?? '', target.room ?? '']
  if (!target.isLibrary) return 'outside src'
  if (other === 'door') return PROGRAMS.has(own) ? undefined : 'the library never imports its own doors'
  if (own === other || other === '') return undefined
  if (PROGRAMS.has(own)) {
    const isOpen = other === 'base' || (own === 'cli' && other === 'agent')
    return isOpen ? undefined : `${own} uses the doors, and base`
  }
  if (own === 'sim' && other === 'node')
    return target.path === BORROWED_BY_SIM ? undefined : 'sim borrows the cipher only'
  return RANKS[other]! < RANKS[own]! ? undefined : `${own} stands below or beside ${other}`
}

function checkDoors({ sources, manifest }: House, report: Report): void {
  for (const door of DOORS) {
    const source = sources.get(door)
    if (source === undefined) continue
    let at = 0
    while (at < source.code.length) {
      const end = reExportEnd(source.code, at)
      if (end === undefined) {
        report(door, source.code[at]!.line, 'a door re-exports and does nothing else')
        break
      }
      at = end
    }
  }
  for (const entry of publishedSources(manifest)) {
    if (!sources.has(entry)) report('package.json', 1, `publishes ${entry}, which is not there`)
    else if (entry.endsWith('/index.ts') && !DOORS.has(entry))
      report('package.json', 1, `${entry} is no door of the plan`)
  }
  const published = new Set(publishedSources(manifest))
  for (const door of DOORS) {
    if (sources.has(door) && !published.has(door)) report(door, 1, 'a door that package.json does not publish')
  }
}

function checkPaths({ sources, library }: House, report: Report): void {
  for (const source of library) {
    if (source.path.endsWith('/index.ts') && source.room !== 'door')
      report(source.path, 1, 'an inner index: name the file instead')
    for (const { from, line } of source.imports) {
      if (from.startsWith('/') || from.startsWith('file:')) report(source.path, line, `'${from}' is no relative path`)
      if (!from.startsWith('.')) continue
      const target = resolveImport(source.path, from) ?? ''
      if (!from.endsWith('.ts')) report(source.path, line, `'${from}' must name a file with its .ts`)
      else if (target.endsWith('/index.ts') && !DOORS.has(target))
        report(source.path, line, `'${from}' is an inner index`)
      else if (!sources.has(target)) report(source.path, line, `'${from}' is not there`)
    }
  }
}

function checkCycles({ sources, library }: House, report: Report): void {
  for (const cycle of cycles(
    library.map((source) => source.path),
    (path) => targetsOf(sources, path),
  )) {
    report(cycle[0]!, 1, `imports itself: ${[...cycle, cycle[0]].join(' -> ')}`)
  }
}

function checkNodeModules({ library }: House, report: Report): void {
  for (const source of library) {
    if (MAY_SAY_NODE.has(source.room ?? '')) continue
    for (const { from, line } of source.imports) {
      if (from.startsWith('node:'))
        report(source.path, line, `imports ${from}; only ${[...MAY_SAY_NODE].join(', ')} may`)
    }
  }
}

function checkPackages({ library }: House, report: Report): void {
  for (const source of library) {
    for (const { from, line } of source.imports) {
      const name = packageOf(from)
      if (name === undefined) continue
      const door = PACKAGE_DOORS[name]
      if (door === undefined) report(source.path, line, `imports ${name}, which the plan does not know`)
      else if (door !== source.path) report(source.path, line, `imports ${name}; its one door is ${door}`)
    }
  }
}

function checkDependencies({ library, manifest }: House, report: Report): void {
  const declared = new Set(Object.keys(manifest.dependencies ?? {}))
  const used = new Set(library.flatMap((source) => source.imports.map(({ from }) => packageOf(from) ?? '')))
  for (const name of declared) {
    if (!Object.hasOwn(PACKAGE_DOORS, name))
      report('package.json', 1, `depends on ${name}, which the plan does not know`)
    else if (!used.has(name)) report('package.json', 1, `depends on ${name}, which nothing imports`)
  }
  for (const name of Object.keys(PACKAGE_DOORS)) {
    if (used.has(name) && !declared.has(name)) report('package.json', 1, `does not declare ${name}, which src imports`)
  }
  for (const field of ['optionalDependencies', 'peerDependencies'] as const) {
    for (const name of Object.keys(manifest[field] ?? {}))
      report('package.json', 1, `${field} has ${name}: we need none`)
  }
}

function checkOrphans({ sources, library, manifest }: House, report: Report): void {
  const reached = new Set<string>()
  const open = [...DOORS, ...publishedSources(manifest)].filter((path) => sources.has(path))
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    open.push(...targetsOf(sources, path))
  }
  for (const { path } of library) if (!reached.has(path)) report(path, 1, 'no door and no program leads here')
}

// ---- one file at a time --------------------------------------------------------------------------------------------

function checkWorld({ library }: House, report: Report): void {
  for (const { path, room, code } of library) {
    if (!WORLDLESS.has(room ?? '')) continue
    for (const [at, token] of code.entries()) {
      if (token.kind !== 'word' || (isProperty(code, at) && code[at - 2]?.text !== 'globalThis')) continue
      const name = `${token.text}.${propertyAfter(code, at) ?? ''}`
      const found = WORLD.has(token.text) ? token.text : WORLD_PROPERTIES.has(name) ? name : undefined
      if (found === undefined || WORLD_ALLOWED[path]?.has(found)) continue
      report(path, token.line, `${found}: the world comes in as an argument`)
    }
  }
}

function checkLength({ library }: House, report: Report): void {
  for (const { path, text } of library) {
    const lines = text.replace(/\n$/, '').split('\n').length
    if (lines > MAX_LINES) report(path, MAX_LINES + 1, `${lines} lines, more than ${MAX_LINES}: split it`)
  }
}

/** A test file's first words are its `describe` and the names of its tests. */
function checkOpening({ sources }: House, report: Report): void {
  for (const { path, text } of sources.values()) {
    if (path.endsWith('.test.ts')) continue
    if (!/^(?:#![^\n]*\n)?\s*\/[/*]/.test(text)) report(path, 1, 'opens without a comment that says what it knows')
  }
}

function checkDefaultExports({ sources }: House, report: Report): void {
  eachWord(sources, 'default', ({ path, code }, at) => {
    const before = code[at - 1]?.text
    if (before === 'export' || before === 'as') report(path, code[at]!.line, 'default export: name it')
  })
}

function checkEnums({ sources }: House, report: Report): void {
  eachWord(sources, 'enum', ({ path, code }, at) => {
    if (!isProperty(code, at) && code[at + 1]?.kind === 'word' && code[at + 2]?.text === '{')
      report(path, code[at]!.line, 'enum: a const object and a type of the same name')
  })
}

/** As a type. A value may bear the name; what this lets through, the linter's parser catches. */
function checkAny({ sources }: House, report: Report): void {
  eachWord(sources, 'any', ({ path, code }, at) => {
    const [before, after] = [code[at - 1]?.text ?? '', code[at + 1]?.text ?? '']
    if (isProperty(code, at) || ['const', 'let'].includes(before) || ['.', '?.', '(', ':'].includes(after)) return
    report(path, code[at]!.line, 'any: say what it is, or unknown')
  })
}

function checkMarkers({ sources }: House, report: Report): void {
  for (const { path, comments } of sources.values()) {
    for (const { text, line } of comments) {
      const found = /@ts-(?:ignore|nocheck)|\b(?:TODO|FIXME|XXX)\b/.exec(text)?.[0]
      if (found !== undefined) report(path, line, `${found}: do it, or write an issue`)
    }
  }
}

function checkMirror({ sources }: House, report: Report): void {
  for (const path of sources.keys()) {
    const mirrored = /^test\/unit\/(.+)\.test\.ts$/.exec(path)?.[1]
    if (mirrored === undefined || UNMIRRORED.has(path)) continue
    if (!sources.has(`src/${mirrored}.ts`)) report(path, 1, `tests src/${mirrored}.ts, which is not there`)
  }
}

/** Node counts a file without a test, or one that leaves in the middle, as passed. */
function checkTests({ sources }: House, report: Report): void {
  for (const { path, code, imports } of sources.values()) {
    if (!path.startsWith('test/')) continue
    for (const { from, line } of SLEEPLESS.test(path) ? imports : []) {
      if (SLEEPS.has(from)) report(path, line, `${from}: a test here never sleeps`)
    }
    let tests = 0
    for (const [at, token] of code.entries()) {
      if (token.kind !== 'word') continue
      const next = code[at + 1]?.text
      if (/^(?:it|test|\w+Test)$/.test(token.text) && next === '(') tests += 1
      if (token.text === 'only' && code[at - 1]?.text === '.' && next === '(')
        report(path, token.line, 'only: the others would not run')
      if (SLEEPLESS.test(path) && SLEEPS.has(token.text) && next === '(')
        report(path, token.line, `${token.text}: a test here never sleeps`)
      if (path.endsWith('.test.ts') && token.text === 'process' && propertyAfter(code, at) === 'exit')
        report(path, token.line, 'process.exit: the tests behind it would not run')
    }
    if (path.endsWith('.test.ts') && tests === 0) report(path, 1, 'a test file without a test')
  }
}
