// The sources as the tidy rules see them: which room a file stands in, what it imports, its words without comments and
// texts. It judges nothing (tidy.ts does) and reads no files: the tree is handed in.
import { posix } from 'node:path'
import { type Token, tokenize } from './tokens.ts'

export type Manifest = {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, unknown>>
  readonly bin?: Readonly<Record<string, string>>
}

/** Paths from the root with forward slashes (`src/wire/lzw.ts`) and their text, TypeScript only. */
export type Tree = { readonly files: Readonly<Record<string, string>>; readonly manifest: Manifest }

/** A room may import from rooms of a lower rank and from itself; two rooms of one rank are strangers. */
export const RANKS: Readonly<Record<string, number>> = {
  base: 0,
  wire: 1,
  swim: 2,
  serf: 3,
  driver: 4,
  node: 5,
  membership: 6,
  sim: 7,
  rpc: 7,
  agent: 8,
  cli: 9,
}
export const DOORS: ReadonlySet<string> = new Set([
  'src/index.ts',
  'src/wire/index.ts',
  'src/sim/index.ts',
  'src/rpc/index.ts',
])
const ROOT_FILES = new Set(
  [
    'membership',
    'accept',
    'options',
    'events',
    'listeners',
    'advertise',
    'seeds',
    'joining',
    'rejoining',
    'waiters',
    'pinging',
    'explain',
    'member-filter',
    'changes',
    'pack',
    'lifecycle',
    'preparing',
    'tellings',
    'validate-tags',
    'key-questions',
    'keys',
    'open-keyring',
    'query',
    'querying',
    'reconnect-timeout',
    'sending',
    'owner-of',
  ].map((name) => `src/${name}.ts`),
)

export type Import = { readonly from: string; readonly line: number }

export type Source = {
  readonly path: string
  readonly text: string
  readonly isLibrary: boolean
  /** A key of RANKS, `door`, or `undefined` for a place that the plan does not know. */
  readonly room: string | undefined
  readonly comments: readonly Token[]
  /** Everything but comments. */
  readonly code: readonly Token[]
  /** Static, dynamic, type-only, and re-exports. */
  readonly imports: readonly Import[]
}

export type House = {
  readonly sources: ReadonlyMap<string, Source>
  /** Those in `src`, declaration files aside. */
  readonly library: readonly Source[]
  readonly manifest: Manifest
}

/** Reads every file once. */
export function readHouse(tree: Tree): House {
  const sources = new Map(Object.entries(tree.files).map(([path, text]) => [path, readSource(path, text)]))
  const library = [...sources.values()].filter((source) => source.isLibrary)
  return { sources, library, manifest: tree.manifest }
}

function readSource(path: string, text: string): Source {
  const tokens = tokenize(text)
  const code = tokens.filter((token) => token.kind !== 'comment')
  return {
    path,
    text,
    isLibrary: path.startsWith('src/') && !path.endsWith('.d.ts'),
    room: roomOf(path),
    comments: tokens.filter((token) => token.kind === 'comment'),
    code,
    imports: importsIn(code),
  }
}

function roomOf(path: string): string | undefined {
  if (DOORS.has(path)) return 'door'
  if (ROOT_FILES.has(path)) return 'membership'
  const folder = /^src\/([^/]+)\//.exec(path)?.[1]
  return folder !== undefined && folder !== 'membership' && Object.hasOwn(RANKS, folder) ? folder : undefined
}

function importsIn(code: readonly Token[]): Import[] {
  const found: Import[] = []
  for (const [at, token] of code.entries()) {
    if (token.kind !== 'word' || isProperty(code, at)) continue
    if (token.text === 'export') {
      const end = reExportEnd(code, at)
      if (end !== undefined) found.push({ from: code[end - 1]!.text, line: token.line })
    }
    if (token.text !== 'import') continue
    const next = code[at + 1]?.text
    const name = next === '(' ? code[at + 2] : next === '.' ? undefined : specifierAfter(code, at + 1)
    if (name?.kind === 'string' || name?.kind === 'template') found.push({ from: name.text, line: token.line })
  }
  return found
}

/** The string of `import 'x'` or `import ... from 'x'`: the first one that follows, as an import clause holds no other. */
function specifierAfter(code: readonly Token[], at: number): Token | undefined {
  return code.slice(at, at + 2000).find((token) => token.kind === 'string')
}

