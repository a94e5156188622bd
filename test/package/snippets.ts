// The code and the promises of a Markdown page: which programs its fenced blocks make up, which npm scripts, files and
// links it names. Arithmetic on text; readme.test.ts runs and looks up what is found here.
//
// A block of code says in its info string what becomes of it:
//   ```ts run              compiled and run to its end, which must be exit code 0 within the limit
//   ```ts check            compiled only, because it needs a real cluster or never ends
//   ```ts run continues    put behind the block before it (of the same kind); the two are one program
// Every other fence names its language (sh, text, json ...), so that no code escapes by being unmarked.

export type Program = {
  readonly mode: 'run' | 'check'
  readonly source: string
  /** Of the fence that opens its first block, from 1. */
  readonly line: number
}

export type Promised = { readonly name: string; readonly line: number }

export type Page = {
  readonly programs: readonly Program[]
  /** Of `npm run X`, `npm test` and `npm start`, in text and in blocks. */
  readonly scripts: readonly Promised[]
  /** Files of this repository that a shell command names. */
  readonly files: readonly Promised[]
  /** Targets of links and pictures that stay in the repository: `docs/events.md#order`, `#errors`. */
  readonly links: readonly Promised[]
  /** What other pages may link to behind `#`. */
  readonly anchors: ReadonlySet<string>
  /** Blocks that break the rules above. */
  readonly faults: readonly Promised[]
}

type Block = { readonly info: string; readonly text: string; readonly line: number }

const CODE = /^(?:[mc]?[jt]sx?|typescript|javascript|node|deno|bun)\b/i
const MARKED = /^ts (run|check)( continues)?$/
const SHELL = /^(?:sh|shell|bash|console|zsh)\b/
const OUR_FILE = /(?:^|\s)((?:src|test|bench|examples|docs)\/[\w./-]*\w)/g

export function readPage(markdown: string): Page {
  const { blocks, prose } = splitPage(markdown)
  const faults: Promised[] = []
  const programs = programsOf(blocks, faults)
  return {
    programs,
    scripts: findAll(markdown.split('\n'), /\bnpm (?:run(?:-script)? (?:-s |--silent )?([\w:.-]+)|(test|start)\b)/g),
    files: blocks
      .filter(({ info }) => SHELL.test(info))
      .flatMap(({ text, line }) => findAll(text.split('\n'), OUR_FILE, line)),
    links: linksOf(prose),
    anchors: anchorsOf(prose),
    faults,
  }
}

function programsOf(blocks: readonly Block[], faults: Promised[]): Program[] {
  const programs: Program[] = []
  let isAfterCode = false
  for (const { info, text, line } of blocks) {
    if (info === '') faults.push({ name: 'a fence without a language', line })
    if (!CODE.test(info)) continue
    const [, mode, continues] = MARKED.exec(info) ?? []
    const last = programs.at(-1)
    if (mode !== 'run' && mode !== 'check') {
      faults.push({ name: `'${info}': write 'ts run' or 'ts check'`, line })
    } else if (continues === undefined) {
      programs.push({ mode, source: text, line })
    } else if (last === undefined || last.mode !== mode || !isAfterCode) {
      faults.push({ name: `'${info}' continues no block of its kind`, line })
    } else {
      programs[programs.length - 1] = { ...last, source: `${last.source}\n${text}` }
    }
    isAfterCode = mode !== undefined
  }
  return programs
}

/** Fenced blocks, and the lines outside them; lines of blocks are empty there, so that numbers stay right. */
function splitPage(markdown: string): { blocks: Block[]; prose: string[] } {
  const blocks: Block[] = []
  const prose: string[] = []
  let open: { fence: string; indent: number; info: string; line: number; body: string[] } | undefined
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    const [, space = '', fence = '', info = ''] = /^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$/.exec(text) ?? []
    if (open === undefined && fence !== '') {
      open = { fence, indent: space.length, info, line: index + 1, body: [] }
    } else if (open !== undefined && info === '' && fence.startsWith(open.fence)) {
      blocks.push({ info: open.info, line: open.line, text: open.body.join('\n') })
      open = undefined
    } else if (open !== undefined) {
      open.body.push(text.slice(Math.min(open.indent, text.length - text.trimStart().length)))
    }
    prose.push(open === undefined && fence === '' ? text : '')
  }
  if (open !== undefined) blocks.push({ info: open.info, line: open.line, text: open.body.join('\n') })
  return { blocks, prose }
}

function linksOf(prose: readonly string[]): Promised[] {
  const bare = prose.map((line) => line.replace(/`[^`]*`/g, '``'))
  const found = findAll(
    bare,
    /\]\(\s*<?([^()\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\s*\[[^\]]+\]:\s*(\S+)|(?:href|src)="([^"]+)"/g,
  )
  return found.filter(({ name }) => !/^(?:[a-z][a-z+.-]*:|\/\/)/i.test(name))
}

/** As GitHub makes them: lower case, spaces to hyphens, punctuation dropped, a number for the second of a name. */
function anchorsOf(prose: readonly string[]): Set<string> {
  const anchors = new Set<string>()
  for (const line of prose) {
    for (const [, id] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id!)
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1]
    if (heading === undefined) continue
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = text.replace(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-')
    let name = slug
    for (let count = 1; anchors.has(name); count++) name = `${slug}-${count}`
    anchors.add(name)
  }
  return anchors
}

/** Every match's first filled group, with its line. `before` is the number of the line before the first. */
function findAll(lines: readonly string[], pattern: RegExp, before = 0): Promised[] {
  return lines.flatMap((text, index) =>
    [...text.matchAll(pattern)].map((match) => ({
      name: match.slice(1).find((group) => group !== undefined) ?? '',
      line: before + index + 1,
    })),
  )
}