/** The position after `export ... from 'x'` that begins at `at`; `undefined` where none begins there. */
export function reExportEnd(code: readonly Token[], at: number): number | undefined {
  if (code[at]?.text !== 'export') return undefined
  let next = code[at + 1]?.text === 'type' ? at + 2 : at + 1
  if (code[next]?.text === '{') {
    while (next < code.length && code[next]!.text !== '}') next += 1
    next += 1
  } else if (code[next]?.text === '*') {
    next += code[next + 1]?.text === 'as' ? 3 : 1
  } else return undefined
  if (code[next]?.text !== 'from' || code[next + 1]?.kind !== 'string') return undefined
  return code[next + 2]?.text === ';' ? undefined : next + 2
}

/** A name after a dot, or the key of an object, a class or a type: not the global of that name. */
export function isProperty(code: readonly Token[], at: number): boolean {
  const [before, here, after] = [code[at - 1], code[at]!, code[at + 1]?.text]
  if (before?.kind === 'punct' && (before.text === '.' || before.text === '?.')) return true
  if (after !== ':' && !(after === '?' && code[at + 2]?.text === ':')) return false
  return here.isFirst || ['{', ',', ';', 'readonly'].includes(before?.text ?? '')
}

export function propertyAfter(code: readonly Token[], at: number): string | undefined {
  return code[at + 1]?.text === '.' || code[at + 1]?.text === '?.' ? code[at + 2]?.text : undefined
}

export function eachWord(sources: House['sources'], word: string, visit: (source: Source, at: number) => void): void {
  for (const source of sources.values()) {
    for (const [at, token] of source.code.entries()) if (token.kind === 'word' && token.text === word) visit(source, at)
  }
}

export function resolveImport(path: string, from: string): string | undefined {
  return from.startsWith('.') ? posix.join(posix.dirname(path), from) : undefined
}

export function targetsOf(sources: House['sources'], path: string): string[] {
  const imports = sources.get(path)?.imports ?? []
  return imports.map(({ from }) => resolveImport(path, from) ?? '').filter((target) => sources.has(target))
}

/** `@scope/name` or `name`; `undefined` for paths and Node's own modules. */
export function packageOf(from: string): string | undefined {
  if (/^(?:\.|\/|node:|file:)/.test(from)) return undefined
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/')
}

/** The sources of what package.json publishes: `./dist/wire/index.js` is `src/wire/index.ts`. */
export function publishedSources(manifest: Manifest): string[] {
  const targets = Object.values(manifest.exports ?? {}).map((entry) =>
    typeof entry === 'object' && entry !== null && 'default' in entry ? entry.default : entry,
  )
  return [...targets, ...Object.values(manifest.bin ?? {})]
    .filter((target): target is string => typeof target === 'string' && /dist\/.*\.js$/.test(target))
    .map((target) => target.replace(/^(?:\.\/)?dist\//, 'src/').replace(/\.js$/, '.ts'))
}

/** One cycle for each knot of files that lead back to themselves (Tarjan's components, then the shortest way round). */
export function cycles(nodes: readonly string[], next: (node: string) => readonly string[]): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (node: string): void => {
    index.set(node, index.size)
    low.set(node, index.get(node)!)
    stack.push(node)
    for (const to of next(node)) {
      if (!index.has(to)) visit(to)
      if (stack.includes(to)) low.set(node, Math.min(low.get(node)!, low.get(to)!))
    }
    if (low.get(node) !== index.get(node)) return
    const knot = new Set(stack.splice(stack.indexOf(node)))
    if (knot.size > 1 || next(node).includes(node)) found.push(wayRound(node, knot, next))
  }
  for (const node of nodes) if (!index.has(node)) visit(node)
  return found
}

function wayRound(start: string, knot: ReadonlySet<string>, next: (node: string) => readonly string[]): string[] {
  const ways: string[][] = [[start]]
  const seen = new Set<string>()
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const to of next(way.at(-1)!)) {
      if (to === start) return way
      if (!knot.has(to) || seen.has(to)) continue
      seen.add(to)
      ways.push([...way, to])
    }
  }
  return [...knot]
}
